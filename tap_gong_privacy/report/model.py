"""What is known about an address at one Gong: the one rule by which all three reports judge the same rows."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.base_url import normalized
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report.look_ups import REJECTED, Doubt, LookUp
from tap_gong_privacy.report.rows.tables import MALFORMED, spelling
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKUPS, REQUEST_ID, UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from tap_gong_privacy.report.rows.tables import Group, Loaded

# The clocks of two machines may differ by as much.
_TOLERANCE: Final = timedelta(minutes=5)
_NAMED_AT_MOST: Final = 10


class Result(enum.Enum):
    """What is known about an address. The value is its name in every report."""

    DATA_HELD = "data held"
    NOTHING_HELD = "nothing held"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    MALFORMED = "malformed"
    NEVER_ASKED = "never asked"


ANSWERED: Final = frozenset({Result.DATA_HELD, Result.NOTHING_HELD})
"""The results that rest on an answer of Gong's."""
_REASONS: Final = {
    Result.REFUSED: "refused by Gong, so nothing is known. Ask Gong's support, with the request id.",
    Result.NO_ANSWER: "no answer that counts. Look up again, and load the result.",
    Result.MALFORMED: "not an e-mail address, so not asked. Correct the entry on the tap's list.",
    Result.NEVER_ASKED: (
        "never asked. Add to the tap's list exactly what is written here, run the tap, and load the result."
    ),
}
ASKED_ELSEWHERE: Final = (
    "looked up under another api_url only. If that is the same Gong, name it with --api-url; otherwise look up at this "
    "Gong, and load the result."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about one address at the Gong of the report.

    Attributes:
        address: The address, as it was asked about.
        look_ups: Its look-ups at this Gong, oldest first; those without a time are left out.
        sound: The answers that nothing contradicts, oldest first.
        answer: The latest answer; what Gong holds now are the rows of this one. None if it is in doubt.
        latest: The latest look-up, however it ended, apart from those in doubt.
        elsewhere: The look-ups under other base URLs, which do not count.
        loaded: How many rows of the answer are in the tables, by stream.
        doubts: The contradictions, each once, with the latest time at which it occurs; None if that is not known.
        is_malformed: Whether it is not an e-mail address, so that the tap does not ask about it.
    """

    address: str
    look_ups: Sequence[LookUp]
    sound: Sequence[LookUp]
    answer: LookUp | None
    latest: LookUp | None
    elsewhere: Sequence[LookUp]
    loaded: Mapping[str, int]
    doubts: Mapping[Doubt, datetime | None]
    is_malformed: bool = False

    def is_doubtful(self, since: datetime | None) -> bool:
        """Return whether something contradicts the rows from a time on, or at a time that is not known."""
        return any(at is None or since is None or at >= since for at in self.doubts.values())

    @property
    def result(self) -> Result:
        """What is known. No answer that is contradicted ever means that nothing is held."""
        if self.answer:
            if self.answer.holds_something:
                return Result.DATA_HELD
            return Result.NO_ANSWER if self.is_doubtful(self.answer.at) else Result.NOTHING_HELD
        if self.latest is None:
            unasked = Result.MALFORMED if self.is_malformed else Result.NEVER_ASKED
            return Result.NO_ANSWER if self.doubts else unasked
        return {REJECTED: Result.REFUSED, MALFORMED: Result.MALFORMED}.get(self.latest.status or "", Result.NO_ANSWER)

    @property
    def is_certain(self) -> bool:
        """Whether there is an answer, and nothing that is as new contradicts it."""
        return self.result in ANSWERED and self.answer is not None and not self.is_doubtful(self.answer.at)

    @property
    def held_elsewhere(self) -> Sequence[LookUp]:
        """The latest answer under each other base URL, if it found data, oldest first."""
        latest = {one.api_url: one for one in self.elsewhere if one.is_answer and one.doubt is None}
        return sorted((one for one in latest.values() if one.holds_something), key=_time_of)

    @property
    def later(self) -> LookUp | None:
        """The latest look-up, if it brought no answer and came after the answer."""
        return self.latest if self.result in ANSWERED and self.latest is not self.answer else None

    @property
    def is_elsewhere_only(self) -> bool:
        """Whether every look-up of the address was made under other base URLs."""
        return self.result is Result.NEVER_ASKED and bool(self.elsewhere)

    @property
    def is_deleted_or_not_loaded(self) -> bool:
        """Whether the answer found something of which nothing is in the tables."""
        answer = self.answer
        if answer is None or not answer.holds_something or any(self.loaded.values()):
            return False
        return any(answer.counts.values()) or answer.is_traceless

    @property
    def is_whole(self) -> bool:
        """Whether the tables hold no fewer rows than the answer counts, of each stream."""
        return self.answer is None or all(
            self.loaded.get(stream, 0) >= (count or 0) for stream, count in self.answer.counts.items()
        )

    @property
    def reasons(self) -> Iterator[str]:
        """Why a report about the address is not complete, and what to do."""
        if self.is_elsewhere_only:
            yield ASKED_ELSEWHERE
        elif self.result in _REASONS:
            yield _REASONS[self.result]
        yield from self.doubtful

    @property
    def doubtful(self) -> Iterator[str]:
        """The contradictions, and what to do about each."""
        for doubt, at in self.doubts.items():
            is_older = self.answer and self.answer.at and at and at < self.answer.at
            yield f"{_OLDER} {doubt.value}" if is_older else doubt.value


_OLDER: Final = "among rows that are older than the answer,"


@dataclass(frozen=True)
class Assessment:
    """What is known about all addresses of a report.

    Attributes:
        standings: That of each address, in their order.
        api_urls: The base URLs of the Gong that the report is about; none if no look-up names one.
        is_gong_unnamed: Whether a look-up that counts does not say which Gong it asked.
        missing: The columns of `lookups` that were not loaded and without which evidence lacks something.
        has_nameless: Whether a row of `lookups` has no address.
        others: What is known about other spellings of the addresses in the tables.
        are_pseudonyms: Whether the newest look-ups are about pseudonyms, and the report is about an address.
        has_zones: Whether the tables store times with a time zone.
        made_at: When the report was made.
    """

    standings: Sequence[Standing]
    api_urls: Sequence[str]
    is_gong_unnamed: bool
    missing: Sequence[str]
    has_nameless: bool
    others: Sequence[Standing]
    are_pseudonyms: bool
    has_zones: bool
    made_at: datetime

    @property
    def elsewhere(self) -> Mapping[str, int]:
        """How many look-ups there are under other base URLs, which do not count."""
        return Counter(one.api_url or "" for standing in self.standings for one in standing.elsewhere)

    @property
    def others_with_data(self) -> int:
        """The number of other spellings for which data is held, or for which rows do not exclude it."""
        return sum(one.result is Result.DATA_HELD or bool(one.doubts or one.held_elsewhere) for one in self.others)

    @property
    def general_reasons(self) -> list[str]:
        """Why a report is not complete, whatever its addresses."""
        return [*([PSEUDONYMS] if self.are_pseudonyms else []), *([_NAMELESS] if self.has_nameless else [])]

    @property
    def reasons(self) -> Iterator[tuple[int, str]]:
        """Why a report is not complete: the place of an address, counted from 1, and what to do."""
        return ((place, reason) for place, standing in enumerate(self.standings, 1) for reason in standing.reasons)


_NAMELESS: Final = (
    "A row of lookups has no email_address, so it could be about anybody. Load the column as the tap gives it."
)
# The columns of `lookups` besides counts and the HTTP status, which the look-ups themselves miss.
_OF_EVIDENCE: Final = (REQUEST_ID, UNDOCUMENTED)
PSEUDONYMS: Final = (
    "The newest look-ups of the tables are about pseudonyms, not e-mail addresses. Give the pseudonym of each address "
    "as an argument of the command, in place of the address."
)


def lines(reasons: Iterable[tuple[int, str]], total: int) -> list[str]:
    """Say why a report is not complete, one line for each reason, with the places of the addresses.

    Args:
        reasons: The place of an address, counted from 1, and what to do.
        total: How many addresses the report is about.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, reason in reasons:
        places[reason].append(place)
    return [f"{_named(found)} of {total:,}: {reason}" for reason, found in places.items()]


def _named(places: Sequence[int]) -> str:
    named = [f"{place:,}" for place in places[:_NAMED_AT_MOST]]
    if len(places) == 1:
        return f"Address {named[0]}"
    more = len(places) - len(named)
    *first, last = [*named, *([f"{more:,} more"] if more else [])]
    return f"Addresses {', '.join(first)} and {last}"


def assess(
    addresses: Sequence[str],
    loaded: Loaded,
    api_urls: Collection[str],
    now: datetime,
    malformed: Collection[str] = (),
) -> Assessment:
    """Judge what was loaded about some addresses.

    Args:
        addresses: The addresses that the report is about.
        loaded: The rows.
        api_urls: The base URLs of the Gong that the report is about; none if that is not said.
        now: When the report is made.
        malformed: Those of the addresses that are not e-mail addresses, so that the tap does not ask about them.

    Raises:
        ConfigError: If it is not said which Gong is meant, and the look-ups name several.
    """
    look_ups: defaultdict[str, list[LookUp]] = defaultdict(list)
    for row in loaded.look_ups:
        if row[EMAIL_ADDRESS] is not None:
            look_up = LookUp.of(row)
            look_ups[look_up.address].append(look_up)
    groups: defaultdict[str, list[Group]] = defaultdict(list)
    for group in loaded.groups:
        groups[group.address].append(group)
    wanted = dict.fromkeys(addresses)
    gong = _one_gong((one for address in wanted for one in look_ups.get(address, ())), api_urls)

    def standing_of(address: str) -> Standing:
        found = _standing(address, look_ups.get(address, ()), groups.get(address, ()), gong, loaded.shared, now)
        return replace(found, is_malformed=True) if address in malformed else found

    spellings = {spelling(address) for address in wanted}
    present = sorted((loaded.asked | loaded.with_data) - wanted.keys())
    standings = [standing_of(address) for address in addresses]
    return Assessment(
        standings=standings,
        api_urls=sorted(gong),
        is_gong_unnamed=any(one.api_url is None for standing in standings for one in standing.look_ups),
        others=[standing_of(address) for address in present if spelling(address) in spellings],
        missing=[column for column in _OF_EVIDENCE if column not in loaded.columns[LOOKUPS]],
        has_nameless=loaded.has_nameless,
        are_pseudonyms="@" not in (loaded.newest or "@") and any("@" in address for address in wanted),
        has_zones=loaded.has_zones,
        made_at=now,
    )


def _one_gong(look_ups: Iterable[LookUp], api_urls: Collection[str]) -> frozenset[str]:
    """Return the base URLs of the one Gong that the report is about."""
    if api_urls:
        return frozenset(map(normalized, api_urls))
    known = {look_up.api_url for look_up in look_ups if look_up.api_url}
    if len(known) > 1:
        msg = (
            f"The look-ups name several base URLs: {' '.join(sorted(known))}. Give --api-url with the one that is "
            "meant, or once for each of them if they are the same Gong."
        )
        raise ConfigError(msg)
    return frozenset(known)


def _standing(
    address: str,
    look_ups: Sequence[LookUp],
    groups: Sequence[Group],
    gong: AbstractSet[str],
    shared: AbstractSet[str],
    now: datetime,
) -> Standing:
    here = [one for one in look_ups if one.api_url in {None, *gong}]
    dated = sorted((one for one in here if one.at), key=_order)
    history = _History()
    if len(dated) < len(here):
        history.doubts[Doubt.NO_TIME] = None
    for at, same_time in groupby(dated, key=_time_of):
        if at > now + _TOLERANCE:
            history.doubts[Doubt.FUTURE] = None
        else:
            history.take(at, list(same_time), shared)
    rows = history.compare(groups)
    return Standing(
        address=address,
        look_ups=dated,
        sound=history.sound,
        answer=history.answer,
        latest=history.latest,
        elsewhere=sorted(
            (one for one in look_ups if one.api_url not in {None, *gong} and one.at and one.at <= now + _TOLERANCE),
            key=_order,
        ),
        loaded=rows,
        doubts=history.doubts,
    )


def _time_of(look_up: LookUp) -> datetime:
    assert look_up.at  # noqa: S101  those without a time are left out
    return look_up.at


def _order(look_up: LookUp) -> tuple[datetime, bool, str]:
    """Sort by time, and of one moment what found something last, so that the order of rows decides nothing."""
    return _time_of(look_up), look_up.holds_something, look_up.status or ""


@dataclass
class _History:
    """What some of the look-ups of an address say, taken from the oldest on. The attributes are those of `Standing`."""

    sound: list[LookUp] = field(default_factory=list)
    answer: LookUp | None = None
    latest: LookUp | None = None
    doubts: dict[Doubt, datetime | None] = field(default_factory=dict)

    def take(self, at: datetime, look_ups: Sequence[LookUp], shared: AbstractSet[str]) -> None:
        """Take the look-ups of one moment; there is only one, save in tables without a key."""
        self.doubts |= {doubt: at for one in look_ups if (doubt := one.doubt)}
        certain = [one for one in look_ups if one.doubt is None]
        self.latest = certain[-1] if certain else self.latest
        answers = [one for one in look_ups if one.is_answer]
        if any(one.differs_from(answers[0]) for one in answers):
            self.doubts[Doubt.TWO_ANSWERS] = at
            self.answer = None
        elif any(one.request_id in shared for one in answers):
            self.doubts[Doubt.SHARED] = at
            self.answer = None
        elif answers and all(one.doubt is None for one in answers):
            self.answer = self.latest = answers[0]
            self.sound.append(self.answer)

    def compare(self, groups: Sequence[Group]) -> Mapping[str, int]:
        """Compare with the rows of the five streams, and return how many the answer has there, by stream."""
        unexplained = [group.at for group in groups if not group.is_explained]
        if unexplained:
            self.doubts[Doubt.UNEXPLAINED] = None if None in unexplained else max(at for at in unexplained if at)
        if self.answer is None:
            return {}
        times = {self.answer.at, None}
        rows = {group.stream: group.rows for group in groups if group.is_explained and group.at in times}
        counts = self.answer.counts
        if any(number > count for stream, number in rows.items() if (count := counts[stream]) is not None):
            self.doubts[Doubt.TOO_MANY] = self.answer.at
        return rows
