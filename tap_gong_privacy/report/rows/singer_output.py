"""Reads the tap's own output, in place of a database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report.model import Loaded, LookUp, in_order, latest_of
from tap_gong_privacy.report.rows.tables import JSON, KEYS, TABLES, Row, loads, read_value, refuse_missing
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LONE_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_NO_LOOK_UP: Final = "The tap's output holds no look-up: see how the tap's run ended."


def read(lines: Iterable[bytes], addresses: Sequence[str] | None, *, with_rows: bool = False) -> Loaded:
    """Read what the tap has written. A later record replaces an earlier one of the same key, as in a database.

    Args:
        lines: The lines of the output.
        addresses: The addresses whose look-ups are read; None for those of all, and every address of the output.
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
    def __init__(self, addresses: Sequence[str] | None, *, with_rows: bool) -> None:
        self._wanted = None if addresses is None else frozenset(addresses)
        self._with_rows = with_rows
        self._columns: dict[str, frozenset[str]] = {}
        self._rows: dict[str, dict[tuple[str, str], Row]] = {}
        self._addresses: dict[str, set[str]] = {name: set() for name in TABLES}

    def take(self, message: Mapping[str, JSON], number: int) -> None:
        """Take one message; those of other streams and kinds are of no use here."""
        stream = message.get("stream")
        if not isinstance(stream, str) or stream not in TABLES:
            return
        if message.get("type") == "SCHEMA":
            properties = _object(_object(message.get("schema"), number).get("properties"), number)
            self._columns[stream] = self._columns.get(stream, frozenset()) | (properties.keys() & TABLES[stream].keys())
            self._rows.setdefault(stream, {})
        elif message.get("type") == "RECORD":
            self._take_record(stream, _object(message.get("record"), number), number)

    def _take_record(self, stream: str, record: Mapping[str, JSON], number: int) -> None:
        address = record.get(EMAIL_ADDRESS)
        if not isinstance(address, str) or stream not in self._columns:
            raise ConfigError(_not_the_output(number))
        self._addresses[stream].add(address)
        is_wanted = self._wanted is None or address in self._wanted
        if is_wanted and (self._with_rows or stream == LOOKUPS):
            row = {
                column: read_value(record.get(column), kind)
                for column, kind in TABLES[stream].items()
                if column in self._columns[stream]
            }
            self._rows[stream][address, str(row.get(KEYS[stream]))] = row

    def loaded(self) -> Loaded:
        """Return what was taken."""
        if not self._columns:
            raise ConfigError(_NO_LOOK_UP)
        refuse_missing(self._columns)
        asked = self._addresses[LOOKUPS]
        if not asked:
            raise ConfigError(_NO_LOOK_UP)
        look_ups = (LookUp.of(row) for row in self._rows[LOOKUPS].values())
        wanted = self._wanted or frozenset()
        lowered = {address.lower() for address in wanted}
        return Loaded(
            columns=self._columns,
            look_ups=latest_of(look_ups) if self._wanted is None else in_order(look_ups),
            rows={name: list(rows.values()) for name, rows in self._rows.items() if name != LOOKUPS},
            addresses=frozenset().union(*self._addresses.values()) if self._wanted is None else frozenset(),
            other_spellings=sum(address.lower() in lowered for address in asked - wanted),
            are_pseudonyms=not any("@" in address for address in asked),
        )


def _message(line: bytes, number: int) -> Mapping[str, JSON]:
    try:
        text = line.decode("utf-8-sig")
        value = loads(text)
        if _LONE_SURROGATE.search(text):
            value = _storable(value)
    except ValueError:
        raise ConfigError(_not_the_output(number)) from None
    return _object(value, number)


def _storable(value: JSON) -> JSON:
    """Replace the halves of characters, which no file can hold."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_storable(element) for element in value]
        case dict():
            return {str(_storable(key)): _storable(element) for key, element in value.items()}
        case _:
            return value


def _object(value: JSON, number: int) -> Mapping[str, JSON]:
    if not isinstance(value, dict):
        raise ConfigError(_not_the_output(number))
    return value


def _not_the_output(number: int) -> str:
    return f"Line {number} is not of this tap's output: give --from what tap-gong-privacy has written, whole."
