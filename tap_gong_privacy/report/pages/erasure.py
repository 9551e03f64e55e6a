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
            h.p({"class": ["finding", "" if _is_proven(erasure) else "open"]})[_TITLES[erasure.finding]],
            h.p(".lead")[html.own_text(_overall(len(evidence)) if has_many else _sentence(evidence[0]))],
            html.facts(
                {
                    "Addresses" if has_many else "Address": html.several(
                        [html.own_text(one.address) for one in evidence]
                    ),
                    "Erasure asked for": [
                        html.moment(erasure.asked_at),
                        h.span(".code")["as stated by who made this page"],
                    ],
                    "Gong's id of the erasure": html.several([html.own_text(one) for one in erasure.request_ids]),
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
        html.section("proves", "What this proves, and what it does not", html.bullets(_proves(erasure))),
        html.section("file", "The rows behind this page", h.p[_THE_FILE], h.p(".hash")[digest]),
        margin=" · ".join(filter(None, (title, erasure.request.reference, words.day(made_at)))),
    )


def _is_proven(erasure: Erasure) -> bool:
    """Return whether nothing is left to settle: neither a gap, nor data that was gone before it was to be erased."""
    is_plain = not any(evidence.latest_before for evidence in erasure.evidence)
    return erasure.finding in _PROVEN and is_plain and not erasure.gaps


_THE_FILE: Final = (
    "erasure.json, which was made together with this page, holds the same look-ups. This is its SHA-256, which the "
    "command also printed. If it was noted elsewhere, such as in the ticket of the request, it shows whether the file "
    "has been changed since."
)


def _gong(assessment: Assessment) -> Node:
    urls: list[Node] = [html.own_text(url) for url in assessment.api_urls]
    if not urls:
        return html.nothing(_UNNAMED)
    if assessment.is_gong_unnamed:
        urls.append(html.nothing("some look-ups do not say which Gong they asked"))
    return html.several(urls)


def _overall(number: int) -> str:
    return f"The weakest result of {words.number(number)} addresses. Each address has its own below."


def _sentence(evidence: Evidence) -> str:
    """Say what the look-ups show."""
    elsewhere, after, later = evidence.elsewhere, evidence.after, evidence.standing.later
    if elsewhere and elsewhere.at:
        sentence = _ELSEWHERE.format(url=elsewhere.api_url, time=words.time(elsewhere.at))
    elif after:
        sentence = _about(evidence, after)
    else:
        sentence = _NO_ANSWER
    if later and later.at and later.at > evidence.asked_at:
        sentence += f" A later look-up, on {words.time(later.at)}, brought no answer."
    return sentence


def _about(evidence: Evidence, after: LookUp) -> str:
    finding, before = evidence.finding, evidence.latest_before
    since = words.span(evidence.waited) if evidence.waited else ""
    held = words.joined(_what(after))
    if finding in _PROVEN and before and before.at:
        had = words.joined(_what(before)) if before.holds_something else ""
        sentence = _LESS_BEFORE.format(
            time=words.time(before.at),
            had=f"nothing but {had}" if had else "nothing",
            since=since,
            held=f"{held}, and nothing else" if after.holds_something else "nothing",
        )
        return f"{sentence} {_NOT_NAMED}" if finding is Finding.ERASED_IN_PART else sentence
    if finding in {Finding.STILL_HELD, Finding.TOO_EARLY}:
        sentence = _held(evidence, since, held)
        return f"{sentence} {_TOO_EARLY}" if finding is Finding.TOO_EARLY else sentence
    if finding is Finding.NOTHING_KNOWN_BEFORE and evidence.before:
        return _NOTHING_BEFORE.format(since=since)
    return _SENTENCES[finding].format(since=since, held=held)


def _held(evidence: Evidence, since: str, held: str) -> str:
    gone = evidence.gone
    if gone and gone.at:
        nothing = "nothing of what its documentation names as erased" if gone.holds_something else "nothing"
        return _HELD_AGAIN.format(time=words.time(gone.at), nothing=nothing, since=since, held=held)
    if evidence.before:
        return f"Gong answered {since} after the erasure was asked for that it still holds {held}."
    return (
        f"Gong answered {since} after the erasure was asked for that it holds {held}. There is no answer from before "
        "that counts."
    )


_NO_ANSWER: Final = "There is no answer that counts since the erasure was asked for, so nothing is proven."
_ELSEWHERE: Final = (
    "After the erasure was asked for, on {time}, a look-up under {url} found data about this address. That is another "
    "base URL than the one of this page."
)
_LESS_BEFORE: Final = (
    "Gong once held data about this address. On {time}, before the erasure was asked for, it already held {had}, and "
    "it answered {since} after it that it holds {held}."
)
_HELD_AGAIN: Final = (
    "On {time}, Gong held {nothing} about this address, and it answered {since} after the erasure was asked for that "
    "it holds {held}."
)
_TOO_EARLY: Final = "An erasure takes hours: look the address up again a day after the request."
_NOT_NAMED: Final = "Its documentation does not name these as erased, so this may be the final state."
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
        "Gong answered {since} after the erasure was asked for that it holds {held}, and nothing else any more. "
        + _NOT_NAMED
    ),
    Finding.NOTHING_KNOWN_BEFORE: (
        "Gong answered {since} after the erasure was asked for that it holds nothing about this address. There is no "
        "answer from before that counts, so nothing shows that anything was erased."
    ),
    Finding.NOT_LOOKED_UP_SINCE: (
        "Gong answered {since} after the erasure was asked for, but other rows contradict that answer, so nothing is "
        "proven."
    ),
}


def _what(look_up: LookUp) -> Sequence[str]:
    """Return what an answer holds, what an erasure should remove first."""
    if look_up.is_traceless:
        return ["data of which nothing is recorded any more"]
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
                h.p[_ELSEWHERE_TABLE],
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


_ELSEWHERE_TABLE: Final = (
    "They were made under another base URL than the one of this page. If that is the same Gong, make this page again "
    "with --api-url. If it is another one, an erasure there has to be asked for apart."
)


def _before_and_after(evidence: Evidence) -> Node:
    shown: list[tuple[str, Callable[[LookUp], Node]]] = [
        ("Looked up", _moment),
        ("Result", lambda look_up: html.own_text(words.status(look_up.status))),
        ("HTTP status", lambda look_up: _number(look_up.http_status)),
        (words.REQUEST_ID, lambda look_up: html.identifier(look_up.request_id)),
        *((words.STREAMS[stream], partial(_count, stream)) for stream in STREAMS),
        ("Undocumented fields", _fields_beside),
    ]
    columns = {"Latest answer before": evidence.before, "Latest answer since": evidence.after}
    if evidence.latest_before:
        columns = {"Answer before that held more": evidence.before, "Latest answer before": evidence.latest_before} | {
            "Latest answer since": evidence.after
        }
    return html.table(
        ("Look-up", *columns),
        (
            h.tr[
                h.th(".name", scope="row")[name],
                (h.td[cell(look_up) if look_up else _none(is_first=not index)] for look_up in columns.values()),
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


def _fields_beside(look_up: LookUp) -> Node:
    found = names_beside(look_up)
    if found is None:
        return html.nothing("not loaded")
    names, hidden = found
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


def _proves(erasure: Erasure) -> list[str]:
    assessment = erasure.assessment
    others = len(assessment.others)
    has_ids = any(one.request_id for standing in assessment.standings for one in standing.look_ups)
    return [
        "The answers are Gong's own. Gong can find each one by its request id."
        if has_ids
        else "The answers are Gong's own.",
        "When the erasure was asked for is stated by who made this page."
        + (" Gong can find the request by its id of the erasure." if erasure.request_ids else ""),
        *_PROVES,
        *([words.other_spellings(others)] if others else []),
        *([] if assessment.has_zones else [words.NO_ZONES]),
    ]


_PROVES: Final = (
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
