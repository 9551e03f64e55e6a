"""The answer for a person: what their company holds about them in Gong, under all their spellings."""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from tap_gong_privacy.report.look_ups import Doubt, content_of, masked
from tap_gong_privacy.report.model import ANSWERED, Assessment, Result, Standing, lines
from tap_gong_privacy.report.notice import SHOWN_IF_NOTHING, Notice
from tap_gong_privacy.report.request import Request, made_by
from tap_gong_privacy.report.rows.tables import KEYS, STREAMS, TABLES, Loaded, Row, Unreadable
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKED_UP_AT, LOOKUPS, REQUEST_ID, UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_gong_privacy.gong.json_text import JSON
    from tap_gong_privacy.report.rows.masking import Masker

FOUND_UNDER: Final = "found_under"
_TIMES: Final = {"emails": "sent_time", "customer_engagement": "timestamp"}
# Gong's number of a meeting ends with the time at which it begins, if it comes from a calendar.
_TIME_OF_MEETING: Final = re.compile(r"_(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)\Z")
# The columns that two look-ups of one entry have apart.
_OF_A_LOOK_UP: Final = (EMAIL_ADDRESS, LOOKED_UP_AT, REQUEST_ID)
# The columns of a stream that no entry on the page has: the key of an event is the tap's own.
_NOT_SHOWN: Final = frozenset({REQUEST_ID, "event_hash"})
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_LATER: Final = (
    "a later look-up brought no answer, so the answer may be out of date. Look up again, and load the result, or "
    "accept it with --accept-incomplete."
)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Shortfall:
    """An address for which the tables do not hold what its answer counts.

    Attributes:
        place: The place of the address, counted from 1.
        address: The address.
        counted: How many entries the answer counts; None if that is not known.
        loaded: How many of them are in the tables.
    """

    place: int
    address: str
    counted: int | None
    loaded: int


@dataclass(frozen=True)
class Kind:
    """The entries of one stream.

    Attributes:
        stream: The stream.
        entries: The entries, masked, newest first. `found_under`, the list of spellings, replaces `email_address`.
        is_loaded: Whether the stream was loaded at all.
        missing: Its columns that were not loaded.
        unreadable: Its columns in which a list or an object is not stored as JSON.
        shortfalls: The addresses with other counts than rows.
    """

    stream: str
    entries: Sequence[Row]
    is_loaded: bool
    missing: Sequence[str]
    unreadable: Sequence[str]
    shortfalls: Sequence[Shortfall]

    @property
    def times(self) -> list[datetime]:
        """When the entries that have a time happened, the newest first."""
        return [time for row in self.entries if (time := self.time_of(row))]

    def time_of(self, row: Row) -> datetime | None:
        """Return when an entry happened; None if that is not known."""
        return _time_of(self.stream, row)

    @property
    def lacking(self) -> Sequence[str]:
        """The columns that entries have and that were not loaded."""
        has_entries = self.entries or any(shortfall.counted != 0 for shortfall in self.shortfalls)
        return [column for column in self.missing if column not in _NOT_SHOWN] if has_entries and self.is_loaded else []


@dataclass(frozen=True)
class Beside:
    """What Gong sent beside its documentation.

    Attributes:
        stream: The stream of the entry that it came with; `lookups` for the answer itself.
        key: Which entry that is; for an answer, the address.
        content: Names and values, masked.
    """

    stream: str
    key: str
    content: Mapping[str, JSON | Unreadable]


@dataclass(frozen=True)
class Person:
    """All that the answer says.

    Attributes:
        assessment: What is known about each spelling.
        kinds: The entries, in Gong's order.
        beside: What Gong sent beside its documentation.
        masker: Has counted what it masked and withheld.
        notice: The controller's texts.
        request: What the controller says of the request.
        is_draft: Whether the page is a draft: it has notes to staff, and texts may be missing.
        is_accepted: Whether the controller sends it although it is not complete.
    """

    assessment: Assessment
    kinds: Sequence[Kind]
    beside: Sequence[Beside]
    masker: Masker
    notice: Notice
    request: Request
    is_draft: bool
    is_accepted: bool

    @property
    def standings(self) -> Sequence[Standing]:
        """What is known about each spelling."""
        return self.assessment.standings

    @property
    def holds_something(self) -> bool:
        """Whether data is held under any spelling."""
        return any(standing.result is Result.DATA_HELD for standing in self.standings)

    @property
    def holds_nothing(self) -> bool:
        """Whether nothing is held under any spelling."""
        return all(standing.result is Result.NOTHING_HELD for standing in self.standings)

    @property
    def is_certain(self) -> bool:
        """Whether there is an answer about every spelling, and nothing newer that contradicts it."""
        return all(standing.is_certain for standing in self.standings)

    @property
    def missing(self) -> Sequence[str]:
        """The columns of `lookups` that the answer needs and that were not loaded."""
        return self.assessment.missing if any(standing.answer for standing in self.standings) else []

    @property
    def entries(self) -> int:
        """How many entries there are, each counted once."""
        return sum(len(kind.entries) for kind in self.kinds)

    @property
    def texts(self) -> Mapping[str, str]:
        """The texts that belong to the answer, by their keys: without data, most would have nothing to speak of."""
        keys = self.notice.texts if self.holds_something else SHOWN_IF_NOTHING
        return {key: self.notice.texts[key] for key in keys}

    @property
    def missing_texts(self) -> list[str]:
        """The keys of the texts that the controller owes and that are missing."""
        return self.notice.missing(is_held=self.holds_something)

    @property
    def gaps(self) -> list[str]:
        """Why the data is not complete, one line for each reason."""
        return [
            *self.assessment.general_reasons,
            *lines(self._reasons(), len(self.standings)),
            *(_missing(kind.stream, kind.lacking) for kind in self.kinds if kind.lacking),
            *([_missing(LOOKUPS, self.missing)] if self.missing else []),
            *(_unreadable(kind.stream, kind.unreadable) for kind in self.kinds if kind.unreadable),
        ]

    @property
    def reasons(self) -> list[str]:
        """Why the exit code is 1."""
        reasons = [] if self.is_accepted else self.gaps
        if self.missing_texts and not self.is_draft:
            keys = ", ".join(self.missing_texts)
            reasons = [
                *reasons,
                f"texts of the controller are missing: {keys}. Write them into the notice, or use --draft.",
            ]
        return reasons

    def is_deleted(self, standing: Standing) -> bool:
        """Return whether all that an answer found was deleted, or not loaded although its streams were."""
        counts = standing.answer.counts if standing.answer else {}
        counted = [kind.is_loaded for kind in self.kinds if counts.get(kind.stream)]
        return standing.is_deleted_or_not_loaded and (not counted or any(counted))

    def _reasons(self) -> Iterator[tuple[int, str]]:
        yield from self.assessment.reasons
        for place, standing in enumerate(self.standings, 1):
            if standing.later:
                yield place, _LATER
            if self.is_deleted(standing):
                yield place, _deleted(standing)
        for kind in self.kinds:
            for shortfall in kind.shortfalls:
                standing = self.standings[shortfall.place - 1]
                if not self.is_deleted(standing) and Doubt.TOO_MANY not in standing.doubts:
                    yield shortfall.place, _short(kind, shortfall)


def _deleted(standing: Standing) -> str:
    counted = sum(count or 0 for count in standing.answer.counts.values()) if standing.answer else 0
    found = f"counts {_entries(counted)}" if counted else "found data that its row does not name"
    ways = "they were deleted from this database, or not loaded"
    if standing.held_elsewhere:
        ways += ", or a look-up under another api_url replaced them"
    return (
        f"the answer {found}, and none of that is in the tables: {ways}. Look up again only if nothing was deleted on "
        "purpose."
    )


def _short(kind: Kind, shortfall: Shortfall) -> str:
    if shortfall.counted is None:
        return (
            f"lookups has no count of {kind.stream}, so nothing shows whether all of them are here. Select the column "
            f"{kind.stream}_count, and load again."
        )
    counted = f"the answer counts {_entries(shortfall.counted)} of {kind.stream}"
    if not kind.is_loaded:
        return f"{counted}, which was not loaded. Select the stream, and load again."
    return (
        f"{counted}, and the tables hold {shortfall.loaded:,}. If a load is under way, wait for its end; if rows were "
        "not deleted on purpose, look up again, and load the result."
    )


def _entries(number: int) -> str:
    return f"{number:,} entry" if number == 1 else f"{number:,} entries"


def _missing(stream: str, columns: Sequence[str]) -> str:
    return f"The stream {stream} was loaded without {', '.join(columns)}. Select what is missing, and load again."


def _unreadable(stream: str, columns: Sequence[str]) -> str:
    return (
        f"The stream {stream} has lists or objects in {', '.join(columns)} that are not stored as JSON, so they cannot "
        "be shown. Use a target that stores them as JSON."
    )


def answer(
    assessment: Assessment,
    loaded: Loaded,
    masker: Masker,
    notice: Notice,
    request: Request | None = None,
    *,
    is_draft: bool = False,
    is_accepted: bool = False,
) -> Person:
    """Put the answer for a person together.

    Args:
        assessment: What is known about each of the person's spellings.
        loaded: What was loaded about them.
        masker: Masks the values.
        notice: The controller's texts.
        request: What the controller says of the request.
        is_draft: Whether the page is a draft.
        is_accepted: Whether the controller sends it although it is not complete.

    Returns:
        The answer.
    """
    standings = [_masked(standing, masker) for standing in assessment.standings]
    kinds = [_kind(stream, loaded, standings, masker) for stream in STREAMS]
    beside = [
        Beside(LOOKUPS, standing.address, standing.answer.undocumented)
        for standing in standings
        if standing.answer and standing.answer.undocumented
    ]
    beside += [
        Beside(kind.stream, str(row.get(KEYS[kind.stream])), content)
        for kind in kinds
        for row in kind.entries
        if (content := content_of(row.get(UNDOCUMENTED)))
    ]
    return Person(
        assessment=replace(assessment, standings=standings),
        kinds=kinds,
        beside=beside,
        masker=masker,
        notice=notice,
        request=request or Request(),
        is_draft=is_draft,
        is_accepted=is_accepted,
    )


def _masked(standing: Standing, masker: Masker) -> Standing:
    """Return a standing whose look-ups show what Gong and its maps have written, masked like any text."""
    answer = standing.answer and masked(standing.answer, masker)
    latest = answer if standing.latest is standing.answer else standing.latest and masked(standing.latest, masker)
    return replace(standing, answer=answer, latest=latest)


def _kind(stream: str, loaded: Loaded, standings: Sequence[Standing], masker: Masker) -> Kind:
    columns = loaded.columns.get(stream)
    rows = _held(stream, loaded, standings)
    merged = sorted(_merged(stream, rows), key=lambda row: _age(stream, row), reverse=True)
    shown = Counter(address for row in merged for address in row[FOUND_UNDER])  # type: ignore[union-attr]  # a list
    return Kind(
        stream=stream,
        entries=[masker.row(stream, row) for row in merged],
        is_loaded=columns is not None,
        missing=[] if columns is None else [column for column in TABLES[stream] if column not in columns],
        unreadable=sorted({column for row in rows for column, value in row.items() if isinstance(value, Unreadable)}),
        shortfalls=[
            Shortfall(place, standing.address, counted, shown[standing.address])
            for place, standing in enumerate(standings, 1)
            if standing.result in ANSWERED
            and standing.answer
            and (counted := standing.answer.counts[stream]) != shown[standing.address]
        ],
    )


def _held(stream: str, loaded: Loaded, standings: Sequence[Standing]) -> list[Row]:
    """Return the rows of the answers that count. Without times, all rows of their addresses are."""
    answers = {one.address: one.answer.at for one in standings if one.answer and one.result is Result.DATA_HELD}
    has_times = LOOKED_UP_AT in loaded.columns.get(stream, ())
    return [
        row
        for row in loaded.rows.get(stream, ())
        if (address := str(row[EMAIL_ADDRESS])) in answers and (not has_times or row[LOOKED_UP_AT] == answers[address])
    ]


def _merged(stream: str, rows: Sequence[Row]) -> list[Row]:
    """Return each entry once: rows of several spellings that are equal in key and content are one."""
    entries: list[Row] = []
    by_key: defaultdict[object, list[tuple[Row, list[JSON]]]] = defaultdict(list)
    for row in rows:
        content = {column: value for column, value in row.items() if column not in _OF_A_LOOK_UP}
        # A row without a key is an entry of its own.
        same_key = by_key[row[KEYS[stream]]] if row.get(KEYS[stream]) is not None else []
        address = str(row[EMAIL_ADDRESS])
        found = next((spellings for other, spellings in same_key if other == content), None)
        if found is None:
            spellings: list[JSON] = [address]
            same_key.append((content, spellings))
            entries.append(
                {FOUND_UNDER: spellings, **{name: value for name, value in row.items() if name != EMAIL_ADDRESS}}
            )
        elif address not in found:
            found.append(address)
    return entries


def _age(stream: str, row: Row) -> tuple[datetime, str]:
    return (_time_of(stream, row) or _BEFORE_ALL, str(row.get(KEYS[stream])))


def _time_of(stream: str, row: Row) -> datetime | None:
    time = row.get(_TIMES.get(stream, ""))
    if stream == "meetings" and (found := _TIME_OF_MEETING.search(str(row.get("id")))):
        with contextlib.suppress(ValueError):
            time = datetime.fromisoformat(found[1])
    return time if isinstance(time, datetime) else None


def as_json(person: Person) -> Iterator[bytes]:
    """Write the answer as JSON, one entry a line, with the names of the streams' columns."""
    masker, assessment = person.masker, person.assessment
    head = {
        "made_at": assessment.made_at,
        "made_by": made_by(),
        "reference": person.request.reference or None,
        "received": person.request.received or None,
        "is_complete": not (person.gaps or (person.missing_texts and not person.is_draft)),
        "is_draft": person.is_draft,
        "look_ups": [_look_up(standing) for standing in person.standings],
        "other_spellings": len(assessment.others),
        "not_loaded": {
            "streams": [kind.stream for kind in person.kinds if not kind.is_loaded],
            "columns": {
                **({LOOKUPS: person.missing} if person.missing else {}),
                **{kind.stream: kind.missing for kind in person.kinds if kind.missing},
            },
        },
        "masked": {"addresses": masker.addresses, "links": masker.links},
        "withheld": masker.withheld,
        "undocumented": [beside.content for beside in person.beside if beside.stream == LOOKUPS],
        "notice": person.texts,
    }
    yield _encoder.encode(head)[:-1] + b',\n"entries":{'
    separator = b"\n"
    for kind in person.kinds:
        if kind.is_loaded:
            yield separator + _encoder.encode(kind.stream) + b":["
            yield from (
                b"%s\n%s" % (b"," if index else b"", _encoder.encode(row)) for index, row in enumerate(kind.entries)
            )
            yield b"]"
            separator = b",\n"
    yield b"}}\n"


def _look_up(standing: Standing) -> Mapping[str, object]:
    answer, later, latest = standing.answer, standing.later, standing.latest
    shown = answer or latest
    is_answered = answer is not None and standing.result in ANSWERED
    return {
        "email_address": standing.address,
        "result": standing.result.value,
        "api_url": shown and shown.api_url,
        "answered_at": answer.at if answer and is_answered else None,
        "request_id": shown and shown.request_id,
        "counts": answer.counts if answer and is_answered else None,
        "latest_look_up": latest
        and {
            "looked_up_at": latest.at,
            "status": latest.status,
            "request_id": latest.request_id,
            "http_status": latest.http_status,
        },
        "is_answer_the_latest_look_up": later is None and is_answered,
    }
