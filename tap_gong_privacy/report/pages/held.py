"""The part of the page for a person that shows the data: what is left out of it, and then entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import htpy as h

from tap_gong_privacy.report.pages import html, rights, words
from tap_gong_privacy.report.pages.entries import common_spellings, entries
from tap_gong_privacy.report.rows.masking import LABELS
from tap_gong_privacy.singer.schemas import UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_gong_privacy.report.pages.html import Node
    from tap_gong_privacy.report.person import Beside, Kind, Person


def part(person: Person) -> Node:
    """Return the part."""
    return [
        h.p(".soft")[
            "Newest first, as far as the entries have a time. All times are in Coordinated Universal Time (UTC)."
        ],
        (h.p(".soft")[html.own_text(line)] for line in _left_out(person)),
        (_kind(kind, person) for kind in person.kinds),
        _beside(person),
    ]


# What is left out


def _left_out(person: Person) -> Iterator[str]:
    """Say what is shortened or withheld, how often, and why."""
    masker = person.masker
    if masker.addresses:
        yield _addresses(person)
    if masker.links:
        yield words.plural(
            masker.links,
            "A link is shortened, {number} time on this page: it is shown without what follows “?” or “#” and without "
            "share tokens, because whoever has the whole link may be able to open it.",
            "Links are shortened, {number} times on this page: they are shown without what follows “?” or “#” and "
            "without share tokens, because whoever has a whole link may be able to open it.",
        )
    if masker.withheld:
        yield words.plural(
            sum(masker.withheld.values()),
            "{number} value is withheld, in {fields}.",
            "{number} values are withheld, in {fields}.",
            fields=words.joined([f"“{name}”" for name in masker.withheld]),
        )
        yield (
            "A company may withhold what would harm other people, or what the law forbids it to disclose: California "
            "does so with some numbers of identity documents and accounts (11 CCR § 7024(d))."
        )
    if not (masker.addresses or masker.links or masker.withheld):
        yield "Nothing is shortened or withheld on this page."
    elif rights.is_gdpr(person):
        yield (
            "The copy of your data must not harm other people (Article 15(4) GDPR). If you disagree with what is "
            "shortened or withheld, you may complain to a supervisory authority or go to court (Article 12(4) GDPR)."
        )
    else:
        yield (
            "If you disagree with what is shortened or withheld, you may complain to the authority in charge or go to "
            "court."
        )


def _addresses(person: Person) -> str:
    labels = person.masker.labels
    staff = LABELS["staff"].partition("{")[0].strip()
    sentences = [
        words.plural(
            person.masker.addresses,
            "The address of another person is shortened, {number} time on this page, to protect that person.",
            "Addresses of other people are shortened, {number} times on this page, to protect them.",
        )
    ]
    if labels:
        sentences.append(f"The same label, such as “{labels[0]}”, always means the same address.")
    if any(label.startswith(staff) for label in labels):
        sentences.append(f"“{staff}” and a number stand for an address of our company.")
    return " ".join(sentences)


# Entry by entry


def _kind(kind: Kind, person: Person) -> Node:
    number = h.small[words.number(len(kind.entries))] if kind.entries else None
    remark = _remark(kind, person)
    return html.section(
        kind.stream,
        [words.STREAMS[kind.stream], number],
        h.p(".soft")[html.own_text(remark)] if remark else None,
        entries(kind, person) if kind.entries else None,
        is_inner=True,
    )


def _remark(kind: Kind, person: Person) -> str:
    if kind.entries:
        spellings = common_spellings(kind) if len(person.standings) > 1 else []
        under = f"Found under {words.joined(spellings)}." if spellings else ""
        named = "The names of the fields are those of the other system." if kind.stream == "customer_data" else ""
        return " ".join(filter(None, (under, named)))
    counted = [shortfall.counted for shortfall in kind.shortfalls if shortfall.counted]
    if counted:
        return words.plural(
            max(counted),
            "Gong named {amount}. Our copy does not have it, so it is not on this page.",
            "Gong named {amount}. Our copy does not have them, so they are not on this page.",
            amount=words.amount(kind.stream, max(counted)) if len(counted) == 1 else "some",
        )
    return "We hold none." if person.is_certain and not kind.shortfalls else "Whether we hold any is not known."


def _beside(person: Person) -> Node:
    """Return what Gong sent that its documentation does not describe."""
    is_lacking = UNDOCUMENTED in person.missing or any(UNDOCUMENTED in kind.lacking for kind in person.kinds)
    if not (person.beside or is_lacking):
        return None
    return html.section(
        "beside",
        "What else Gong sent",
        bool(person.beside)
        and [
            h.p(".soft")[
                "Gong's documentation does not describe these values. They are shown as Gong sent them, apart from "
                "what is shortened or withheld."
            ],
            html.table(("Sent with", words.COLUMNS["value"]), map(_sent_with, person.beside)),
        ],
        is_lacking and h.p(".missing")["Whether Gong sent more is not known: our copy does not have it."],
        is_inner=True,
    )


def _sent_with(sent: Beside) -> Node:
    name = words.STREAMS[sent.stream]
    # The key of an event is the tap's own, and says nothing to the person.
    key = sent.stream != "customer_engagement" and h.span(".code")[html.show(sent.key)]
    return html.row([name, key], html.pairs(sent.content))
