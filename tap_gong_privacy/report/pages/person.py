"""The page for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import htpy as h

from tap_gong_privacy.report.model import ANSWERED, Result
from tap_gong_privacy.report.pages import held, html, opening, rights, words
from tap_gong_privacy.report.request import made_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_gong_privacy.report.model import Standing
    from tap_gong_privacy.report.pages.html import Node
    from tap_gong_privacy.report.person import Kind, Person

_TAGS: Final = {Result.DATA_HELD: "held", Result.NOTHING_HELD: ""}


def page(person: Person) -> Iterator[bytes]:
    """Return the page, part by part."""
    title = f"What {opening.company(person)} holds about you in Gong"
    parts = _parts_of(person)
    is_draft = person.is_draft and bool(person.gaps or person.missing_texts)
    foot = ("Draft" if is_draft else "", title, person.request.reference, words.day(person.assessment.made_at))
    return html.page(
        title,
        html.head(
            "Answer to a request for access",
            html.own_text(title),
            h.p(".lead")[html.own_text(opening.lead(person))],
            html.facts(
                {
                    words.REFERENCE: person.request.reference and html.own_text(person.request.reference),
                    words.RECEIVED: person.request.received and words.day_of(person.request.received),
                    words.MADE: [html.moment(person.assessment.made_at), h.span(".code")[_made_from(person)]],
                }
            ),
        ),
        opening.draft(person),
        opening.not_complete(person),
        person.holds_something
        and h.nav(aria_label="On this page")[h.ol[(h.li[h.a(href=f"#{key}")[name]] for key, name, _ in parts)]],
        (html.section(key, name, content) for key, name, content in parts),
        margin=" · ".join(filter(None, foot)),
    )


def _made_from(person: Person) -> Node:
    urls = words.joined(list(person.assessment.api_urls))
    return html.own_text(f"by {made_by()}, from answers of {urls}" if urls else f"by {made_by()}")


def _parts_of(person: Person) -> list[tuple[str, str, Node]]:
    """Return the parts of the page: an answer without data needs few of them."""
    asked = ("asked", "What was asked", _asked(person))
    not_said = ("not-said", "What this page does not say", _not_said(person))
    if not person.holds_something:
        return [asked, ("law", "Contact and complaints", rights.texts(person)), not_said]
    return [
        asked,
        ("short", "In short", _in_short(person)),
        ("law", "Your rights, and whom you can ask", rights.texts(person)),
        ("held", "All entries", held.part(person)),
        not_said,
    ]


# What was asked


def _asked(person: Person) -> Node:
    header = ("Address", "Result", "Entries", "Answered", words.REQUEST_ID)
    has_many = len(person.standings) > 1
    has_ids = any(asked.request_id for standing in person.standings if (asked := standing.answer or standing.latest))
    assessment = person.assessment
    return [
        has_many
        and h.p(".soft")[
            "It is not known whether Gong treats two spellings of an address as one, so each needs a search of its "
            "own. An entry that is found under several addresses is listed and counted once."
        ],
        has_ids and h.p(".soft")["Gong can find each search by its request id."],
        html.table(header, map(_standing, person.standings)),
        (h.p(".soft")[html.own_text(_elsewhere(url, count))] for url, count in assessment.elsewhere.items()),
        assessment.is_gong_unnamed
        and h.p(".soft")["Our records of these searches do not say which of Gong's servers was asked."],
    ]


def _elsewhere(url: str, number: int) -> str:
    return words.plural(
        number,
        "Another of Gong's servers, {url}, was searched {number} time. What that found is not on this page.",
        "Another of Gong's servers, {url}, was searched {number} times. What those found is not on this page.",
        url=url,
    )


def _standing(standing: Standing) -> h.Element:
    answer, result = standing.answer, standing.result
    asked = answer or standing.latest
    counts = list(answer.counts.values()) if answer and result in ANSWERED else [None]
    return h.tr[
        h.th(scope="row")[html.own_text(standing.address)],
        h.td[
            h.span({"class": ["tag", _TAGS.get(result, "open")]})[words.RESULTS[result]],
            h.span(".code")[_ELSEWHERE_ONLY if standing.is_elsewhere_only else _MEANINGS[result]],
        ],
        h.td[html.nothing(words.NOT_KNOWN) if None in counts else words.number(sum(filter(None, counts)))],
        h.td[_when(standing)],
        h.td[html.identifier(asked.request_id) if asked else html.nothing()],
    ]


_MEANINGS: Final = {
    Result.DATA_HELD: "We hold data in Gong under this address.",
    Result.NOTHING_HELD: "We hold nothing in Gong under this address.",
    Result.REFUSED: "Gong refused to answer.",
    Result.NO_ANSWER: "There is no usable answer.",
    Result.MALFORMED: "This is not an e-mail address, so Gong was not searched.",
    Result.NEVER_ASKED: "Gong was not searched for this address.",
}
_ELSEWHERE_ONLY: Final = "Only another of Gong's servers was searched for this address."


def _when(standing: Standing) -> Node:
    latest = standing.latest
    if standing.answer and standing.answer.at:
        return html.moment(standing.answer.at)
    if standing.result in {Result.MALFORMED, Result.NEVER_ASKED}:
        return html.nothing(words.NO_ANSWER)
    searched = [h.span(".code")["Searched on ", html.moment(latest.at)]] if latest and latest.at else []
    return [html.nothing("no usable answer"), *searched]


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
    "calls": "Calls that Gong connects with the address, and records linked to them in other systems.",
    "meetings": "Meetings in a calendar that Gong connects with the address.",
    "customer_data": "Records in other systems, such as a customer database (CRM), as far as Gong has copied them; "
    "each system is one entry.",
    "customer_engagement": "What was done with content that was shared through Gong, such as viewing a recording.",
}
_NO_DATES: Final = {
    "calls": "Gong's answer does not give their dates.",
    "meetings": "Gong's answer gives no dates, except where a meeting's number ends with one.",
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
    if not kind.shortfalls and person.is_certain:
        return number
    counted = [shortfall.counted for shortfall in kind.shortfalls]
    if len(person.standings) == 1 and counted and counted[0] is not None:
        return [words.number(counted[0]), h.span(".code")[f"{number} on this page"]]
    return [number, h.span(".code")["on this page"]] if kind.entries else html.nothing(words.NOT_KNOWN)


# What the page does not say


def _not_said(person: Person) -> Node:
    others = len(person.assessment.others)
    is_answered = any(standing.result in ANSWERED for standing in person.standings)
    is_searched = any(standing.latest for standing in person.standings)
    return html.bullets(
        [
            *([_CONTENTS] if person.holds_something else []),
            *_NOT_SAID,
            *([_SINCE] if is_answered else []),
            *([_TRACES] if is_searched else []),
            *([_other_spellings(others)] if others else []),
            *([] if person.assessment.has_zones else [words.NO_ZONES]),
        ]
    )


def _other_spellings(number: int) -> str:
    return words.plural(
        number,
        "We also have results for {number} other spelling of these addresses. They are not on this page.",
        "We also have results for {number} other spellings of these addresses. They are not on this page.",
    )


_CONTENTS: Final = (
    "It lists what Gong refers to, not the contents: the texts of e-mails, the recordings of calls and their "
    "transcripts are not on it."
)
_NOT_SAID: Final = (
    (
        "The search is by address, exactly as it is written above. Other addresses or spellings of yours, and calls or "
        "e-mails that mention you without the address, are not covered."
    ),
    "It covers only Gong. Our other systems may also hold data about you.",
)
_SINCE: Final = "It shows what was held at the time of each answer. What has changed since then is not on it."
_TRACES: Final = (
    "To answer you, we searched Gong by address. Our record of the search and Gong's own log of requests now contain "
    "the addresses that we searched for."
)
