"""The answer for a person: what Gong holds about them, under all their spellings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.report.gaps import Gap, Reason, has_unknown_address
from tap_gong_privacy.report.model import MALFORMED, Loaded, Result, Standing, content_of, standings
from tap_gong_privacy.report.rows.masking import Masker, encode
from tap_gong_privacy.report.rows.tables import JSON, KEYS, STREAMS, TABLES, Row
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKED_UP_AT, LOOKUPS, UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TIMES: Final = {"emails": "sent_time", "customer_engagement": "timestamp"}
_NEWEST: Final = {"api_url", "attempts"}
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """The entries of one kind.

    Attributes:
        stream: The stream that they are of.
        rows: The entries, masked, newest first.
        is_loaded: Whether the stream was loaded at all.
        missing: Its documented columns that were not loaded.
        counted: How many entries Gong's answers have; None where that is not known.
    """

    stream: str
    rows: Sequence[Row]
    is_loaded: bool
    missing: Sequence[str]
    counted: int | None

    @property
    def times(self) -> list[datetime]:
        """When the entries that have a time have happened, the newest first."""
        column = _TIMES.get(self.stream, "")
        return [time for row in self.rows if isinstance(time := row.get(column), datetime)]

    def year_of(self, row: Row) -> int | None:
        """Return the year of an entry; None where it has no time."""
        time = row.get(_TIMES.get(self.stream, ""))
        return time.year if isinstance(time, datetime) else None


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
    content: Mapping[str, JSON]


@dataclass(frozen=True)
class Person:
    """All that the page says.

    Attributes:
        addresses: The spellings that were asked for.
        standings: What is known about each.
        missing: The columns of `lookups` that were not loaded, save those that earlier versions do not have.
        kinds: The entries, in Gong's order.
        beside: What Gong sent beside its documentation.
        masked_addresses: How many addresses of others were masked.
        masked_links: How many links were shortened.
        notice: The controller's texts by key.
        gaps: Why the answer is not complete.
        other_spellings: Addresses of the tables that differ in upper and lower case alone.
        are_pseudonyms: Whether an address is not known since the tables hold pseudonyms.
        is_draft: Whether missing texts are accepted.
        made_at: When the page was made.
    """

    addresses: Sequence[str]
    standings: Sequence[Standing]
    missing: Sequence[str]
    kinds: Sequence[Kind]
    beside: Sequence[Beside]
    masked_addresses: int
    masked_links: int
    notice: Mapping[str, str]
    gaps: Sequence[Gap]
    other_spellings: int
    are_pseudonyms: bool
    is_draft: bool
    made_at: datetime

    @property
    def entries(self) -> int:
        """How many entries are in here."""
        return sum(len(kind.rows) for kind in self.kinds)

    @property
    def counted(self) -> int:
        """How many entries Gong's answers have, as far as that is known; never fewer than are in here."""
        return sum(max(len(kind.rows), kind.counted or 0) for kind in self.kinds)

    @property
    def holds_something(self) -> bool:
        """Whether Gong has said of any spelling that it holds something."""
        return any(standing.result is Result.DATA_HELD for standing in self.standings)

    @property
    def is_known(self) -> bool:
        """Whether Gong has answered about every spelling."""
        return all(standing.answer for standing in self.standings)

    @property
    def missing_texts(self) -> list[str]:
        """The keys of the controller's texts that are missing."""
        return [key for key, text in self.notice.items() if not text]


def answer(
    addresses: Sequence[str],
    loaded: Loaded,
    masker: Masker,
    notice: Mapping[str, str],
    *,
    made_at: datetime,
    is_draft: bool = False,
) -> Person:
    """Put the answer for a person together.

    Args:
        addresses: The person's addresses, in all their spellings.
        loaded: What was loaded about them.
        masker: Masks the values.
        notice: The controller's texts by key.
        made_at: When the page is made.
        is_draft: Whether missing texts are accepted.

    Returns:
        The answer.
    """
    known = standings(addresses, loaded.look_ups)
    answers = {(standing.address, standing.answer.at) for standing in known if standing.answer}
    held = {stream: _held(loaded, stream, answers) for stream in STREAMS}
    kinds = [_kind(stream, held[stream], loaded, known, masker) for stream in STREAMS]
    beside = [
        Beside(LOOKUPS, standing.address, content)
        for standing in known
        if standing.answer and (content := content_of(masker.value(dict(standing.answer.undocumented))))
    ]
    beside += [
        Beside(kind.stream, str(row.get(KEYS[kind.stream])), content)
        for kind in kinds
        for row in kind.rows
        if (content := content_of(row.get(UNDOCUMENTED)))
    ]
    missing = sum(not text for text in notice.values())
    gaps = [*_unanswered(addresses, known), *_miscounted(addresses, known, held, loaded)]
    if missing and not is_draft:
        gaps.append(Gap(Reason.TEXTS_MISSING, counted=missing))
    return Person(
        addresses=addresses,
        standings=known,
        missing=[column for column in TABLES[LOOKUPS] if column not in loaded.columns[LOOKUPS] | _NEWEST],
        kinds=kinds,
        beside=beside,
        masked_addresses=masker.addresses,
        masked_links=masker.links,
        notice=notice,
        gaps=gaps,
        other_spellings=loaded.other_spellings,
        are_pseudonyms=loaded.are_pseudonyms and has_unknown_address(gaps),
        is_draft=is_draft,
        made_at=made_at,
    )


def _held(loaded: Loaded, stream: str, answers: set[tuple[str, datetime]]) -> list[Row]:
    """Return the rows that are of an answer that counts; without times all rows are."""
    rows = loaded.rows.get(stream, ())
    if LOOKED_UP_AT not in loaded.columns.get(stream, ()):
        return list(rows)
    return [row for row in rows if (row[EMAIL_ADDRESS], row[LOOKED_UP_AT]) in answers]


def _kind(stream: str, rows: list[Row], loaded: Loaded, known: Sequence[Standing], masker: Masker) -> Kind:
    columns = loaded.columns.get(stream)
    counts = [standing.answer.counts[stream] for standing in known if standing.answer]
    return Kind(
        stream=stream,
        rows=[masker.row(stream, row) for row in sorted(rows, key=lambda row: _age(stream, row), reverse=True)],
        is_loaded=columns is not None,
        missing=[] if columns is None else [column for column in TABLES[stream] if column not in columns],
        counted=None if None in counts else sum(count or 0 for count in counts),
    )


def _age(stream: str, row: Row) -> tuple[datetime, str]:
    time = row.get(_TIMES.get(stream, ""))
    return (time if isinstance(time, datetime) else _BEFORE_ALL, str(row.get(KEYS[stream])))


def unanswered(standing: Standing) -> Reason | None:
    """Say why an address has no answer; None where it has one."""
    is_malformed = standing.latest is not None and standing.latest.status == MALFORMED
    return {
        Result.DATA_HELD: None,
        Result.NOTHING_HELD: None,
        Result.REFUSED: Reason.REFUSED,
        Result.NO_ANSWER: Reason.NO_ANSWER,
        Result.NEVER_ASKED: Reason.MALFORMED if is_malformed else Reason.NEVER_ASKED,
    }[standing.result]


def _unanswered(addresses: Sequence[str], known: Sequence[Standing]) -> Iterator[Gap]:
    for standing in known:
        if reason := unanswered(standing):
            yield Gap(reason, (addresses.index(standing.address) + 1,), len(addresses))


def _miscounted(
    addresses: Sequence[str], known: Sequence[Standing], held: Mapping[str, Sequence[Row]], loaded: Loaded
) -> Iterator[Gap]:
    for stream in STREAMS:
        present = Counter((row[EMAIL_ADDRESS], row.get(LOOKED_UP_AT)) for row in held[stream])
        for standing in known:
            if standing.answer is None:
                continue
            place, total = (addresses.index(standing.address) + 1,), len(addresses)
            counted = standing.answer.counts[stream]
            has_times = LOOKED_UP_AT in loaded.columns.get(stream, ())
            rows = present[standing.address, standing.answer.at if has_times else None]
            if counted is None:
                yield Gap(Reason.UNKNOWN_COUNT, place, total, stream)
            elif counted and stream not in loaded.columns:
                yield Gap(Reason.STREAM_NOT_LOADED, place, total, stream, counted)
            elif counted != rows:
                yield Gap(Reason.OTHER_COUNT, place, total, stream, counted, rows)


def as_json(person: Person) -> Iterator[bytes]:
    """Write the answer as JSON, one entry a line, with the names of the streams' columns."""
    head = {
        "made_at": person.made_at,
        "addresses": person.addresses,
        "is_complete": not person.gaps,
        "look_ups": [_spelling(standing) for standing in person.standings],
        "not_loaded": {
            "streams": [kind.stream for kind in person.kinds if not kind.is_loaded],
            "columns": {
                **({LOOKUPS: person.missing} if person.missing else {}),
                **{kind.stream: kind.missing for kind in person.kinds if kind.missing},
            },
        },
        "masked": {"addresses": person.masked_addresses, "links": person.masked_links},
        "undocumented": [beside.content for beside in person.beside if beside.stream == LOOKUPS],
        "notice": person.notice,
    }
    yield encode(head)[:-1] + b',\n"entries":{'
    separator = b"\n"
    for kind in person.kinds:
        if kind.is_loaded:
            yield separator + encode(kind.stream) + b":["
            yield from (b"%s\n%s" % (b"," if index else b"", encode(row)) for index, row in enumerate(kind.rows))
            yield b"]"
            separator = b",\n"
    yield b"}}\n"


def _spelling(standing: Standing) -> Mapping[str, object]:
    answer, later = standing.answer, standing.later
    return {
        "email_address": standing.address,
        "result": standing.result.value,
        "api_url": standing.api_url,
        "answered_at": answer and answer.at,
        "request_id": answer and answer.request_id,
        "counts": answer and answer.counts,
        "latest_look_up": standing.latest
        and {
            "looked_up_at": standing.latest.at,
            "status": standing.latest.status,
            "request_id": standing.latest.request_id,
            "http_status": standing.latest.http_status,
        },
        "is_answer_the_latest_look_up": later is None and answer is not None,
    }
