"""The SDK's stream maps: checks that no record is lost, and expressions that can compute with Gong's numbers."""

from __future__ import annotations

import ast
import fnmatch
import importlib.util
import sys
import traceback
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from singer_sdk.mapper import CustomStreamMap, RemoveRecordTransform
from typing_extensions import override

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong.json_text import is_plain
from tap_gong_privacy.singer import schemas

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from singer_sdk.mapper import StreamMap

_ELSE = "__else__"
_SOURCE = "__source__"
_FILTER = "__filter__"
_OPTIONS = {_SOURCE, _FILTER, _ELSE, "__alias__", "__key_properties__"}
_LOOKUPS_REMOVED = (
    "Wrong settings: stream_maps would remove or filter lookups, the proof of the search. To leave the stream out, "
    "deselect it in the catalog; to leave out others, map each to __NULL__."
)


class ComputableNumber(float):
    """A `Decimal` as expressions see it. They cannot multiply a `Decimal` by a float, or write it as JSON.

    Beyond the range of a float it is the largest float, because `json.dumps` would write infinity as no valid JSON.

    Attributes:
        exact: The number with all its digits.
    """

    exact: Decimal

    def __new__(cls, exact: Decimal) -> Self:
        """Make a float of a decimal.

        Args:
            exact: The number with all its digits.
        """
        largest = sys.float_info.max
        number = super().__new__(cls, max(-largest, min(largest, float(exact))))
        number.exact = exact
        return number

    @override
    def __str__(self) -> str:
        return str(self.exact)


def _computable(value: object) -> object:
    """Return a value in which each `Decimal`, on any level, is a `ComputableNumber`."""
    match value:
        case Decimal():
            return ComputableNumber(value)
        case list():
            return [_computable(element) for element in value]
        case dict():
            return {name: _computable(element) for name, element in value.items()}
        case _:
            return value


def _exact(value: object) -> object:
    """Return a value in which each `ComputableNumber`, on any level, is its `Decimal` again."""
    match value:
        case ComputableNumber():
            return value.exact
        case list() | tuple():
            return [_exact(element) for element in value]
        case dict():
            return {name: _exact(element) for name, element in value.items()}
        case _:
            return value


class _Names(dict[str, object]):
    """The names in an expression, whose numbers are computable. Most expressions use one or two of them."""

    @override
    def __getitem__(self, name: str) -> object:
        return _computable(super().__getitem__(name))


class _Evaluator:
    """Evaluates expressions with computable numbers, and returns exact ones.

    Attributes:
        names: The names in the expression, as the mapper sets them for each record.
    """

    def __init__(self, evaluator: Any) -> None:  # noqa: ANN401 - simpleeval has no types
        """Initialize the evaluator.

        Args:
            evaluator: The mapper's own evaluator.
        """
        self.names: dict[str, object] = {}
        self._evaluator = evaluator

    def eval(self, expression: str, previously_parsed: ast.AST) -> object:
        """Evaluate an expression."""
        self._evaluator.names = _Names(self.names)
        return _exact(self._evaluator.eval(expression, previously_parsed=previously_parsed))


def compute_exactly(stream_maps: Iterable[StreamMap]) -> None:
    """Let expressions compute with Gong's numbers. Columns that no expression changes keep every digit.

    Args:
        stream_maps: Maps as the SDK has set them up, changed in place.
    """
    for stream_map in stream_maps:
        if isinstance(stream_map, CustomStreamMap):
            stream_map.expr_evaluator = _Evaluator(stream_map.expr_evaluator)


def refuse_mistakes(stream_maps: Mapping[str, object], columns: Mapping[str, Collection[str]]) -> None:
    """Refuse maps that the SDK would accept without a word, although they do not do what they say.

    Args:
        stream_maps: The setting.
        columns: The columns of each stream.

    Raises:
        ConfigError: If a map fits no stream, removes a column that no such stream has (a misspelt one would go out in
            clear), has an option that the SDK would take for a column, uses `fake` without its package, or filters
            `lookups`, the proof of the search.
    """
    for key, stream_map in stream_maps.items():
        if key == _ELSE:
            continue
        source = stream_map.get(_SOURCE, key) if isinstance(stream_map, dict) else key
        fitting = [stream for stream in columns if isinstance(source, str) and fnmatch.fnmatch(stream, source)]
        if not fitting:
            msg = f"Wrong settings: a map of stream_maps fits no stream; the streams are {', '.join(columns)}."
            raise ConfigError(msg)
        if isinstance(stream_map, dict):
            _refuse_mistakes_within(stream_map, {column for stream in fitting for column in columns[stream]})
            if schemas.LOOKUPS in fitting and _SOURCE not in stream_map and stream_map.get(_FILTER) is not None:
                raise ConfigError(_LOOKUPS_REMOVED)


def _refuse_mistakes_within(stream_map: Mapping[str, object], known: AbstractSet[str]) -> None:
    # If a map has `__source__`, the SDK takes `__alias__` for a column.
    options = _OPTIONS - ({"__alias__"} if _SOURCE in stream_map else set())
    for column, expression in stream_map.items():
        if column.startswith("__") and column not in options:
            msg = (
                "Wrong settings: stream_maps have an option that is unknown in its place; the options of a map are "
                "__filter__, __alias__ or __source__, __key_properties__ and __else__."
            )
            raise ConfigError(msg)
        if expression in (None, "__NULL__") and column not in known | options:
            msg = "Wrong settings: stream_maps remove a column that the stream does not have; check its spelling."
            raise ConfigError(msg)
        if isinstance(expression, str) and _uses_fake(expression) and not importlib.util.find_spec("faker"):
            msg = "Wrong settings: stream_maps use fake, whose package is missing: install tap-gong-privacy[faker]."
            raise ConfigError(msg)


def _uses_fake(expression: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "fake" for node in _nodes(expression))


def _nodes(expression: str) -> Iterable[ast.AST]:
    try:
        return ast.walk(ast.parse(expression.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()  # The SDK's mapper refuses the expression.


def refuse_missing_values(stream_maps: Mapping[str, object], values: Mapping[str, object]) -> None:
    """Refuse expressions that use `config['…']` if there is no such value: a forgotten salt is said before a call.

    Args:
        stream_maps: The setting.
        values: The setting `stream_map_config`. An empty text counts as missing, because anybody can compute what an
            empty salt makes of an address.

    Raises:
        ConfigError: If a value is missing. The message names it.
    """
    given = {name for name, value in values.items() if value not in (None, "")}
    for stream_map in stream_maps.values():
        expressions = stream_map.values() if isinstance(stream_map, dict) else ()
        for name in (name for expression in expressions for name in _used_values(expression) if name not in given):
            shown = f"stream_map_config.{name}" if is_plain(name) else "a value of stream_map_config"
            msg = f"Wrong settings: stream_maps use {shown}, which is missing or empty; set it."
            raise ConfigError(msg)


def _used_values(expression: object) -> Iterator[str]:
    """Yield each `name` of `config['name']` in an expression."""
    for node in _nodes(expression) if isinstance(expression, str) else ():
        match node:
            case ast.Subscript(value=ast.Name(id="config"), slice=ast.Constant(value=str(name))):
                yield name


def refuse_losses(stream_maps: Mapping[str, list[StreamMap]], selected: AbstractSet[str]) -> None:
    """Refuse maps that the SDK accepts, although a target would lose records or mix them up.

    Args:
        stream_maps: The maps of each stream, as the SDK has set them up.
        selected: The names of the streams that are written.

    Raises:
        ConfigError: If `lookups` is removed, two streams have the same name, or a key names a column that is missing.
    """
    if any(isinstance(stream_map, RemoveRecordTransform) for stream_map in stream_maps.get(schemas.LOOKUPS, [])[:1]):
        raise ConfigError(_LOOKUPS_REMOVED)
    names: set[str] = set()
    for stream_map in (stream_map for stream in selected for stream_map in stream_maps.get(stream, [])):
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
    """Return whether an error was raised in the SDK's mapper, and so by an expression of `stream_maps`.

    Args:
        error: The error, with its traceback.
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == RemoveRecordTransform.__module__ for frame, _ in frames)
