"""The SDK's stream maps: what they must not do to the records of this tap, and the numbers that they compute with."""

from __future__ import annotations

import ast
import fnmatch
import importlib.util
import traceback
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from singer_sdk.mapper import RemoveRecordTransform

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.singer import schemas

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from singer_sdk.mapper import StreamMap

_ELSE = "__else__"
_LOOKUPS_REMOVED = (
    "Wrong settings: stream_maps would remove or filter lookups, the proof of the search. To leave the stream out, "
    "deselect it in the catalog; to leave out others, map each to __NULL__."
)


class ComputableNumber(float):
    """A `Decimal` for the expressions of stream maps, which cannot mix it with floats or write it as JSON.

    A map that passes it on loses no digit, since `exact` is what is written.

    Attributes:
        exact: The number with all its digits.
    """

    exact: Decimal

    def __new__(cls, exact: Decimal) -> Self:
        """Make a float of a decimal.

        Args:
            exact: The number with all its digits.
        """
        number = super().__new__(cls, exact)
        number.exact = exact
        return number


def computable(value: object) -> object:
    """Return a value in which each `Decimal`, on any level, is a `ComputableNumber`."""
    if isinstance(value, Decimal):
        return ComputableNumber(value)
    if isinstance(value, list):
        return [computable(element) for element in value]
    if isinstance(value, dict):
        return {name: computable(element) for name, element in value.items()}
    return value


def refuse_mistakes(settings: Mapping[str, object], columns: Mapping[str, Collection[str]]) -> None:
    """Refuse maps that the SDK would accept without a word, although they do not do what they say.

    Args:
        settings: The setting `stream_maps`.
        columns: The columns of each stream.

    Raises:
        ConfigError: If a map fits no stream, removes a column that no such stream has (a misspelt one would go out in
            clear), uses `fake` without its package, or filters `lookups`: the SDK would drop the records of its
            children with it, after all the calls were spent.
    """
    for key, value in settings.items():
        if key == _ELSE:
            continue
        source = value.get("__source__", key) if isinstance(value, dict) else key
        fitting = [stream for stream in columns if isinstance(source, str) and fnmatch.fnmatch(stream, source)]
        if not fitting:
            msg = f"Wrong settings: a map of stream_maps fits no stream; the streams are {', '.join(columns)}."
            raise ConfigError(msg)
        if isinstance(value, dict):
            known = {column for stream in fitting for column in columns[stream]}
            _refuse_mistakes_within(value, known)
            if schemas.LOOKUPS in fitting and "__source__" not in value and value.get("__filter__") is not None:
                raise ConfigError(_LOOKUPS_REMOVED)


def _refuse_mistakes_within(map_: Mapping[str, object], known: AbstractSet[str]) -> None:
    for column, expression in map_.items():
        is_removed = expression is None or expression == "__NULL__"
        if is_removed and not column.startswith("__") and column not in known:
            msg = "Wrong settings: stream_maps remove a column that the stream does not have; check its spelling."
            raise ConfigError(msg)
        if isinstance(expression, str) and _uses_fake(expression) and not importlib.util.find_spec("faker"):
            msg = "Wrong settings: stream_maps use fake, whose package is missing: install tap-gong-privacy[faker]."
            raise ConfigError(msg)


def _uses_fake(expression: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "fake" for node in _nodes(expression))


def _nodes(expression: str) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(expression.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # The SDK's mapper says so.


def refuse_losses(maps: Mapping[str, list[StreamMap]], selected: AbstractSet[str]) -> None:
    """Refuse what the SDK accepts, although records would be lost or mixed up in a target.

    Args:
        maps: The maps of each stream, as the SDK has set them up.
        selected: The names of the streams that are written.

    Raises:
        ConfigError: If `lookups` is removed, two streams have one name, or a key has no column of its name.
    """
    if any(isinstance(stream_map, RemoveRecordTransform) for stream_map in maps.get(schemas.LOOKUPS, [])[:1]):
        raise ConfigError(_LOOKUPS_REMOVED)
    names: set[str] = set()
    for stream_map in (stream_map for stream in selected for stream_map in maps.get(stream, [])):
        if isinstance(stream_map, RemoveRecordTransform):
            continue
        if stream_map.stream_alias in names:
            msg = "Wrong settings: stream_maps give two streams the same name; give each a different one (__alias__)."
            raise ConfigError(msg)
        names.add(stream_map.stream_alias)
        columns: dict[str, object] = stream_map.transformed_schema.get("properties", {})
        if not columns.keys() >= set(stream_map.transformed_key_properties or ()):
            msg = (
                f"The key of stream {stream_map.stream_alias} would lack a column: select it in the catalog; and "
                "flattening_max_key_length must be longer than its name."
            )
            raise ConfigError(msg)


def is_fault_of_an_expression(error: Exception) -> bool:
    """Tell whether an error comes from within the SDK's mapper, and so from an expression in `stream_maps`.

    Args:
        error: The error, as it was caught.
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == RemoveRecordTransform.__module__ for frame, _ in frames)
