"""The page for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import htpy as h

from tap_gong_privacy.report.model import Result
from tap_gong_privacy.report.notice import DEFAULT_LAW, SHOWN_IF_NOTHING
from tap_gong_privacy.report.pages import entries, html, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gong_privacy.report.model import Standing
    from tap_gong_privacy.report.pages.html import Node
    from tap_gong_privacy.report.person import Kind, Person, Shortfall

_NAMED_AT_MOST: Final = 3
_TAGS: Final = {Result.DATA_HELD: "held", Result.NOTHING_HELD: ""}


def page(person: Person) -> Iterator[bytes]:
    """Return the page, part by part."""
    title = f"What {_company(person)} holds about you in Gong"
    parts = _parts_of(person)
    return html.page(
        title,
        html.head(
            "Answer to a request for access",
            html.own_text(title),
            h.p(".lead")[html.own_text(_lead(person))],
            html.facts(
                {
                    words.REFERENCE: person.request.reference and html.own_text(person.request.reference),
                    words.RECEIVED: person.request.received and words.day_of(person.request.received),
                    words.MADE: html.moment(person.assessment.made_at),
                }
            ),
        ),
        _draft(person),
        _open_points(person),
        len(parts) > _NAMED_AT_MOST
        and h.nav(aria_label="On this page")[h.ol[(h.li[h.a(href=f"#{key}")[name]] for key, name, _ in parts)]],
        (html.section(key, name, content) for key, name, content in parts),
        margin=" · ".join(filter(None, (title, person.request.reference, words.day(person.assessment.made_at)))),
    )


def _parts_of(person: Person) -> list[tuple[str, str, Node]]:
    """Return the parts of the page: an answer without data needs few of them."""
    asked = ("asked", "What was asked", _asked(person))
    not_said = ("not-said", "What this page does not say", _not_said(person))
    if not person.holds_something:
        return [asked, ("law", "Whom you can ask", _law(person)), not_said]
    return [
        asked,
        ("short", "In short", _in_short(person)),
        ("law", "Your rights, and whom you can ask", _law(person)),
        ("held", "Entry by entry", _held(person)),
        not_said,
    ]


def _company(person: Person) -> str:
    return person.notice.texts["controller"].partition("\n")[0].strip(" ,") or "this company"


def _lead(person: Person) -> str:
    """Say in one sentence what Gong is, what was asked, and how much is held."""
    addresses = [standing.address for standing in person.standings]
    asked = words.joined(addresses) if len(addresses) <= _NAMED_AT_MOST else f"{words.number(len(addresses))} addresses"
    times = [at for standing in person.standings if standing.answer and (at := standing.answer.at)]
    company = _company(person)
    if not times or not (person.holds_something or person.holds_nothing):
        return (
            f"Gong is the service with which {company} records and analyses sales calls, meetings and e-mails; it is "
            f"not known in full what we hold about you there under {asked}."
        )
    places = {
        "company": company,
        "asked": asked,
        "day": words.day(min(times)),
        "age": words.span(person.assessment.made_at - min(times)),
    }
    if person.holds_nothing:
        return (
            "In Gong, the service with which {company} records and analyses sales calls, meetings and e-mails, we hold "
            "nothing about you under {asked}, as of {day}, {age} before this page was made."
        ).format(**places)
    if any(kind.shortfalls for kind in person.kinds) or not person.entries:
        return words.plural(
            person.entries,
            "In Gong, the service with which {company} records and analyses sales calls, meetings and e-mails, we hold "
            "data about you under {asked}, as of {day}, {age} before this page was made; {number} entry is on this "
            "page.",
            "In Gong, the service with which {company} records and analyses sales calls, meetings and e-mails, we hold "
            "data about you under {asked}, as of {day}, {age} before this page was made; {number} entries are on this "
            "page.",
            **places,
        )
    return words.plural(
        person.entries,
        "In Gong, the service with which {company} records and analyses sales calls, meetings and e-mails, we hold "
        "{number} entry about you under {asked}, as of {day}, {age} before this page was made.",
        "In Gong, the service with which {company} records and analyses sales calls, meetings and e-mails, we hold "
        "{number} entries about you under {asked}, as of {day}, {age} before this page was made.",
        **places,
    )


# What is not complete


def _draft(person: Person) -> Node:
    """Return the notes to the controller's staff, which only a draft shows."""
    missing = ", ".join(person.missing_texts)
    texts = [f"These texts of the notice are missing: {missing}."] if missing else []
    if not person.is_draft or not (texts or person.gaps):
        return None
    return h.aside(".alert")[
        h.p["Draft"], h.p["Please settle this before you send the page:"], html.bullets([*person.gaps, *texts])
    ]


def _open_points(person: Person) -> Node:
    points = [html.own_text(point) for point in _unknown(person)]
    if not points:
        return None
    return h.aside(".alert")[h.p["This answer is not complete"], html.bullets(points)]


def _unknown(person: Person) -> Iterator[str]:
    """Say to the person what is not known, and what is not on the page."""
    if person.assessment.are_pseudonyms:
        yield "Our copy of the data names people by pseudonyms, so it may hold more about you than this page shows."
    for standing in person.standings:
        yield from _unknown_of(standing)
    for kind in person.kinds:
        yield from _unknown_entries(kind, person)
    if person.missing:
        yield _missing_columns(words.STREAMS["lookups"], person.missing)


def _unknown_entries(kind: Kind, person: Person) -> Iterator[str]:
    stream = words.STREAMS[kind.stream]
    for shortfall in kind.shortfalls:
        if not person.standings[shortfall.place - 1].is_deleted_or_not_loaded:
            yield _missing_entries(stream, shortfall)
    if kind.lacks_columns:
        yield _missing_columns(stream, kind.missing)
    if kind.unreadable:
        yield f"{stream}: our copy of {_names(kind.unreadable)} cannot be read, so it is not on this page."


def _unknown_of(standing: Standing) -> Iterator[str]:
    address, later = standing.address, standing.later
    if meaning := _UNKNOWN.get(standing.result):
        yield f"{address}: {meaning}"
    if standing.doubts:
        yield f"{address}: {_CONTRADICTION}"
    if later and later.at:
        yield (
            f"{address}: a later search, on {words.time(later.at)}, brought no new answer "
            f"({words.status(later.status)}). This page shows the answer from before."
        )
    if standing.is_deleted_or_not_loaded and standing.answer:
        yield words.plural(
            sum(count or 0 for count in standing.answer.counts.values()),
            "{address}: Gong counts {number} entry, which is not on this page: our copy of it was deleted, or never "
            "made.",
            "{address}: Gong counts {number} entries, none of which is on this page: our copies were deleted, or never "
            "made.",
            address=address,
        )


_UNKNOWN: Final = {
    Result.REFUSED: "Gong refused to answer. Whether we hold anything there under this address is not known.",
    Result.NO_ANSWER: "there is no usable answer. Whether we hold anything in Gong under this address is not known.",
    Result.MALFORMED: "this is not an e-mail address, so Gong was not searched for it.",
    Result.NEVER_ASKED: "Gong was not searched for it. Whether we hold anything there under this address is not known.",
}
_CONTRADICTION: Final = (
    "our records of the search contradict each other, so they do not show for certain what we hold in Gong under this "
    "address."
)


def _missing_entries(stream: str, shortfall: Shortfall) -> str:
    loaded, address = words.number(shortfall.loaded), shortfall.address
    if shortfall.counted is None:
        return f"{stream}: how many there are under {address} is not known; this page has {loaded}."
    counted = words.number(shortfall.counted)
    return f"{stream}: Gong counts {counted} under {address}, and this page has {loaded}."


def _missing_columns(stream: str, columns: Sequence[str]) -> str:
    return f"{stream}: {_names(columns)} is not on this page, because we did not fetch it from Gong."


def _names(columns: Sequence[str]) -> str:
    return words.joined([f"“{words.COLUMNS[column]}”" for column in columns])


# What was asked


def _asked(person: Person) -> Node:
    header = ("Address", "Result", "Answered", words.REQUEST_ID)
    elsewhere = person.assessment.elsewhere
    return [
        h.p(".soft")[
            "It is not known whether Gong treats two spellings of an address as one, so each spelling was searched "
            "separately. Gong can find each search by its request id."
        ],
        html.table(header, map(_standing, person.standings)),
        (h.p(".soft")[html.own_text(words.elsewhere(url, count))] for url, count in elsewhere.items()),
        person.assessment.is_gong_unnamed
        and h.p(".soft")["Our records of these searches do not say which of Gong's servers was asked."],
    ]


def _standing(standing: Standing) -> h.Element:
    answer, result = standing.answer, standing.result
    asked = answer or standing.latest
    return h.tr[
        h.th(scope="row")[html.own_text(standing.address)],
        h.td[
            h.span({"class": ["tag", _TAGS.get(result, "open")]})[words.RESULTS[result]],
            h.span(".code")[_MEANINGS[result]],
        ],
        h.td[_when(standing)],
        h.td[html.identifier(asked.request_id) if asked else html.nothing()],
    ]


_MEANINGS: Final = {
    Result.DATA_HELD: "We hold data in Gong under this address.",
    Result.NOTHING_HELD: "We hold nothing in Gong under this address.",
    Result.REFUSED: "Gong refused to answer.",
    Result.NO_ANSWER: "There is no usable answer.",
    Result.MALFORMED: "This is not an e-mail address.",
    Result.NEVER_ASKED: "Gong was not searched for this address.",
}


def _when(standing: Standing) -> Node:
    if standing.answer and standing.answer.at:
        return html.moment(standing.answer.at)
    latest = standing.latest
    if latest is None or latest.at is None:
        return html.nothing("never")
    return [html.nothing("never"), h.span(".code")["Searched on ", html.moment(latest.at)]]


# In short


def _in_short(person: Person) -> Node:
    rows = (
        h.tr[
            h.th(scope="row")[h.a(href=f"#{kind.stream}")[words.STREAMS[kind.stream]]],
            h.td(".number")[_amount(kind, person)],
            h.td[_KINDS[kind.stream], h.span(".code")[happened] if (happened := _happened(kind)) else None],
        ]
        for kind in person.kinds
    )
    return html.table(("Kind", "Entries", "What it is"), rows, numbers=(1,), stacks=False)


_KINDS: Final = {
    "emails": "E-mails that refer to the address: who sent each, when, and in whose mailbox Gong found it.",
    "calls": "Recorded calls that Gong connects with the address, with their links to other systems.",
    "meetings": "Meetings in a calendar that Gong connects with the address.",
    "customer_data": "Systems such as a customer database (CRM) whose records about the address Gong has copied, with "
    "every field that it has copied.",
    "customer_engagement": "What was done with content that was shared through Gong, such as viewing a recording.",
}
_NO_DATES: Final = {
    "calls": "Gong does not say when they took place.",
    "meetings": "Gong names no time, save where the meeting's number ends with one.",
}


def _happened(kind: Kind) -> str | None:
    if not kind.entries:
        return None
    if not kind.times:
        return _NO_DATES.get(kind.stream)
    first, last = words.day(kind.times[-1]), words.day(kind.times[0])
    return f"On {first}." if first == last else f"From {first} to {last}."


def _amount(kind: Kind, person: Person) -> Node:
    number = words.number(len(kind.entries))
    if not kind.shortfalls and person.is_known:
        return number
    return [number, h.span(".code")["on this page"]] if kind.entries else html.nothing(words.NOT_KNOWN)


# Rights


def _law(person: Person) -> Node:
    notice = person.notice
    keys = notice.texts if person.holds_something else SHOWN_IF_NOTHING
    texts = [(key, notice.texts[key]) for key in keys if notice.texts[key] or key in person.missing_texts]
    has_articles = person.holds_something and notice.law == DEFAULT_LAW
    has_calls = any(kind.entries for kind in person.kinds if kind.stream == "calls")
    return [
        person.holds_something and h.p(".soft")[_LAW if has_articles else _other_law(notice.law)],
        has_calls and h.p["To hear or read a call, ask us, and name its number."],
        h.dl(".notice")[(_text(key, text, person, has_articles=has_articles) for key, text in texts)],
    ]


_LAW: Final = (
    "Article 15 of the General Data Protection Regulation (GDPR) gives you a right to know not only the data, but this "
    "as well."
)


def _other_law(law: str) -> Node:
    return html.own_text(
        f"You have a right to know not only the data, but this as well. The law that applies is: {law}"
    )


def _text(key: str, text: str, person: Person, *, has_articles: bool) -> Node:
    title, article = _TEXTS[key]
    shown = html.paragraphs(text) if text else h.p(".missing")["This text is missing. The controller has to write it."]
    return [
        h.dt[title, has_articles and article and h.small[article]],
        h.dd(lang=person.notice.language if text and person.notice.language else None)[shown],
    ]


_TEXTS: Final = {
    "controller": ("Who answers", ""),
    "contact": ("Whom you can ask", ""),
    "purposes": ("Why we use this data", "Article 15(1)(a)"),
    "legal_basis": ("On which legal basis we use it", ""),
    "categories": ("Which kinds of data these are", "Article 15(1)(b)"),
    "recipients": ("Who receives it", "Article 15(1)(c)"),
    "storage_period": ("How long it is kept", "Article 15(1)(d)"),
    "rights": ("Your rights", "Article 15(1)(e)"),
    "complaint": ("Where you can complain", "Article 15(1)(f)"),
    "source": ("Where the data came from", "Article 15(1)(g)"),
    "automated_decisions": ("Decisions made by machines", "Article 15(1)(h)"),
    "transfers": ("Transfers to other countries", "Article 15(2)"),
    "searched": ("Where else we searched", ""),
}


# Entry by entry


def _held(person: Person) -> Node:
    return [
        h.p(".soft")["Newest first. All times are in Coordinated Universal Time (UTC)."],
        (h.p(".soft")[line] for line in _withheld(person)),
        (entries.section(kind, person) for kind in person.kinds),
        entries.beside(person),
    ]


def _withheld(person: Person) -> Iterator[str]:
    """Say what is masked or withheld, how often, and why."""
    masker, law = person.masker, person.notice.law == DEFAULT_LAW
    fields = sum(masker.withheld.values())
    if masker.addresses:
        yield words.plural(
            masker.addresses,
            "The address of another person is shortened, {number} time on this page, to protect that person. “sender 1 "
            "(m…\N{WORD JOINER}@example.com)” is an address at example.com that begins with m; the same number is the "
            "same person.",
            "Addresses of other people are shortened, {number} times on this page, to protect them. “sender 1 "
            "(m…\N{WORD JOINER}@example.com)” is an address at example.com that begins with m; the same number is the "
            "same person.",
        )
    if masker.links:
        yield words.plural(
            masker.links,
            "A link is shown without the part that would open a recording, {number} time on this page.",
            "Links are shown without the part that would open a recording, {number} times on this page.",
        )
    if fields:
        yield words.plural(
            fields,
            "{number} value is withheld. A company may withhold a value that would harm other people, or that the law "
            "forbids to disclose, as California's does with numbers of identity documents and accounts.",
            "{number} values are withheld. A company may withhold values that would harm other people, or that the law "
            "forbids to disclose, as California's does with numbers of identity documents and accounts.",
        )
    if not (masker.addresses or masker.links or fields):
        yield "Nothing is masked on this page."
    elif law:
        yield (
            "The copy of your data must not harm other people (Article 15(4) GDPR). If you disagree with what is left "
            "out, you may complain to a supervisory authority or go to court (Article 12(4) GDPR)."
        )
    else:
        yield "If you disagree with what is left out, you may complain to the authority in charge or go to court."


# What the page does not say


def _not_said(person: Person) -> Node:
    others = len(person.assessment.others)
    zones = [] if person.assessment.has_zones else [words.NO_ZONES]
    return html.bullets([*_NOT_SAID, *([words.other_spellings(others)] if others else []), *zones])


_NOT_SAID: Final = (
    (
        "It lists what Gong refers to, not the contents: the texts of e-mails, the recordings of calls and their "
        "transcripts are not on it."
    ),
    (
        "It covers the addresses named above, exactly as they are written there. Other addresses or spellings of yours "
        "are not covered unless they are listed."
    ),
    "It covers Gong alone. Other systems of this company may hold data about you, too.",
    "It shows what was held at the time of each answer. What has changed since then is not on it.",
    (
        "To answer you, we searched Gong for these addresses. Our record of the search and Gong's own log of requests "
        "now hold them."
    ),
)
