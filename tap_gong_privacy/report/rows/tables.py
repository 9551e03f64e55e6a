"""What the report reads: the tables, their columns, and what each column holds."""

from __future__ import annotations

import enum
import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.singer.schemas import (
    EMAIL_ADDRESS,
    LOOKED_UP_AT,
    LOOKUPS,
    LOOKUPS_SCHEMA,
    JSONSchema,
    section_schema,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON: TypeAlias = "bool | int | Decimal | str | list[JSON] | dict[str, JSON] | None"
Value: TypeAlias = "JSON | datetime"
Row: TypeAlias = dict[str, Value]
"""A row of a table: the documented columns that were loaded, by name."""

# Python refuses to convert longer integers from text.
_LONGEST_INTEGER = 4300
# The tap refuses answers that are nested more deeply; a record adds a few levels.
_DEEPEST = 120
_UNREADABLE = "cannot be decoded"


class Kind(enum.Enum):
    """What a column holds."""

    TEXT = enum.auto()
    INTEGER = enum.auto()
    TIME = enum.auto()
    """A date and time: in UTC where it has no offset."""
    JSON = enum.auto()
    """A list or an object: as JSON text in targets that have no type for it."""


def _kind_of(schema: JSONSchema) -> Kind:
    types = schema["type"]
    if schema.get("format") == "date-time":
        return Kind.TIME
    if not isinstance(types, list) or types[0] == "string":
        return Kind.TEXT
    return Kind.INTEGER if types[0] == "integer" else Kind.JSON


def _columns_of(schema: JSONSchema) -> dict[str, Kind]:
    properties = schema["properties"]
    return (
        {name: _kind_of(definition) for name, definition in properties.items()} if isinstance(properties, dict) else {}
    )


TABLES: dict[str, dict[str, Kind]] = {
    # The newest columns of `lookups` stand here too, since tables of earlier versions are read without them.
    LOOKUPS: {**_columns_of(LOOKUPS_SCHEMA), "attempts": Kind.INTEGER, "api_url": Kind.TEXT},
    **{section.stream: _columns_of(section_schema(section)) for section in SECTIONS},
}
STREAMS = tuple(section.stream for section in SECTIONS)
"""The five streams of references, in Gong's order."""
KEYS = {LOOKUPS: LOOKED_UP_AT, **{section.stream: section.key for section in SECTIONS}}
"""The column that tells the rows of one address apart."""
NEEDED = frozenset({EMAIL_ADDRESS, LOOKED_UP_AT, "status"})
"""The columns of `lookups` without which no page can say what was answered."""


def refuse_missing(columns: Mapping[str, frozenset[str]]) -> None:
    """Refuse what does not say who was asked.

    Raises:
        ConfigError: If `lookups` or one of its needed columns was not loaded.
    """
    if LOOKUPS not in columns:
        msg = "The stream lookups was not loaded, so that nothing says who was asked: select it, and load again."
        raise ConfigError(msg)
    if missing := sorted(NEEDED - columns[LOOKUPS]):
        msg = f"The stream lookups was loaded without {', '.join(missing)}: select it whole, and load again."
        raise ConfigError(msg)


def read_value(value: object, kind: Kind) -> Value:
    """Return a column's value as its kind, whatever the database or file made of it.

    Raises:
        ConfigError: If it cannot be read as its kind.
    """
    if value is None:
        return None
    try:
        match kind:
            case Kind.TIME:
                return _time(value)
            case Kind.INTEGER:
                return int(str(value))
            case Kind.JSON:
                return _decoded(value)
            case Kind.TEXT:
                return str(value)
    except (ValueError, OverflowError):
        msg = f"A column that should hold {kind.name.lower()} holds something else: were the tables loaded by this tap?"
        raise ConfigError(msg) from None


def _time(value: object) -> datetime:
    time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _decoded(value: object) -> JSON:
    # A text within the text: JSON that was stored as a JSON string.
    for _ in range(2):
        if isinstance(value, str):
            try:
                value = loads(value)
            except ValueError:
                break
    return value  # type: ignore[return-value]  # what JSON text and drivers give is JSON


def loads(text: str) -> JSON:
    """Decode JSON without losing a digit or a name.

    Raises:
        ValueError: If the text is not JSON, has one name twice in an object, or is nested too deeply.
    """
    try:
        value: JSON = json.loads(
            text, parse_float=Decimal, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_unique
        )
        _refuse_depth(value)
    except (RecursionError, ArithmeticError):
        raise ValueError(_UNREADABLE) from None
    return value


def _refuse(_name: str) -> NoReturn:
    raise ValueError(_UNREADABLE)


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(_UNREADABLE)
    return content


def _refuse_depth(value: JSON) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        lists = [element for element in level if isinstance(element, list)]
        objects = [element.values() for element in level if isinstance(element, dict)]
        level = [*itertools.chain(*lists, *objects)]
        if not level:
            return
    raise RecursionError


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _LONGEST_INTEGER else Decimal(digits)
