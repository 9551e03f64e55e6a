"""What was loaded, typed; and the one rule which look-up counts."""

from __future__ import annotations

import enum
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report.rows.tables import JSON, STREAMS, Row, Value
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKED_UP_AT, REQUEST_ID, UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

FOUND = "found"
NOT_FOUND = "not_found"
REJECTED = "rejected"
MALFORMED = "malformed"
ANSWERS = frozenset({FOUND, NOT_FOUND})
"""The statuses in which Gong has said what it holds."""


@dataclass(frozen=True)
class LookUp:
    """One row of `lookups`. None is what the row does not say, or what was not loaded.

    Attributes:
        counts: How many records the answer made, by stream.
    """

    address: str
    at: datetime
    status: str
    request_id: str | None
    http_status: int | None
    attempts: int | None
    api_url: str | None
    counts: Mapping[str, int | None]
    undocumented: Mapping[str, JSON]

    @classmethod
    def of(cls, row: Row) -> LookUp:
        """Return the look-up that a row tells of.

        Raises:
            ConfigError: If it does not say when that was.
        """
        at, undocumented = row[LOOKED_UP_AT], row.get(UNDOCUMENTED)
        if not isinstance(at, datetime):
            msg = "A row of lookups has no looked_up_at, so that nothing says which answer counts: load it again."
            raise ConfigError(msg)
        return cls(
            address=str(row[EMAIL_ADDRESS]),
            at=at,
            status=str(row["status"]),
            request_id=_text(row.get(REQUEST_ID)),
            http_status=_integer(row.get("http_status")),
            attempts=_integer(row.get("attempts")),
            api_url=_text(row.get("api_url")),
            counts={stream: _integer(row.get(f"{stream}_count")) for stream in STREAMS},
            undocumented=content_of(undocumented),
        )

    @property
    def is_answer(self) -> bool:
        """Whether Gong has said what it holds."""
        return self.status in ANSWERS

    @property
    def holds_something(self) -> bool:
        """Whether Gong has said that it holds something."""
        return self.status == FOUND


def content_of(value: Value) -> Mapping[str, JSON]:
    """Return the content of `undocumented`. What is no object is kept under the name of the column."""
    if isinstance(value, datetime) or value is None:
        return {}
    return value if isinstance(value, dict) else {UNDOCUMENTED: value}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) else None


@dataclass(frozen=True)
class Loaded:
    """What a database or the tap's output holds.

    Attributes:
        columns: The columns that each table has, by stream. A stream that was not loaded is not in it.
        look_ups: The look-ups of the addresses that were asked for, oldest first; where none were asked for, what is
            left of those of all by `latest_of`.
        rows: The rows of the addresses that were asked for, by stream.
        addresses: Every address of the tables, where no addresses were asked for.
        other_spellings: How many addresses of the tables differ from those asked for in upper and lower case alone.
        are_pseudonyms: Whether the tables hold look-ups, but no e-mail address.
    """

    columns: Mapping[str, AbstractSet[str]]
    look_ups: Sequence[LookUp]
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    addresses: AbstractSet[str] = frozenset()
    other_spellings: int = 0
    are_pseudonyms: bool = False


def latest_of(look_ups: Iterable[LookUp]) -> list[LookUp]:
    """Keep what decides about each address at each Gong: the latest look-up and the latest answer.

    Args:
        look_ups: Any number of look-ups, taken one by one.

    Returns:
        Two look-ups for each address and Gong at most, oldest first.
    """
    latest: dict[tuple[str, str | None, bool], LookUp] = {}
    for look_up in look_ups:
        key = (look_up.address, look_up.api_url, look_up.is_answer)
        if key not in latest or latest[key].at <= look_up.at:
            latest[key] = look_up
    return in_order(latest.values())


def in_order(look_ups: Iterable[LookUp]) -> list[LookUp]:
    """Return look-ups, the oldest first."""
    return sorted(look_ups, key=lambda look_up: look_up.at)


class Result(enum.Enum):
    """What is known about one spelling of an address."""

    DATA_HELD = "data held"
    NOTHING_HELD = "nothing held"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    NEVER_ASKED = "never asked"


@dataclass(frozen=True)
class Standing:
    """What one Gong has said about one address.

    Attributes:
        address: The address, as it was asked.
        api_url: Which Gong; None where no look-up says so.
        answer: The latest look-up that Gong answered; what Gong holds now are the rows of this one.
        latest: The latest look-up, however it ended.
    """

    address: str
    api_url: str | None
    answer: LookUp | None
    latest: LookUp | None

    @property
    def result(self) -> Result:
        """What is known. An outcome that is no answer never hides an earlier answer."""
        if self.answer:
            return Result.DATA_HELD if self.answer.holds_something else Result.NOTHING_HELD
        if self.latest is None or self.latest.status == MALFORMED:
            return Result.NEVER_ASKED
        return Result.REFUSED if self.latest.status == REJECTED else Result.NO_ANSWER

    @property
    def later(self) -> LookUp | None:
        """The latest look-up, where it is no answer and came after the answer."""
        return self.latest if self.answer and self.latest is not self.answer else None


def standings(addresses: Iterable[str], look_ups: Iterable[LookUp]) -> list[Standing]:
    """Say which look-ups count: the latest answer and the latest outcome, for each address and each Gong.

    Look-ups that do not say which Gong they asked, as in tables of earlier versions, count for the only Gong; where
    there are several, they stand for one more that is unknown.

    Args:
        addresses: The addresses that were asked for.
        look_ups: The look-ups, oldest first.

    Returns:
        For each address one standing for each Gong that was asked about any of the addresses; at least one.
    """
    by_address: dict[str, list[LookUp]] = defaultdict(list)
    for look_up in look_ups:
        by_address[look_up.address].append(look_up)
    wanted = list(addresses)
    urls = dict.fromkeys(look_up.api_url for address in wanted for look_up in by_address[address])
    known = [url for url in urls if url is not None]
    if len(known) <= 1:
        only = known[0] if known else None
        return [_standing(address, only, by_address[address]) for address in wanted]
    found = [
        _standing(address, url, [look_up for look_up in by_address[address] if look_up.api_url == url])
        for address in wanted
        for url in urls
    ]
    # Nobody can be said not to have been asked at a Gong that is not known.
    return [standing for standing in found if standing.api_url or standing.latest]


def _standing(address: str, api_url: str | None, look_ups: list[LookUp]) -> Standing:
    answers = [look_up for look_up in look_ups if look_up.is_answer]
    return Standing(address, api_url, answers[-1] if answers else None, look_ups[-1] if look_ups else None)
