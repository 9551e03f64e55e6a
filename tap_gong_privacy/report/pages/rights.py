"""The part of the page for a person that the controller writes: whom to ask, and the rights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import htpy as h

from tap_gong_privacy.report.notice import DEFAULT_LAW, SHOWN_IF_NOTHING
from tap_gong_privacy.report.pages import html

if TYPE_CHECKING:
    from tap_gong_privacy.report.pages.html import Node
    from tap_gong_privacy.report.person import Person

# The GDPR in the languages of its readers, and that of the United Kingdom, which has the same articles.
_GDPR: Final = re.compile(r"\b(GDPR|DSGVO|DS-GVO|RGPD|AVG|RODO)\b")
_NAME: Final = "General Data Protection Regulation (GDPR)"


def is_gdpr(person: Person) -> bool:
    """Return whether the answer is given under the GDPR, so that its articles may be named."""
    return _GDPR.search(person.notice.law) is not None


def texts(person: Person) -> Node:
    """Return the controller's texts, and the law under which they are given."""
    notice = person.notice
    keys = notice.texts if person.holds_something else SHOWN_IF_NOTHING
    shown = [(key, notice.texts[key]) for key in keys if notice.texts[key] or key in person.missing_texts]
    has_articles = person.holds_something and is_gdpr(person)
    has_calls = any(kind.entries for kind in person.kinds if kind.stream == "calls")
    return [
        person.holds_something and h.p(".soft")[html.own_text(_law(person))],
        has_calls and h.p["To hear or read a call, ask us, and name its number."],
        h.dl(".notice")[(_text(key, text, person, has_articles=has_articles) for key, text in shown)],
    ]


def _law(person: Person) -> str:
    law = person.notice.law
    if is_gdpr(person):
        name = _NAME if law == DEFAULT_LAW else law
        return f"Besides the data, Article 15 of the {name} entitles you to what is marked with an article below."
    return f"We answer under this law: {law}."


def _text(key: str, text: str, person: Person, *, has_articles: bool) -> Node:
    title, article = _TITLES[key]
    shown = html.paragraphs(text) if text else h.p(".missing")["This text is missing. Write it into the notice."]
    return [
        h.dt[title, has_articles and article and h.small[article]],
        h.dd(lang=person.notice.language if text and person.notice.language else None)[shown],
    ]


_TITLES: Final = {
    "controller": ("Who answers", ""),
    "contact": ("Whom you can ask", ""),
    "purposes": ("Why we use this data", "Article 15(1)(a)"),
    "legal_basis": ("Legal basis", ""),
    "categories": ("Kinds of data", "Article 15(1)(b)"),
    "recipients": ("Who receives it", "Article 15(1)(c)"),
    "storage_period": ("How long it is kept", "Article 15(1)(d)"),
    "rights": ("Your rights", "Article 15(1)(e)"),
    "complaint": ("Where you can complain", "Article 15(1)(f)"),
    "source": ("Where the data came from", "Article 15(1)(g)"),
    "automated_decisions": ("Automated decisions", "Article 15(1)(h)"),
    "transfers": ("Transfers to other countries", "Article 15(2)"),
    "searched": ("Where else we searched", ""),
}
