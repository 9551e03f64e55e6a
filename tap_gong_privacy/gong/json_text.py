"""JSON as Gong wrote it, decoded and encoded without losing a digit or a name."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON: TypeAlias = "bool | int | Decimal | str | list[JSON] | dict[str, JSON] | None"

_NUL = "\0"
_SYMBOL_FOR_NUL = "\N{SYMBOL FOR NULL}"
_SURROGATE = re.compile("[\ud800-\udfff]")
# JSON in UTF-8 can hold neither character except as an escape.
_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Python refuses to convert longer integers to and from text.
_LONGEST_INTEGER = 4300
DEEPEST = 100
"""How many levels of lists and objects an answer may have."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")

_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")


class RepeatedNameError(ValueError):
    """An object has one name twice, so that one of the two values would be lost."""


def canonical(value: object) -> bytes:
    """Return the one JSON text of a value: names sorted, no spaces, UTF-8, every digit of its numbers.

    Hashes of this text are keys in warehouses, so it must never change.
    """
    return _canonical.encode(value)


def decode(text: bytes, deepest: int = DEEPEST) -> tuple[JSON, bool]:
    """Decode JSON. Integers become `int`, all other numbers `Decimal`, so that every digit is kept.

    The two characters that no target can store are replaced: NUL by U+2400, a lone surrogate by U+FFFD.

    Args:
        text: JSON in UTF-8.
        deepest: How many levels a value may have.

    Returns:
        The value, and whether a character in it was replaced.

    Raises:
        RepeatedNameError: If an object, on any level, has one name twice.
        ValueError: If the text is not UTF-8, not JSON, nested too deeply, or holds a number beyond `Decimal`.
    """
    try:
        value: JSON = json.loads(
            text.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=unique,
        )
        _refuse_depth(value, deepest)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    except InvalidOperation:
        msg = "a number is out of range"
        raise ValueError(msg) from None
    return _storable(value) if _UNSTORABLE.search(text) else (value, False)


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _LONGEST_INTEGER else Decimal(digits)


def _refuse_constant(_name: str) -> NoReturn:
    msg = "NaN and Infinity are not JSON"
    raise ValueError(msg)


def unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    """Return the object of these names and values: a hook for `json.loads`, which would keep the last of two values.

    Raises:
        RepeatedNameError: If a name occurs twice.
    """
    content = dict(pairs)
    if len(content) < len(pairs):
        raise RepeatedNameError
    return content


def _refuse_depth(value: JSON, deepest: int) -> None:
    """Raise `RecursionError` if a value is nested so deeply that encoding it could exhaust Python's stack."""
    level: list[JSON] = [value]
    for _ in range(deepest):
        inner: list[JSON] = []
        for element in level:
            if isinstance(element, dict):
                inner.extend(element.values())
            elif isinstance(element, list):
                inner.extend(element)
        if not inner:
            return
        level = inner
    raise RecursionError


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


def storable_text(text: str) -> str:
    """Return a text in which the characters that no target can store are replaced."""
    return str(_storable(text)[0])


def text_of(value: JSON) -> str | None:
    """Return text as it is and a number with all its digits. Return None for any other value."""
    if type(value) is str:
        return value
    if isinstance(value, Decimal) or type(value) is int:
        return str(value)
    return None


def is_plain(text: str) -> bool:
    """Return whether a text of unknown origin can be shown in a log, because it cannot be an address."""
    return _PLAIN.fullmatch(text) is not None


def free_name(name: str, *taken: Mapping[str, object]) -> str:
    """Return a name that is not taken: the name itself, or else the name followed by `#2`, `#3`, …."""
    candidate, number = name, 1
    while any(candidate in names for names in taken):
        number += 1
        candidate = f"{name}#{number}"
    return candidate
