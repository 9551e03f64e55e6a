"""Reads the tap's own output, in place of a database."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong.json_text import JSON, decode
from tap_gong_privacy.report.rows.tables import (
    ANSWERS,
    FOUND,
    KEYS,
    MALFORMED,
    STREAMS,
    TABLES,
    Group,
    Loaded,
    Row,
    read_time,
    read_value,
    refuse_missing,
    spelling,
)
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKED_UP_AT, LOOKUPS, REQUEST_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

_NO_LOOK_UP: Final = "The tap's output holds no look-up: see how the tap's run ended."
_NO_MESSAGES: Final = (
    "The lines are JSON, but no Singer messages, like the files of a JSON Lines target. Give --from what "
    "tap-gong-privacy itself writes, or load into a database that the report reads."
)
# A record has a few levels more than the answer that it was made of, and a message a few more.
_DEEPEST: Final = 130


def read(lines: Iterable[bytes], addresses: Collection[str] | None, *, with_rows: bool = False) -> Loaded:
    """Read what the tap has written. A later record replaces an earlier one of the same key, as in a database.

    Args:
        lines: The lines of the output.
        addresses: The addresses that a report is about; None for every address.
        with_rows: Whether the rows of these addresses are read, too.

    Returns:
        What the output holds.

    Raises:
        ConfigError: If it is not the tap's output, or holds no look-up.
    """
    reader = _Reader(addresses, with_rows=with_rows)
    for number, line in enumerate(lines, 1):
        if line.strip():
            reader.take(_message(line, number), number)
    return reader.loaded()


class _Reader:
    def __init__(self, addresses: Collection[str] | None, *, with_rows: bool) -> None:
        self._given = frozenset(addresses or ())
        self._spellings = None if addresses is None else frozenset(map(spelling, addresses))
        self._with_rows = with_rows
        self._is_singer = False
        self._is_empty = True
        self._columns: dict[str, frozenset[str]] = {}
        self._look_ups: dict[tuple[str, str], Row] = {}
        self._rows: dict[str, dict[tuple[str, str], Row]] = {stream: {} for stream in STREAMS}
        # When the row of each key was looked up.
        self._times: dict[str, dict[tuple[str, str], object]] = {stream: {} for stream in STREAMS}
        self._asked: set[str] = set()
        self._with_data: set[str] = set()
        self._newest: tuple[datetime, str] | None = None
        self._addresses_by_request: defaultdict[str, set[str]] = defaultdict(set)

    def take(self, message: Mapping[str, JSON], number: int) -> None:
        """Take one message. Messages of other streams and types do not matter here."""
        self._is_empty = False
        self._is_singer = self._is_singer or isinstance(message.get("type"), str)
        stream = message.get("stream")
        if not isinstance(stream, str) or stream not in TABLES:
            return
        if message.get("type") == "SCHEMA":
            properties = _object(_object(message.get("schema"), number).get("properties"), number)
            self._columns[stream] = self._columns.get(stream, frozenset()) | (properties.keys() & TABLES[stream].keys())
        elif message.get("type") == "RECORD":
            record = _object(message.get("record"), number)
            address = record.get(EMAIL_ADDRESS)
            if not isinstance(address, str) or stream not in self._columns:
                raise ConfigError(_not_the_output(number))
            self._take_record(stream, address, record)

    def _take_record(self, stream: str, address: str, record: Mapping[str, JSON]) -> None:
        is_wanted = self._spellings is None or spelling(address) in self._spellings
        key = (address, str(record.get(KEYS[stream])))
        if stream == LOOKUPS:
            self._take_look_up(address, record)
            if is_wanted:
                self._look_ups[key] = self._row(stream, record)
            return
        self._with_data.add(address)
        if is_wanted:
            self._times[stream][key] = record.get(LOOKED_UP_AT)
        if self._with_rows and address in self._given:
            self._rows[stream][key] = self._row(stream, record)

    def _take_look_up(self, address: str, record: Mapping[str, JSON]) -> None:
        self._asked.add(address)
        at = read_time(record.get(LOOKED_UP_AT))
        status, request = record.get("status"), record.get(REQUEST_ID)
        if at and status != MALFORMED and (self._newest is None or at >= self._newest[0]):
            self._newest = (at, address)
        if status in ANSWERS and isinstance(request, str) and request:
            self._addresses_by_request[request].add(address)

    def _row(self, stream: str, record: Mapping[str, JSON]) -> Row:
        return {
            column: read_value(record.get(column), content)
            for column, content in TABLES[stream].items()
            if column in self._columns[stream]
        }

    def loaded(self) -> Loaded:
        """Return what was taken."""
        if not self._is_singer and not self._is_empty:
            raise ConfigError(_NO_MESSAGES)
        if not self._columns:
            raise ConfigError(_NO_LOOK_UP)
        refuse_missing(self._columns)
        if not self._asked:
            raise ConfigError(_NO_LOOK_UP)
        return Loaded(
            columns=self._columns,
            look_ups=list(self._look_ups.values()),
            groups=list(self._groups()),
            rows={name: list(rows.values()) for name, rows in self._rows.items() if name in self._columns}
            if self._with_rows
            else {},
            asked=self._asked,
            with_data=self._with_data,
            newest=self._newest and self._newest[1],
            shared={request for request, addresses in self._addresses_by_request.items() if len(addresses) > 1},
        )

    def _groups(self) -> Iterator[Group]:
        found = {(row[EMAIL_ADDRESS], row[LOOKED_UP_AT]) for row in self._look_ups.values() if row["status"] == FOUND}
        for stream, times in self._times.items():
            counts: defaultdict[tuple[str, object], int] = defaultdict(int)
            for (address, _key), time in times.items():
                counts[address, time] += 1
            has_times = LOOKED_UP_AT in self._columns.get(stream, ())
            for (address, time), rows in counts.items():
                at = read_time(time) if has_times else None
                yield Group(stream, address, at, rows, is_explained=not has_times or (address, at) in found)


def _message(line: bytes, number: int) -> Mapping[str, JSON]:
    try:
        value, _replaced = decode(line, _DEEPEST)
    except ValueError:
        raise ConfigError(_not_the_output(number)) from None
    return _object(value, number)


def _object(value: JSON, number: int) -> Mapping[str, JSON]:
    if not isinstance(value, dict):
        raise ConfigError(_not_the_output(number))
    return value


def _not_the_output(number: int) -> str:
    return f"Line {number} is not of this tap's output: give --from what tap-gong-privacy has written, whole."
