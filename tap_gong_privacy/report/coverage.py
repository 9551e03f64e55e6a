"""Whether everyone on the list was asked: when, with which result, and who never."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.report.model import ANSWERED, Assessment, Result, Standing, assess, lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_gong_privacy.report.listing import Listing
    from tap_gong_privacy.report.rows.tables import Loaded

TOO_OLD: Final = "answer too old"
ELSEWHERE: Final = "looked up under another api_url only"
_TOO_OLD: Final = "the answer is older than --not-older-than allows. Look up again, and load the result."
AGES: Final = (timedelta(days=1), timedelta(days=7), timedelta(days=30), timedelta(days=90), timedelta(days=365))
"""The upper ends of the groups in which the ages of answers are counted; the last group has none."""
# A spreadsheet may split a cell at these, and trim what no reader sees. Full-width signs start a formula, too.
_FORMULA: Final = re.compile('(?:^|[;,\t|\r\n])[ "\u00a0\u200b\ufeff]*(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])')
_SEPARATOR: Final = re.compile("[;,\t|\r\n]")
_BEGINS_AS_FORMULA: Final = ("\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Line:
    """One address of the list.

    Attributes:
        place: Its place, counted from 1.
        standing: What is known about it.
        is_too_old: Whether its answer is older than is allowed.
    """

    place: int
    standing: Standing
    is_too_old: bool

    @property
    def result(self) -> Result:
        """What is known."""
        return self.standing.result

    @property
    def answered_at(self) -> datetime | None:
        """When the answer came; None if there is no answer that counts."""
        return self.standing.answer.at if self.standing.answer and self.result in ANSWERED else None

    @property
    def remark(self) -> str | None:
        """What the result does not say."""
        remarks = {
            TOO_OLD: self.is_too_old,
            ELSEWHERE: self.standing.is_elsewhere_only,
            "a later look-up brought no answer": self.standing.later is not None,
            "entries are missing": not self.standing.is_whole,
        }
        return "; ".join(remark for remark, applies in remarks.items() if applies) or None

    @property
    def is_answered(self) -> bool:
        """Whether it has an answer that is not too old."""
        return self.result in ANSWERED and not self.is_too_old


@dataclass(frozen=True)
class Coverage:
    """All that the report says.

    Attributes:
        assessment: What is known about each address of the list.
        lines: The list, in its order.
        not_listed: The addresses of the tables that are not on the list, with rows of data.
        evidence_only: Those that are not on the list, with look-ups alone.
        oldest_allowed: How old an answer may be; None for any age.
    """

    assessment: Assessment
    lines: Sequence[Line]
    not_listed: Sequence[str]
    evidence_only: Sequence[str]
    oldest_allowed: timedelta | None

    @cached_property
    def results(self) -> Mapping[Result, int]:
        """How many addresses have each result, without those whose answer is too old."""
        counts = Counter(line.result for line in self.lines if not line.is_too_old)
        return {result: counts[result] for result in Result}

    @cached_property
    def too_old(self) -> int:
        """How many answers are too old."""
        return sum(line.is_too_old for line in self.lines)

    @cached_property
    def answered(self) -> int:
        """How many addresses have an answer that is not too old."""
        return sum(line.is_answered for line in self.lines)

    @cached_property
    def not_whole(self) -> int:
        """How many addresses have fewer rows than their answer counts."""
        return sum(not line.standing.is_whole for line in self.lines)

    @cached_property
    def elsewhere(self) -> Mapping[str, int]:
        """How many addresses were looked up under other base URLs, which do not count."""
        return Counter(url for line in self.lines for url in {one.api_url or "" for one in line.standing.elsewhere})

    @cached_property
    def answered_at(self) -> list[datetime]:
        """When the answers came, too old ones included."""
        return [at for line in self.lines if line.result in ANSWERED and (at := line.answered_at)]

    @property
    def ages(self) -> Sequence[int]:
        """How many answers are of each age: one number more than `AGES` has."""
        counts = [0] * (len(AGES) + 1)
        for at in self.answered_at:
            age = self.assessment.made_at - at
            counts[next((index for index, end in enumerate(AGES) if age <= end), len(AGES))] += 1
        return counts

    @cached_property
    def gaps(self) -> list[str]:
        """Why the list is not covered, one line for each reason."""
        empty = [] if self.lines else ["The tap's list holds no address, so nobody is asked."]
        return [*empty, *self.assessment.general_reasons, *lines(self._reasons(), len(self.lines))]

    @cached_property
    def doubts(self) -> list[str]:
        """The contradictions, one line for each."""
        doubts = ((line.place, reason) for line in self.lines for reason in line.standing.doubtful)
        return [*self.assessment.general_reasons, *lines(doubts, len(self.lines))]

    def _reasons(self) -> Iterator[tuple[int, str]]:
        for line in self.lines:
            if line.is_too_old:
                yield line.place, _TOO_OLD
            yield from ((line.place, reason) for reason in line.standing.reasons)


def survey(
    listing: Listing, loaded: Loaded, api_urls: Collection[str], now: datetime, oldest_allowed: timedelta | None = None
) -> Coverage:
    """Compare the list with the look-ups.

    Args:
        listing: The tap's list.
        loaded: The look-ups of all addresses.
        api_urls: Other base URLs of the Gong that the tap asks.
        now: When the report is made.
        oldest_allowed: How old an answer may be; None for any age.

    Returns:
        The comparison.
    """
    listed = {entry.text for entry in listing.entries}
    malformed = {entry.text for entry in listing.entries if entry.is_malformed}
    addresses = [entry.text for entry in listing.entries]
    assessment = assess(addresses, loaded, {listing.api_url, *api_urls}, now, malformed)
    return Coverage(
        assessment=assessment,
        lines=[
            Line(place, standing, _is_too_old(standing, now, oldest_allowed))
            for place, standing in enumerate(assessment.standings, 1)
        ],
        not_listed=sorted(loaded.with_data - listed),
        evidence_only=sorted(loaded.asked - loaded.with_data - listed),
        oldest_allowed=oldest_allowed,
    )


def _is_too_old(standing: Standing, now: datetime, oldest_allowed: timedelta | None) -> bool:
    at = standing.answer.at if standing.answer and standing.result in ANSWERED else None
    return oldest_allowed is not None and at is not None and now - at > oldest_allowed


HEADER: Final = (
    "place",
    "email_address",
    "result",
    "answered_at",
    "remark",
    "latest_status",
    "latest_at",
    "http_status",
    "request_id",
    "attempts",
    "api_url",
)


def as_csv(coverage: Coverage) -> bytes:
    """Return one row for each address of the list, in UTF-8 with a BOM. No cell can start a formula anywhere."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows([_cell(value) for value in _row(line)] for line in coverage.lines)
    return text.getvalue().encode("utf-8-sig", "backslashreplace")


def _row(line: Line) -> Sequence[object]:
    latest = line.standing.latest
    return (
        line.place,
        line.standing.address,
        line.result.value,
        line.answered_at,
        line.remark,
        latest and latest.status,
        latest and latest.at,
        latest and latest.http_status,
        latest and latest.request_id,
        latest and latest.attempts,
        latest and latest.api_url,
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value)
    if text[:1].isalnum() and not _SEPARATOR.search(text):  # the usual case, and much faster
        return text
    text = _FORMULA.sub(r"\g<0>'", text)
    return f"'{text}" if text.startswith(_BEGINS_AS_FORMULA) else text
