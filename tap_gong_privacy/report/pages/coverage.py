"""The page about the tap's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import htpy as h

from tap_gong_privacy.report.coverage import ANSWERED, Coverage, Line, Outcome
from tap_gong_privacy.report.pages import html, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gong_privacy.report.model import LookUp
    from tap_gong_privacy.report.pages.html import Node

_WIDTH: Final = 420
_BAR: Final = 20
_LINE: Final = 22
_LABELS: Final = 110
_NUMBERS: Final = 50
_COLOURS: Final = {outcome: f"b{number}" for number, outcome in enumerate(Outcome, 1)}
_FOLDED_FROM: Final = 100


def page(coverage: Coverage) -> Iterator[bytes]:
    """Return the page, part by part."""
    total = len(coverage.lines)
    open_lines = [line for line in coverage.lines if line.outcome not in ANSWERED]
    return html.page(
        f"{texts.COVERAGE_KICKER}: {texts.coverage_title(coverage.answered, total)}",
        html.head(
            texts.COVERAGE_KICKER,
            texts.coverage_title(coverage.answered, total),
            h.p(".lead")[texts.coverage_lead(coverage.answered, total)],
            html.facts(**{texts.GONG: html.own_text(coverage.api_url), texts.MADE: html.moment(coverage.made_at)}),
        ),
        coverage.are_pseudonyms and h.aside(".alert")[h.p[texts.NOT_COMPLETE], h.p[texts.PSEUDONYMS]],
        html.section("outcomes", texts.OUTCOMES_TITLE, _bar(coverage), _outcomes(coverage), _remarks(coverage)),
        html.section("ages", texts.AGES_TITLE, _ages(coverage)),
        html.section("open", texts.OPEN_TITLE, _open(open_lines)),
        _later(coverage),
        coverage.no_longer_listed
        and html.section(
            "no-longer",
            texts.NO_LONGER_TITLE,
            h.p(".soft")[texts.NO_LONGER_TEXT],
            _folded(
                len(coverage.no_longer_listed),
                html.table((texts.SPELLING,), (html.row(html.own_text(text)) for text in coverage.no_longer_listed)),
            ),
        ),
    )


def _bar(coverage: Coverage) -> Node:
    """Draw the shares of the outcomes as one bar."""
    total = len(coverage.lines) or 1
    outcomes = {outcome: count for outcome, count in coverage.outcomes.items() if count}
    label = texts.joined([f"{texts.OUTCOMES[outcome]}: {texts.number(count)}" for outcome, count in outcomes.items()])
    parts = []
    left = 0.0
    for outcome, count in outcomes.items():
        width = _WIDTH * count / total
        # A sliver can still be seen.
        shown = max(width - 2, 1.5)
        parts.append(
            h.rect({"class": _COLOURS[outcome]}, x=f"{left:.2f}", y="0", width=f"{shown:.2f}", height=str(_BAR))
        )
        left += width
    return h.svg(viewBox=f"0 0 {_WIDTH} {_BAR}", role="img", aria_label=label)[parts]


def _outcomes(coverage: Coverage) -> Node:
    return html.table(
        (texts.OUTCOME, texts.ADDRESSES, texts.MEANING),
        (
            h.tr[
                h.th(scope="row")[h.span({"class": ["swatch", _COLOURS[outcome]]}), texts.OUTCOMES[outcome]],
                h.td(".number")[texts.number(count)],
                h.td[texts.OUTCOME_MEANINGS[outcome]],
            ]
            for outcome, count in coverage.outcomes.items()
        ),
        numbers=(1,),
        stacks=False,
    )


def _remarks(coverage: Coverage) -> Node:
    elsewhere = sum(line.is_elsewhere for line in coverage.lines)
    lines = [
        *([texts.elsewhere(elsewhere, coverage.api_url)] if elsewhere else []),
        *([texts.streams_not_loaded(coverage.not_loaded)] if coverage.not_loaded else []),
    ]
    return (h.p(".soft")[html.own_text(line)] for line in lines)


def _ages(coverage: Coverage) -> Node:
    """Draw how many answers are of each age, with the numbers as text."""
    longest = max(coverage.ages) or 1
    room = _WIDTH - _LABELS - _NUMBERS
    label = texts.joined(
        [f"{name}: {texts.number(count)}" for name, count in zip(texts.AGES, coverage.ages, strict=True)]
    )
    lines = []
    for index, (name, count) in enumerate(zip(texts.AGES, coverage.ages, strict=True)):
        width = room * count / longest
        middle = index * _LINE + _LINE * 2 // 3
        lines += [
            h.text(".axis", x="0", y=str(middle))[name],
            h.rect(".b1", x=str(_LABELS), y=str(index * _LINE + 4), width=f"{width:.2f}", height=str(_LINE - 8)),
            h.text(x=f"{_LABELS + width + 8:.2f}", y=str(middle))[texts.number(count)],
        ]
    return h.svg(viewBox=f"0 0 {_WIDTH} {len(coverage.ages) * _LINE}", role="img", aria_label=label)[lines]


def _open(lines: Sequence[Line]) -> Node:
    if not lines:
        return h.p[texts.OPEN_NONE]
    header = (texts.PLACE, texts.SPELLING, texts.OUTCOME, texts.LATEST, texts.HTTP_STATUS, texts.REQUEST_ID)
    return _folded(len(lines), html.table(header, (_line(line) for line in lines)))


def _line(line: Line) -> h.Element:
    latest = line.latest
    return html.row(
        texts.number(line.place),
        html.own_text(line.address),
        h.span(".tag.open")[texts.OUTCOMES[line.outcome]],
        _moment(latest),
        str(latest.http_status) if latest and latest.http_status else html.nothing(),
        html.identifier(latest.request_id if latest else None),
    )


def _later(coverage: Coverage) -> Node:
    lines = [line for line in coverage.lines if line.answer and line.latest is not line.answer]
    if not lines:
        return None
    header = (texts.PLACE, texts.SPELLING, texts.OUTCOME, texts.ANSWERED, texts.LATEST)
    rows = (
        html.row(
            texts.number(line.place),
            html.own_text(line.address),
            texts.OUTCOMES[line.outcome],
            _moment(line.answer),
            [_moment(line.latest), f" ({texts.status(line.latest.status)})" if line.latest else None],
        )
        for line in lines
    )
    return html.section(
        "later", texts.LATER_TITLE, h.p(".soft")[texts.LATER_TEXT], _folded(len(lines), html.table(header, rows))
    )


def _moment(look_up: LookUp | None) -> Node:
    return html.moment(look_up.at) if look_up else html.nothing(texts.NEVER)


def _folded(number: int, content: Node) -> Node:
    if number <= _FOLDED_FROM:
        return content
    return h.details[h.summary[texts.count(number, "address", "addresses")], content]
