"""JSON as Gong wrote it: decoded and encoded without losing a digit."""

from __future__ import annotations

import decimal
import functools
import itertools
import json
import re
from typing import TYPE_CHECKING, NoReturn, Self, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

JSON: TypeAlias = "bool | int | Number | str | list[JSON] | dict[str, JSON] | None"

_NUL = "\0"
_SYMBOL_FOR_NUL = "\N{SYMBOL FOR NULL}"
_SURROGATE = re.compile("[\ud800-\udfff]")
# Python refuses to convert longer integers to and from text.
_LONGEST_INTEGER = 4300
_DEEPEST = 100
_ESCAPED_LETTERS = (rb"\u004", rb"\u005", rb"\u006", rb"\u007")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Number(decimal.Decimal):
    """A JSON number with a fraction or an exponent, or with very many digits, that remembers how it was written.

    Attributes:
        literal: The number as it stood in the JSON text.
    """

    literal: str

    def __new__(cls, literal: str) -> Self:
        """Read a JSON number.

        Args:
            literal: The number's JSON text.

        Returns:
            The number; not a number (NaN) to arithmetic where its exponent is beyond what `decimal` holds.
        """
        try:
            number = super().__new__(cls, literal)
        except decimal.InvalidOperation:
            number = super().__new__(cls, "NaN")
        number.literal = literal
        return number


def as_written(value: object) -> object:
    """Encode what JSON has no type for: a `Number` verbatim.

    Args:
        value: A value that msgspec does not know.

    Returns:
        What to encode instead.

    Raises:
        TypeError: If the value has no place in JSON.
    """
    if isinstance(value, Number):
        return msgspec.Raw(value.literal.encode())
    msg = f"{type(value).__name__} has no place in JSON"
    raise TypeError(msg)


_decoder = msgspec.json.Decoder(float_hook=Number)
_canonical = msgspec.json.Encoder(enc_hook=as_written, order="sorted")


def canonical(value: object) -> bytes:
    """Return the one JSON text of a value: keys sorted, no spaces, UTF-8, numbers as they were written.

    Hashes that are keys in warehouses are taken over it, so it never changes.
    """
    return _canonical.encode(value)


class RepeatedNameError(ValueError):
    """A name stands twice in the outermost object, so that the value of one of the two is hidden."""


def decode(text: bytes, *, once: Collection[str] = ()) -> tuple[JSON, bool]:
    """Decode JSON; integers of any size stay exact, other numbers become `Number`.

    The two characters that no target can store are replaced: NUL by U+2400, a lone surrogate by U+FFFD.

    Args:
        text: JSON in UTF-8.
        once: Names that must not stand twice in the outermost object.

    Returns:
        The value, and whether a character was replaced in it.

    Raises:
        ValueError: If the text is not UTF-8, not JSON, or nested too deeply.
        RepeatedNameError: If one of them does.
    """
    is_lenient = False
    try:
        try:
            value: JSON = _decoder.decode(text)
        except msgspec.DecodeError:
            # msgspec refuses lone surrogates and very long integers; the standard library reads both.
            is_lenient = True
            value = _decode_leniently(text)
        _refuse_depth(text, value)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    has_escapes = rb"\u00" in text
    if once and isinstance(value, dict) and _repeats_a_name(text, tuple(once), has_escapes=has_escapes):
        raise RepeatedNameError
    # NUL can only be written escaped: a text without the escape needs no second look.
    return _storable(value) if is_lenient or (has_escapes and rb"\u0000" in text) else (value, False)


@functools.cache
def _names(once: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile(b'"(?:%b)"' % "|".join(map(re.escape, once)).encode())


def _repeats_a_name(text: bytes, once: tuple[str, ...], *, has_escapes: bool) -> bool:
    found = _names(once).findall(text)
    # Nobody escapes letters; where somebody does, a name may hide behind it.
    if len(set(found)) == len(found) and not (has_escapes and any(escape in text for escape in _ESCAPED_LETTERS)):
        return False
    # Each object becomes the list of its names; the outermost is the last to be made.
    outermost: list[str] = json.loads(
        text.decode("utf-8-sig"),
        object_pairs_hook=lambda pairs: [name for name, _ in pairs],
        parse_int=str,
        parse_float=str,
    )
    return any(outermost.count(name) > 1 for name in once)


def _decode_leniently(text: bytes) -> JSON:
    value: JSON = json.loads(
        text.decode("utf-8-sig"),
        parse_float=Number,
        parse_int=lambda digits: Number(digits) if len(digits) >= _LONGEST_INTEGER else int(digits),
        parse_constant=_refuse,
    )
    return value


def _refuse_depth(text: bytes, value: JSON) -> None:
    """Refuse what is nested so deeply that Python could not write it again.

    Raises:
        RecursionError: If it is.
    """
    # Taking the innermost pairs away, level by level, is fast, and ends soon for all that Gong documents.
    brackets = text.translate(None, _ALL_BUT_BRACKETS)
    for _ in range(_DEEPEST):
        rest = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not rest:
            return
        if len(rest) == len(brackets):
            break  # there are brackets in texts, too: look at the value itself
        brackets = rest
    level: list[JSON] = [value]
    for _ in range(_DEEPEST):
        lists = [element for element in level if isinstance(element, list)]
        objects = [element.values() for element in level if isinstance(element, dict)]
        level = [*itertools.chain(*lists, *objects)]
        if not level:
            return
    raise RecursionError


def _refuse(_name: str) -> NoReturn:
    msg = "NaN and Infinity are not JSON"
    raise ValueError(msg)


def _storable(value: JSON) -> tuple[JSON, bool]:
    match value:
        case str():
            text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value.replace(_NUL, _SYMBOL_FOR_NUL))
            return text, text != value
        case list():
            parts = [_storable(element) for element in value]
            return [part for part, _ in parts], any(changed for _, changed in parts)
        case dict():
            replaced = False
            result: dict[str, JSON] = {}
            for key, element in value.items():
                name, name_changed = _storable(key)
                part, part_changed = _storable(element)
                result[free_name(str(name), result)] = part
                replaced = replaced or name_changed or part_changed
            return result, replaced
        case _:
            return value, False


def text_of(value: JSON) -> str | None:
    """Return a value as text: text itself, and a number as Gong wrote it; None where the value is neither."""
    if type(value) is str:
        return value
    if isinstance(value, Number):
        return value.literal
    if type(value) is int:
        return str(value)
    return None


def free_name(name: str, *taken: Mapping[str, object]) -> str:
    """Return a name that is not taken: itself, else with `#2`, `#3`, … behind it."""
    candidate, number = name, 1
    while any(candidate in names for names in taken):
        number += 1
        candidate = f"{name}#{number}"
    return candidate
