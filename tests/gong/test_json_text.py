"""JSON without loss: digits, characters, names."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tap_gong_privacy.gong.json_text import (
    JSON,
    RepeatedNameError,
    canonical,
    decode,
    free_name,
    storable_text,
    text_of,
)

NUL = "\N{SYMBOL FOR NULL}"
REPLACED = "\N{REPLACEMENT CHARACTER}"

NUMBERS = {
    "0": "0",
    "-1": "-1",
    "1.0": "1.0",
    "-0.0": "-0.0",
    "0.10": "0.10",
    # An exponent may be written another way.
    "1E400": "1E+400",
    "1e-5": "0.00001",
    "1.5e+10": "1.5E+10",
    "1e999999999999999999": "1E+999999999999999999",
    "9007199254740993": "9007199254740993",
    "9223372036854775808": "9223372036854775808",
    "-9223372036854775809": "-9223372036854775809",
    "18446744073709551616": "18446744073709551616",
    "-123456789012345678901234567890": "-123456789012345678901234567890",
    "3.14159265358979323846264338327950288": "3.14159265358979323846264338327950288",
    **{digits: digits for digits in ("1" * 4299, "1" * 4300, "1" * 4301, "-" + "1" * 9000, "1" * 5000 + ".5")},
}


@pytest.mark.parametrize("beside", ["null", r'"\ud800"', r'"\u0000"'], ids=["alone", "surrogate", "nul"])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{number[:24]} ({len(number)})")
def test_numbers_keep_every_digit(number: str, beside: str) -> None:
    """A number goes out with the digits that it came with, however many there are."""
    value, _ = decode(f"[{number},{beside}]".encode())
    assert isinstance(value, list)
    assert canonical(value[0]).decode() == NUMBERS[number]
    assert text_of(value[0]) == NUMBERS[number]
    assert Decimal(str(value[0])) == Decimal(number)


def test_a_number_with_a_fraction_or_an_exponent_is_decimal() -> None:
    """Other numbers are integers, so that a column of whole numbers holds no fraction."""
    value, _ = decode(b"[1, 1.50, 1e2]")
    assert value == [1, Decimal("1.50"), Decimal("1e2")]
    assert isinstance(value, list)
    assert [type(number) for number in value] == [int, Decimal, Decimal]


@pytest.mark.parametrize("value", [None, True, [], {}])
def test_what_is_neither_text_nor_a_number_has_no_text(value: JSON) -> None:
    """Text stays as it is, and a boolean is not a number."""
    assert text_of(value) is None
    assert text_of("a") == "a"


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'[{"x": {"a": 1, "b": 2, "a": null}}]',
        rb'{"a": 1, "\u0061": 2}',
        rb'{"x": [{"\ud83d\ude00": 1, "\uD83D\uDE00": 2}]}',
        b'{"": 1, "": 2}',
    ],
)
def test_a_name_that_an_object_has_twice_is_an_error(text: bytes) -> None:
    """On any level, however its letters are written: one of the two values would be lost."""
    with pytest.raises(RepeatedNameError):
        decode(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        (rb'"a\u0000b"', f"a{NUL}b"),
        (rb'"\ud83d"', REPLACED),
        (rb'"\udc00\ud800"', REPLACED * 2),
        (rb'["x", "\u0000"]', ["x", NUL]),
        (rb'{"\u0000": {"\ud800": "\u0000"}}', {NUL: {REPLACED: NUL}}),
    ],
)
def test_what_no_target_can_store_is_replaced_and_reported(text: bytes, expected: object) -> None:
    """NUL and lone surrogates are replaced, in names as well, and the result says so."""
    assert decode(text) == (expected, True)


@pytest.mark.parametrize(
    "text, expected",
    [
        (rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
        (rb'["\\u0000"]', ["\\u0000"]),
        (rb'["\\ud800"]', ["\\ud800"]),
        ('"é\u200b\u2028\ufeff"'.encode(), "é\u200b\u2028\ufeff"),
        (rb'"\u0001\u001f\u007f"', "\u0001\u001f\u007f"),
        (NUL.join('""').encode(), NUL),
    ],
)
def test_every_other_character_stays(text: bytes, expected: object) -> None:
    """Surrogate pairs, escaped escapes, control and invisible characters are kept, and do not count as replaced."""
    assert decode(text) == (expected, False)


def test_names_that_become_equal_are_both_kept() -> None:
    """Two names that differ only in replaced characters are both kept."""
    value, _ = decode(b'{"\\u0000": 1, "' + NUL.encode() + b'": 2, "\\ud800": 3, "\\ud801": 4}')
    assert value == {NUL: 1, f"{NUL}#2": 2, REPLACED: 3, f"{REPLACED}#2": 4}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"<html></html>",
        b"{",
        b'{"a": 1} x',
        b"{'a': 1}",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"[01]",
        b"[1,]",
        b'{"a": 1',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        '{"a": 1}'.encode("utf-16"),
        "ü".encode("latin-1"),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b'"\\ud800"' + b"}" * 100_000,
        b"[" * 101 + b"]" * 101,
        b"1e9999999999999999999999",
        b"[-1.5e-9999999999999999999999]",
    ],
    ids=lambda text: f"{text[:20]!r} ({len(text)})",
)
def test_what_is_no_json_in_utf_8_is_a_value_error(text: bytes) -> None:
    """Text that is not UTF-8, not JSON, too deep, or has a number out of range raises one kind of error."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


def test_a_hundred_levels_are_not_too_deep() -> None:
    """CRM fields may nest."""
    text = b"[" * 100 + b"]" * 100
    assert canonical(decode(text)[0]) == text


def test_a_byte_order_mark_is_passed_over() -> None:
    """A BOM before the text does no harm."""
    assert decode(b'\xef\xbb\xbf{"a": "b"}') == ({"a": "b"}, False)


def test_the_canonical_text_is_one() -> None:
    """Order of names, white space and escapes do not matter; what was written as a number does."""
    first, _ = decode(rb'{"b": [1.50, null, true], "a": "\u00e9/"}')
    second, _ = decode('{ "a" : "é\\/" , "b":[1.50,null,true]}'.encode())
    assert canonical(first) == canonical(second) == '{"a":"é/","b":[1.50,null,true]}'.encode()
    other, _ = decode('{"b": [1.5, null, true], "a": "é/"}'.encode())
    assert canonical(other) != canonical(first)


def test_the_canonical_text_is_json() -> None:
    """The canonical text reads as what went in."""
    value = {"b": [1, '\u0001"\\'], "a": {"z": None, "y": False}}
    assert json.loads(canonical(value)) == value


def test_a_text_can_be_made_storable() -> None:
    """The same two characters are replaced, and no other."""
    assert storable_text("a\0\ud800\u200bé") == f"a{NUL}{REPLACED}\u200bé"


@pytest.mark.parametrize(
    "taken, expected",
    [
        ([], "x"),
        ([{"x": None}], "x#2"),
        ([{"x": None, "x#2": None}], "x#3"),
        ([{"x": None}, {"x#2": None}], "x#3"),
        ([{"x#2": None}], "x"),
    ],
)
def test_a_taken_name_gets_a_number(taken: list[dict[str, object]], expected: str) -> None:
    """A name is used as it is if it is free, and otherwise with the first free number."""
    assert free_name("x", *taken) == expected
