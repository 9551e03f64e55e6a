"""The page about an erasure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import htpy as h

from tap_gong_privacy.report.erasure import NOT_NAMED, Evidence, Finding, names_beside
from tap_gong_privacy.report.pages import html, words
from tap_gong_privacy.report.request import made_by
from tap_gong_privacy.report.rows.tables import STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_gong_privacy.report.erasure import Erasure
    from tap_gong_privacy.report.look_ups import LookUp
    from tap_gong_privacy.report.model import Assessment
    from tap_gong_privacy.report.pages.html import Node

_PROVEN: Final = {Finding.ERASED, Finding.ERASED_IN_PART}
_TITLES: Final = {finding: finding.value[:1].upper() + finding.value[1:] for finding in Finding}
_UNNAMED: Final = "not recorded"


def page(erasure: Erasure, digest: str) -> Iterator[bytes]:
    """Return the page, part by part.

    Args:
        erasure: The evidence.
        digest: The SHA-256 of the file with its rows.
    """
    evidence, made_at = erasure.evidence, erasure.assessment.made_at
    has_many = len(evidence) > 1
    title = f"Evidence of an erasure: {_TITLES[erasure.finding]}"
    return html.page(
        title,
        html.head(
            "Evidence of an erasure",
            "Was the data erased at Gong?",
            h.p({"class": ["finding", "" if erasure.finding in _PROVEN else "open"]})[_TITLES[erasure.finding]],
            h.p(".lead")[html.own_text(_overall(len(evidence)) if has_many else _sentence(evidence[0]))],
            html.facts(
                {
                    "Address": h.ul(".plain")[(h.li[html.own_text(one.address)] for one in evidence)]
                    if has_many
                    else html.own_text(evidence[0].address),
                    "Erasure asked for": [
                        html.moment(erasure.asked_at),
                        h.span(".code")["as stated by who made this page"],
                    ],
                    "Gong's id of the erasure": erasure.request_ids
                    and [
                        [", " if place else None, html.own_text(one)] for place, one in enumerate(erasure.request_ids)
                    ],
                    "Which Gong": _gong(erasure.assessment),
                    words.REFERENCE: erasure.request.reference and html.own_text(erasure.request.reference),
                    words.RECEIVED: erasure.request.received and words.day_of(erasure.request.received),
                    words.MADE: [html.moment(made_at), h.span(".code")[f"by {made_by()}"]],
                }
            ),
        ),
        erasure.gaps
        and h.aside(".alert")[h.p["This evidence is not complete"], html.bullets(map(html.own_text, erasure.gaps))],
        (_evidence(number, one, has_many=has_many) for number, one in enumerate(evidence, 1)),
        html.section("proves", "What this proves, and what it does not", html.bullets(_proves(erasure.assessment))),
        html.section("file", "The rows behind this page", h.p[_THE_FILE], h.p(".hash")[digest]),
        margin=" · ".join(filter(None, (title, erasure.request.reference, words.day(made_at)))),
    )


_THE_FILE: Final = (
    "erasure.json, which was made together with this page, holds the same look-ups. This is its SHA-256, which the "
    "command also printed. If it was noted elsewhere, such as in the ticket of the request, it shows whether the file "
    "has been changed since."
)


def _gong(assessment: Assessment) -> Node:
    urls = [h.li[html.own_text(url)] for url in assessment.api_urls]
    if not urls:
        return html.nothing(_UNNAMED)
    unnamed = assessment.is_gong_unnamed and h.li[html.nothing("some look-ups do not say which Gong they asked")]
    return h.ul(".plain")[urls, unnamed]


def _overall(number: int) -> str:
    return f"The weakest result of {words.number(number)} addresses. Each address has its own below."


def _sentence(evidence: Evidence) -> str:
    """Say what the look-ups show."""
    elsewhere, finding, gone = evidence.elsewhere, evidence.finding, evidence.gone_before
    if elsewhere and (at := elsewhere[-1].at):
        return _ELSEWHERE.format(url=elsewhere[-1].api_url, time=words.time(at))
    if evidence.after is None or evidence.waited is None:
        return _NO_ANSWER
    sentence = _SENTENCES[finding]
    if finding is Finding.ERASED and gone:
        sentence = _GONE_BEFORE
    elif finding is Finding.NOTHING_KNOWN_BEFORE and evidence.before:
        sentence = _NOTHING_BEFORE
    return sentence.format(
        since=words.span(evidence.waited),
        held=words.joined(_what(evidence.after)),
        gone=words.time(gone.at) if gone and gone.at else "",
    )


_NO_ANSWER: Final = "There is no answer that counts since the erasure was asked for, so nothing is proven."
_ELSEWHERE: Final = (
    "After the erasure was asked for, on {time}, a look-up under {url} found data about this address. That is another "
    "base URL than the one of this page."
)
_GONE_BEFORE: Final = (
    "Gong once held data about this address. It held nothing any more on {gone}, before the erasure was asked for, and "
    "answered {since} after it that it holds nothing."
)
_NOTHING_BEFORE: Final = (
    "Gong answered {since} after the erasure was asked for that it holds nothing about this address. The answers from "
    "before held nothing either, so they do not show that anything was erased."
)
_SENTENCES: Final = {
    Finding.ERASED: (
        "Gong held data about this address before the erasure was asked for, and answered {since} after it that it "
        "holds nothing."
    ),
    Finding.ERASED_IN_PART: (
        "Gong answered {since} after the erasure was asked for that it holds {held}, and nothing else any more. Its "
        "documentation does not name these as erased, so this may be the final state."
    ),
    Finding.NOTHING_KNOWN_BEFORE: (
        "Gong answered {since} after the erasure was asked for that it holds nothing about this address. There is no "
        "answer from before, so nothing shows that anything was erased."
    ),
    Finding.NOT_LOOKED_UP_SINCE: (
        "Gong answered {since} after the erasure was asked for, but other rows contradict that answer, so nothing is "
        "proven."
    ),
    Finding.TOO_EARLY: (
        "Gong answered {since} after the erasure was asked for that it still holds {held}. An erasure takes hours: "
        "look the address up again a day after the asking."
    ),
    Finding.STILL_HELD: "Gong answered {since} after the erasure was asked for that it still holds {held}.",
}


def _what(look_up: LookUp) -> Sequence[str]:
    """Return what an answer holds, what an erasure should remove first."""
    streams = sorted(STREAMS, key=lambda stream: stream in NOT_NAMED)
    held = [words.amount(stream, number) for stream in streams if (number := look_up.counts[stream])]
    if None in look_up.counts.values():
        held.append("data of kinds whose number was not loaded")
    return [*held, *(["undocumented data"] if look_up.undocumented or not held else [])]


def _evidence(number: int, evidence: Evidence, *, has_many: bool) -> Node:
    anchor, standing = f"evidence-{number}", evidence.standing
    parts = [
        html.section(f"{anchor}-answers", "Before and after", _before_and_after(evidence), is_inner=has_many),
        html.section(
            f"{anchor}-look-ups", "Every look-up of this address", _look_ups(standing.look_ups), is_inner=has_many
        ),
    ]
    if standing.elsewhere:
        parts.append(
            html.section(
                f"{anchor}-elsewhere",
                "Look-ups under other base URLs",
                h.p[
                    "They are no evidence about the Gong of this page. If it is the same Gong, name it with --api-url."
                ],
                _look_ups(standing.elsewhere),
                is_inner=has_many,
            )
        )
    if not has_many:
        return parts
    return html.section(
        anchor,
        html.own_text(evidence.address),
        h.p[h.strong[_TITLES[evidence.finding]], ". ", html.own_text(_sentence(evidence))],
        parts,
    )


def _before_and_after(evidence: Evidence) -> Node:
    shown: list[tuple[str, Callable[[LookUp], Node]]] = [
        ("Looked up", _moment),
        ("Result", lambda look_up: html.own_text(words.status(look_up.status))),
        ("HTTP status", lambda look_up: _number(look_up.http_status)),
        (words.REQUEST_ID, lambda look_up: html.identifier(look_up.request_id)),
        *((words.STREAMS[stream], partial(_count, stream)) for stream in STREAMS),
        ("Undocumented fields", lambda look_up: _fields_beside(*names_beside(look_up))),
    ]
    columns = (evidence.before, evidence.after)
    is_latest = evidence.gone_before is None
    return html.table(
        (
            "Look-up",
            "Latest answer before" if is_latest else "Latest answer before that held data",
            "Latest answer since",
        ),
        (
            h.tr[
                h.th(scope="row")[name],
                (h.td[cell(look_up) if look_up else _none(is_first=not index)] for look_up in columns),
            ]
            for index, (name, cell) in enumerate(shown)
        ),
        stacks=False,
    )


def _none(*, is_first: bool) -> Node:
    return html.nothing(words.NO_ANSWER if is_first else "\N{EN DASH}")


def _moment(look_up: LookUp) -> Node:
    return html.moment(look_up.at) if look_up.at else html.nothing()


def _count(stream: str, look_up: LookUp) -> Node:
    return _number(look_up.counts[stream])


def _number(value: int | None) -> Node:
    return html.nothing(words.NOT_KNOWN) if value is None else words.number(value)


def _fields_beside(names: Sequence[str], hidden: int) -> str:
    shown = [*names, *([f"{words.number(hidden)} whose name is not shown"] if hidden else [])]
    return words.joined(shown) or "none"


def _look_ups(look_ups: Sequence[LookUp]) -> Node:
    if not look_ups:
        return h.p["There is none: this address was never looked up."]
    header = ("Looked up", "Result", "HTTP status", "Calls made", "Entries", words.REQUEST_ID, "Which Gong")
    return html.table(
        header,
        (
            html.row(
                _moment(look_up),
                html.own_text(words.status(look_up.status)),
                _number(look_up.http_status),
                _number(look_up.attempts),
                _total(look_up),
                html.identifier(look_up.request_id),
                html.own_text(look_up.api_url) if look_up.api_url else html.nothing(_UNNAMED),
            )
            for look_up in look_ups
        ),
    )


def _total(look_up: LookUp) -> Node:
    if not look_up.is_answer:
        return html.nothing(words.NO_ANSWER)
    counts = look_up.counts.values()
    return _number(None if None in counts else sum(count or 0 for count in counts))


def _proves(assessment: Assessment) -> list[str]:
    others = len(assessment.others)
    lines = [words.other_spellings(others)] if others else []
    if not assessment.has_zones:
        lines.append(words.NO_ZONES)
    return [*_PROVES, *lines]


_PROVES: Final = (
    "The answers are Gong's own. Gong can find each one by its request id.",
    (
        "When the erasure was asked for is stated by who made this page. If Gong's id of the erasure is given, Gong "
        "can find the request by it."
    ),
    "Gong erases in the background, which takes hours.",
    (
        "Gong's documentation names calls, e-mails, leads and contacts as erased. It does not name meetings and "
        "events of customer engagement."
    ),
    "The answers say nothing about Gong's backups.",
    (
        "If a connected system such as the customer database still holds the person, it can send the data to Gong "
        "again. Look the address up again after its next synchronization."
    ),
    "Whether Gong treats two spellings of an address as one is not known. Look each spelling up separately.",
)
