"""Whether everyone on the list was asked: when, with which outcome, and who never."""

from __future__ import annotations

import csv
import enum
import io
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.report.gaps import Gap, Reason
from tap_gong_privacy.report.model import FOUND, MALFORMED, NOT_FOUND, REJECTED, Loaded, LookUp
from tap_gong_privacy.report.rows.tables import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_gong_privacy.report.listing import Listing
    from tap_gong_privacy.round.addresses import Entry

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
AGES: Final = (timedelta(days=1), timedelta(days=7), timedelta(days=30), timedelta(days=90), timedelta(days=365))
"""The upper ends of the groups in which the ages of answers are counted; the last group has none."""


class Outcome(enum.Enum):
    """What the list knows about one of its addresses."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    FAILED = "failed"
    MALFORMED = "malformed"
    NEVER_ASKED = "never asked"


ANSWERED: Final = (Outcome.FOUND, Outcome.NOT_FOUND)
_REASONS: Final = {
    Outcome.NEVER_ASKED: Reason.NEVER_ASKED,
    Outcome.REJECTED: Reason.REFUSED,
    Outcome.FAILED: Reason.NO_ANSWER,
    Outcome.MALFORMED: Reason.MALFORMED,
}


@dataclass(frozen=True)
class Line:
    """One address of the list.

    Attributes:
        place: Its place, counted from 1.
        address: The address.
        answer: The latest answer of the Gong that the tap is set up for.
        latest: The latest look-up there, however it ended.
        is_malformed: Whether the entry is no address.
        is_elsewhere: Whether it was looked up at another Gong, which counts for nothing here.
    """

    place: int
    address: str
    answer: LookUp | None
    latest: LookUp | None
    is_malformed: bool
    is_elsewhere: bool

    @property
    def outcome(self) -> Outcome:
        """The latest answer, else the latest outcome."""
        if self.answer:
            return Outcome.FOUND if self.answer.holds_something else Outcome.NOT_FOUND
        if self.is_malformed or (self.latest and self.latest.status == MALFORMED):
            return Outcome.MALFORMED
        if self.latest is None:
            return Outcome.NEVER_ASKED
        return Outcome.REJECTED if self.latest.status == REJECTED else Outcome.FAILED


@dataclass(frozen=True)
class Coverage:
    """All that the page says.

    Attributes:
        lines: The list, in its order.
        api_url: The Gong that the tap is set up for.
        no_longer_listed: The addresses of the tables that are not on the list.
        not_loaded: The streams that were not loaded.
        are_pseudonyms: Whether an address is not known since the tables hold pseudonyms.
        made_at: When the page was made.
    """

    lines: Sequence[Line]
    api_url: str
    no_longer_listed: Sequence[str]
    not_loaded: Sequence[str]
    are_pseudonyms: bool
    made_at: datetime

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """How many addresses have each outcome."""
        counts = Counter(line.outcome for line in self.lines)
        return {outcome: counts[outcome] for outcome in Outcome}

    @property
    def answered(self) -> int:
        """How many addresses have an answer."""
        return sum(self.outcomes[outcome] for outcome in ANSWERED)

    @property
    def ages(self) -> Sequence[int]:
        """How many answers are of each age: one number more than `AGES` has."""
        counts = [0] * (len(AGES) + 1)
        for line in self.lines:
            if line.answer:
                age = self.made_at - line.answer.at
                counts[next((index for index, end in enumerate(AGES) if age <= end), len(AGES))] += 1
        return counts

    @property
    def gaps(self) -> list[Gap]:
        """The outcomes that are no answer, each with its addresses."""
        places: dict[Reason, list[int]] = defaultdict(list)
        for line in self.lines:
            if line.outcome is Outcome.NEVER_ASKED and line.is_elsewhere:
                places[Reason.ASKED_ELSEWHERE].append(line.place)
            elif line.outcome in _REASONS:
                places[_REASONS[line.outcome]].append(line.place)
        return [Gap(reason, tuple(places[reason]), len(self.lines)) for reason in Reason if places[reason]]


def survey(listing: Listing, loaded: Loaded, made_at: datetime) -> Coverage:
    """Compare the list with the look-ups.

    Args:
        listing: The tap's list.
        loaded: The look-ups of all addresses.
        made_at: When the page is made.

    Returns:
        The comparison.
    """
    by_address: dict[str, list[LookUp]] = defaultdict(list)
    for look_up in loaded.look_ups:
        by_address[look_up.address].append(look_up)
    own = _normal(listing.api_url)
    lines = [_line(place, entry, by_address.get(entry.text, []), own) for place, entry in enumerate(listing.entries, 1)]
    listed = {entry.text for entry in listing.entries}
    return Coverage(
        lines=lines,
        api_url=listing.api_url,
        no_longer_listed=sorted(loaded.addresses - listed),
        not_loaded=[stream for stream in STREAMS if stream not in loaded.columns],
        are_pseudonyms=loaded.are_pseudonyms and any(line.outcome is Outcome.NEVER_ASKED for line in lines),
        made_at=made_at,
    )


def _line(place: int, entry: Entry, look_ups: Sequence[LookUp], own: str) -> Line:
    # A look-up of an earlier version does not say which Gong it asked: it counts only if no other is known.
    known = {_normal(look_up.api_url) for look_up in look_ups if look_up.api_url}
    counting = {own} if known - {own} else {own, None}
    here = [look_up for look_up in look_ups if (look_up.api_url and _normal(look_up.api_url)) in counting]
    answers = [look_up for look_up in here if look_up.status in {FOUND, NOT_FOUND}]
    return Line(
        place=place,
        address=entry.text,
        answer=answers[-1] if answers else None,
        latest=here[-1] if here else None,
        is_malformed=entry.is_malformed,
        is_elsewhere=len(here) < len(look_ups),
    )


def _normal(api_url: str) -> str:
    """Return a base URL as the tap writes it: scheme and host in lower case, no slash at the end."""
    scheme, separator, rest = api_url.strip().rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path}"


HEADER: Final = (
    "place",
    "email_address",
    "outcome",
    "answered_at",
    "latest_outcome",
    "latest_at",
    "http_status",
    "request_id",
    "attempts",
    "api_url",
)


def as_csv(coverage: Coverage) -> bytes:
    """Return one row for each address of the list; no cell can start a formula in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows([_cell(value) for value in _row(line)] for line in coverage.lines)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _row(line: Line) -> Sequence[object]:
    latest = line.latest
    return (
        line.place,
        line.address,
        line.outcome.value,
        line.answer and line.answer.at,
        latest.status if latest else Outcome.MALFORMED.value if line.is_malformed else Outcome.NEVER_ASKED.value,
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
    return f"'{text}" if text.startswith(_FORMULA) else text
