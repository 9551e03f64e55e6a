"""What the report reads: the tables, their columns, and what each column holds."""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong import json_text
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
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tap_gong_privacy.gong.json_text import JSON


class Unreadable(enum.Enum):
    """Stands for a list or an object that is stored as something other than JSON."""

    NOT_JSON = "not stored as JSON"


Value: TypeAlias = "JSON | datetime | Unreadable"
Row: TypeAlias = dict[str, Value]
"""A row of a table: the documented columns that were loaded, by name."""

# A record has a few levels more than the answer that it was made of.
_DEEPEST: Final = json_text.DEEPEST + 20


class Content(enum.Enum):
    """What a column holds."""

    TEXT = enum.auto()
    INTEGER = enum.auto()
    TIME = enum.auto()
    """A date and time. One without an offset is in UTC."""
    JSON = enum.auto()
    """A list or an object: as JSON text in targets that have no type for it."""


def _content_of(schema: JSONSchema) -> Content:
    types = schema["type"]
    if schema.get("format") == "date-time":
        return Content.TIME
    if not isinstance(types, list) or types[0] == "string":
        return Content.TEXT
    return Content.INTEGER if types[0] == "integer" else Content.JSON


def _columns_of(schema: JSONSchema) -> dict[str, Content]:
    properties = schema["properties"]
    return (
        {name: _content_of(definition) for name, definition in properties.items()}
        if isinstance(properties, dict)
        else {}
    )


TABLES: Final[dict[str, dict[str, Content]]] = {
    # No report shows the messages of Gong.
    LOOKUPS: {name: content for name, content in _columns_of(LOOKUPS_SCHEMA).items() if name != "errors"},
    **{section.stream: _columns_of(section_schema(section)) for section in SECTIONS},
}
STREAMS: Final = tuple(section.stream for section in SECTIONS)
"""The five streams of references, in Gong's order."""
KEYS: Final = {LOOKUPS: LOOKED_UP_AT, **{section.stream: section.key for section in SECTIONS}}
"""The column that tells the rows of one address apart."""
FOUND: Final = "found"
NOT_FOUND: Final = "not_found"
MALFORMED: Final = "malformed"
ANSWERS: Final = (FOUND, NOT_FOUND)
"""The statuses of look-ups that Gong has answered."""
_NEEDED: Final = frozenset({EMAIL_ADDRESS, LOOKED_UP_AT, "status"})
"""The columns of `lookups` without which no report can say what was answered."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one stream that one look-up of one address has brought.

    Attributes:
        stream: The stream.
        address: The address that was looked up.
        at: When it was looked up; None if the rows do not say so.
        rows: How many rows there are, each key counted once.
        is_explained: Whether `lookups` has a look-up of this address and time that found something.
    """

    stream: str
    address: str
    at: datetime | None
    rows: int
    is_explained: bool


@dataclass(frozen=True)
class Loaded:
    """What a database or the tap's output holds.

    Attributes:
        columns: The columns that each table has, by stream. A stream that was not loaded is not in it.
        look_ups: The rows of `lookups` for the addresses that a report is about, and for other spellings of them.
        groups: How many rows of the five streams there are, for the same addresses.
        rows: The rows of the five streams for the addresses that a report is about, if it needs them.
        asked: Every address of `lookups`.
        with_data: Every address of the five streams.
        newest: The address of the newest look-up, apart from malformed entries; None if there is none.
        shared: The request ids that answers about different addresses have in common.
        has_zones: Whether the times are stored with a time zone.
        has_nameless: Whether a row of `lookups` has no address.
    """

    columns: Mapping[str, AbstractSet[str]]
    look_ups: Sequence[Row]
    groups: Sequence[Group]
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    asked: AbstractSet[str] = frozenset()
    with_data: AbstractSet[str] = frozenset()
    newest: str | None = None
    shared: AbstractSet[str] = frozenset()
    has_zones: bool = True
    has_nameless: bool = False


def refuse_missing(columns: Mapping[str, AbstractSet[str]]) -> None:
    """Refuse tables that do not say who was asked.

    Raises:
        ConfigError: If `lookups` or a column that no report can do without was not loaded.
    """
    if LOOKUPS not in columns:
        msg = "The stream lookups was not loaded, so nothing says who was asked: select it, and load again."
        raise ConfigError(msg)
    for stream, present in columns.items():
        needed = _NEEDED if stream == LOOKUPS else {EMAIL_ADDRESS}
        if missing := sorted(needed - present):
            msg = f"The stream {stream} was loaded without {', '.join(missing)}: select it whole, and load again."
            raise ConfigError(msg)


def spelling(address: str) -> str:
    """Return what all spellings of an address have in common that may be one mailbox.

    Upper and lower case, composed and decomposed letters, outer white space and a plus tag make no difference. Gong
    documents none of this, so each spelling is looked up separately.
    """
    local, at, domain = unicodedata.normalize("NFKC", address.strip()).casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def spellings_of(addresses: Iterable[str], present: Iterable[str]) -> set[str]:
    """Return the addresses of the tables that are spellings of the given ones, and the given ones themselves."""
    given = set(addresses)
    wanted = {spelling(address) for address in given}
    return given | {address for address in present if spelling(address) in wanted}


def read_value(value: object, content: Content) -> Value:
    """Return the value of a column, whatever the database or file made of it.

    Raises:
        ConfigError: If it cannot be read.
    """
    if value is None:
        return None
    try:
        match content:
            case Content.TIME:
                return _time(value)
            case Content.INTEGER:
                return _integer(value)
            case Content.JSON:
                return _decoded(value)
            case Content.TEXT:
                return Unreadable.NOT_JSON if isinstance(value, list | dict) else str(value)
    except (ValueError, ArithmeticError):
        msg = f"A column that should hold {content.name.lower()} holds something else: did this tap load the tables?"
        raise ConfigError(msg) from None


def read_time(value: object) -> datetime | None:
    """Return a time, whatever the database or file made of it.

    Raises:
        ConfigError: If it cannot be read.
    """
    time = read_value(value, Content.TIME)
    return time if isinstance(time, datetime) else None


def has_zone(time: object) -> bool:
    """Return whether a time says in which time zone it is."""
    if isinstance(time, datetime):
        return time.tzinfo is not None
    try:
        return datetime.fromisoformat(str(time)).tzinfo is not None
    except ValueError:
        return True


def _time(value: object) -> datetime:
    time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _integer(value: object) -> int:
    # Some targets store integers as decimal numbers.
    number = Decimal(str(value))
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def _decoded(value: object) -> JSON | Unreadable:
    if value == "null":
        return None
    # A text within the text: JSON that was stored as a JSON string.
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value, _replaced = json_text.decode(value.encode(), _DEEPEST)
        except ValueError:
            return Unreadable.NOT_JSON
    if value is None or isinstance(value, list | dict):
        return value
    return Unreadable.NOT_JSON
