"""The page about the tap's list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import htpy as h

from tap_gong_privacy.report.model import ANSWERED, Result
from tap_gong_privacy.report.pages import html, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_gong_privacy.report.coverage import Coverage, Line
    from tap_gong_privacy.report.look_ups import LookUp
    from tap_gong_privacy.report.pages.html import Node

_T = TypeVar("_T")
_WIDTH: Final = 420
_BAR: Final = 20
_LINE: Final = 22
_LABELS: Final = 130
_NUMBERS: Final = 50
_FOLDED_FROM: Final = 100
_SHOWN_AT_MOST: Final = 1000
_COLOURS: Final = {result: f"b{number}" for number, result in enumerate(Result, 1)}
_TOO_OLD: Final = "Answer too old"
_TOO_OLD_COLOUR: Final = "b7"
_AGES: Final = (
    "up to 1 day",
    "1 to 7 days",
    "7 to 30 days",
    "30 to 90 days",
    "90 days to a year",
    "more than a year",
)


def page(coverage: Coverage) -> Iterator[bytes]:
    """Return the page, part by part."""
    assessment = coverage.assessment
    title, total = _title(coverage), len(coverage.lines)
    open_lines = [line for line in coverage.lines if line.result not in ANSWERED]
    return html.page(
        f"Coverage of the list: {title}",
        html.head(
            "Coverage of the list",
            title,
            h.p(".lead")[_lead(coverage)],
            html.facts(
                {
                    "Which Gong": html.several([html.own_text(url) for url in assessment.api_urls]),
                    "Addresses on the list": [words.number(total), h.span(".code")["each counted once"]],
                    words.MADE: html.moment(assessment.made_at),
                }
            ),
        ),
        coverage.doubts and h.aside(".alert")[h.p["Rows that contradict each other"], html.bullets(coverage.doubts)],
        html.section("results", "Results", _bar(coverage), _results(coverage), _remarks(coverage)),
        html.section("ages", "How old the answers are", _ages(coverage)),
        html.section(
            "open", "Addresses without an answer", _folded(open_lines, _OPEN) if open_lines else h.p["There is none."]
        ),
        _group(
            "too-old",
            "Answers that are too old",
            "Their addresses have to be looked up again.",
            [line for line in coverage.lines if line.is_too_old],
            _ANSWERED,
        ),
        _group(
            "later",
            "Answers that a later look-up did not renew",
            "The answer still counts; the latest look-up brought no new one.",
            [line for line in coverage.lines if line.standing.later],
            _ANSWERED,
        ),
        _group(
            "not-listed",
            "Not on this list, with data in the tables",
            "Another list may have them.",
            coverage.not_listed,
            _NOT_LISTED,
        ),
        _group(
            "evidence-only",
            "Not on this list, with look-ups alone in the tables",
            "Another list may have them, or their data was deleted and the evidence of the search was kept.",
            coverage.evidence_only,
            _NOT_LISTED,
        ),
        margin=f"Coverage of the list · {words.day(assessment.made_at)}",
    )


def _title(coverage: Coverage) -> str:
    total = len(coverage.lines)
    since = coverage.oldest_allowed
    answer = "an answer" if since is None else f"an answer from the last {words.days(since)}"
    if total == 1:
        return f"{coverage.answered} of 1 address has {answer}"
    return words.plural(
        coverage.answered,
        "{number} of {total} addresses has {answer}",
        "{number} of {total} addresses have {answer}",
        total=words.number(total),
        answer=answer,
    )


def _lead(coverage: Coverage) -> str:
    """Say how far the list is covered, and how old the oldest answer is."""
    total, answered = len(coverage.lines), coverage.answered
    if not total:
        return "The tap's list holds no address, so nobody is asked."
    parts = []
    if coverage.answered_at:
        oldest = min(coverage.answered_at)
        parts.append(f"The oldest answer dates from {words.dated(oldest, coverage.assessment.made_at)}.")
    if coverage.oldest_allowed is not None:
        parts.append(f"Answers that are older than {words.days(coverage.oldest_allowed)} are not counted.")
    if answered < total:
        parts.append(
            words.plural(
                total - answered,
                "{number} address has no answer that is counted.",
                "{number} addresses have no answer that is counted.",
            )
        )
    return " ".join(parts)


def _shares(coverage: Coverage) -> list[tuple[str, str, int, str]]:
    """Return the name, colour, number and meaning of each part of the list."""
    shares = [(words.RESULTS[one], _COLOURS[one], number, _MEANINGS[one]) for one, number in coverage.results.items()]
    if coverage.oldest_allowed is not None:
        shares.append((_TOO_OLD, _TOO_OLD_COLOUR, coverage.too_old, "Gong has answered, but too long ago."))
    return shares


_MEANINGS: Final = {
    Result.DATA_HELD: "Gong's latest answer: it holds data.",
    Result.NOTHING_HELD: "Gong's latest answer: it holds nothing.",
    Result.REFUSED: "Gong refused to answer. Ask Gong's support, with the request id.",
    Result.NO_ANSWER: "No usable answer after all tries, or rows that contradict it. Run the tap again.",
    Result.MALFORMED: "The entry is not an e-mail address. Correct it on the list.",
    Result.NEVER_ASKED: "No look-up at this Gong was loaded. Run the tap, and see how its run ends.",
}


def _bar(coverage: Coverage) -> Node:
    """Draw the shares of the results as one bar."""
    total = len(coverage.lines) or 1
    shares = [(name, colour, number) for name, colour, number, _ in _shares(coverage) if number]
    label = words.joined([f"{name}: {words.number(number)}" for name, _, number in shares])
    parts = []
    left = 0.0
    for _, colour, number in shares:
        width = _WIDTH * number / total
        # A sliver can still be seen.
        shown = max(width - 2, 1.5)
        parts.append(h.rect({"class": colour}, x=f"{left:.2f}", y="0", width=f"{shown:.2f}", height=str(_BAR)))
        left += width
    return h.svg(viewBox=f"0 0 {_WIDTH} {_BAR}", role="img", aria_label=label)[parts]


def _results(coverage: Coverage) -> Node:
    return html.table(
        ("Result", "Addresses", "What it means"),
        (
            h.tr[
                h.th(".name", scope="row")[h.span({"class": ["swatch", colour]}), name],
                h.td(".number")[words.number(number)],
                h.td[meaning],
            ]
            for name, colour, number, meaning in _shares(coverage)
        ),
        numbers=(1,),
        stacks=False,
    )


def _remarks(coverage: Coverage) -> Node:
    assessment, others = coverage.assessment, len(coverage.assessment.others)
    lines = [_elsewhere(url, number) for url, number in sorted(coverage.elsewhere.items())]
    if coverage.not_whole:
        lines.append(
            words.plural(
                coverage.not_whole,
                "For {number} address, the tables hold fewer entries than its answer counts: some were deleted, or not "
                "loaded.",
                "For {number} addresses, the tables hold fewer entries than their answers count: some were deleted, "
                "or not loaded.",
            )
        )
    if others:
        lines.append(words.other_spellings(others))
    if assessment.is_gong_unnamed:
        lines.append("Some look-ups do not say which Gong they asked. They count.")
    if not assessment.has_zones:
        lines.append(words.NO_ZONES)
    return (h.p(".soft")[html.own_text(line)] for line in lines)


def _elsewhere(url: str, number: int) -> str:
    return words.plural(
        number,
        "Look-ups of {number} address under {url} are not counted here.",
        "Look-ups of {number} addresses under {url} are not counted here.",
        url=url,
    )


def _ages(coverage: Coverage) -> Node:
    """Draw how many answers are of each age, with the numbers as text."""
    ages = dict(zip(_AGES, coverage.ages, strict=True))
    longest = max(ages.values()) or 1
    room = _WIDTH - _LABELS - _NUMBERS
    label = words.joined([f"{name}: {words.number(number)}" for name, number in ages.items()])
    lines = []
    for index, (name, number) in enumerate(ages.items()):
        width = room * number / longest
        middle = index * _LINE + _LINE * 2 // 3
        lines += [
            h.text(".axis", x="0", y=str(middle))[name],
            h.rect(".b1", x=str(_LABELS), y=str(index * _LINE + 4), width=f"{width:.2f}", height=str(_LINE - 8)),
            h.text(x=f"{_LABELS + width + 8:.2f}", y=str(middle))[words.number(number)],
        ]
    return h.svg(viewBox=f"0 0 {_WIDTH} {len(ages) * _LINE}", role="img", aria_label=label)[lines]


@dataclass(frozen=True)
class _Table(Generic[_T]):
    """How some addresses are shown.

    Attributes:
        header: The names of the columns.
        row: Makes a row.
        rest: The sentence about those that are too many for the page, for one and for several.
    """

    header: Sequence[str]
    row: Callable[[_T], Node]
    rest: tuple[str, str]


def _open_row(line: Line) -> Node:
    standing, latest = line.standing, line.standing.latest
    none = "none that counts" if standing.doubts or standing.elsewhere else "never"
    return html.row(
        words.number(line.place),
        html.own_text(standing.address),
        h.span(".tag.open")[words.RESULTS[line.result]],
        html.moment(latest.at) if latest and latest.at else html.nothing(none),
        str(latest.http_status) if latest and latest.http_status else html.nothing(),
        html.identifier(latest.request_id if latest else None),
    )


def _answered_row(line: Line) -> Node:
    later = line.standing.later
    return html.row(
        words.number(line.place),
        html.own_text(line.standing.address),
        words.RESULTS[line.result],
        _moment(line.standing.answer),
        [_moment(later), f" ({words.status(later.status)})"] if later else _moment(line.standing.answer),
    )


def _address_row(address: str) -> Node:
    return html.row(html.own_text(address))


_IN_THE_FILE: Final = ("{number} more is in coverage.csv.", "{number} more are in coverage.csv.")
_NOT_SHOWN: Final = ("{number} more is not shown.", "{number} more are not shown.")
_OPEN: Final = _Table(
    ("Place on the list", "Address", "Result", "Latest look-up", "HTTP status", words.REQUEST_ID),
    _open_row,
    _IN_THE_FILE,
)
_ANSWERED: Final = _Table(
    ("Place on the list", "Address", "Result", "Answered", "Latest look-up"), _answered_row, _IN_THE_FILE
)
_NOT_LISTED: Final = _Table(("Address",), _address_row, _NOT_SHOWN)


def _group(anchor: str, title: str, text: str, members: Sequence[_T], table: _Table[_T]) -> Node:
    """Return a part of the page for some addresses; none if there is none."""
    return html.section(anchor, title, h.p(".soft")[text], _folded(members, table)) if members else None


def _moment(look_up: LookUp | None) -> Node:
    return html.moment(look_up.at) if look_up and look_up.at else html.nothing("never")


def _folded(members: Sequence[_T], table: _Table[_T]) -> Node:
    """Return a table of some addresses: folded if there are many, and cut if there are very many."""
    shown = html.table(table.header, map(table.row, members[:_SHOWN_AT_MOST]))
    if len(members) <= _FOLDED_FROM:
        return shown
    more = len(members) - _SHOWN_AT_MOST
    return h.details(".closed")[
        h.summary[words.plural(len(members), "{number} address", "{number} addresses")],
        shown,
        more > 0 and h.p(".soft")[words.plural(more, *table.rest)],
    ]
