"""Whatever Gong answers, nothing raises, nothing is lost, every record validates, and keys stay the same.

Answers are drawn from the documented schema and then distorted. By default the same few hundred examples are tried each
time. `HYPOTHESIS_PROFILE=thorough .venv/bin/python -m pytest tests/test_properties.py` tries ten thousand new ones.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tap_gong_privacy.gong import answers, json_text, times
from tap_gong_privacy.gong.answers import UnusableError
from tap_gong_privacy.gong.documented import SECTIONS, Field, Kind, Section
from tap_gong_privacy.gong.json_text import canonical
from tap_gong_privacy.singer import records
from tap_gong_privacy.singer.schemas import section_schema
from tests.running import FORMATS

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

Value: TypeAlias = Any
"""Any JSON, numbers with a fraction as `Decimal`."""

pytestmark = pytest.mark.timeout(7200)

SHARED = {"email_address": "a@b.de", "looked_up_at": "2024-01-01T00:00:00Z", "request_id": None, "undocumented": None}
VALIDATORS = {
    section.name: Draft202012Validator(section_schema(section), format_checker=FORMATS) for section in SECTIONS
}
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")

TEXTS = st.one_of(
    st.sampled_from(["", "1", "1#2", "x", "\0", "\ud800", "a@b.de", "Salesforce", "missing-", "1\0"]),
    st.text(st.characters(), max_size=8),  # lone surrogates among them
)
LITERALS = st.one_of(
    st.sampled_from(
        [
            "1.0",
            "-0.0",
            "0.10",
            "1E400",
            "1e-400",
            "1e1000000",
            "1e-1500000",
            "1e18",
            "1" * 5000,
        ]
    ),
    st.decimals(allow_nan=False, allow_infinity=False, places=7).map(lambda number: f"{number:f}e0"),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, 10**11, 10**11 - 1, -(10**11), 2**63, 2**64, -(2**63) - 1, 1547971200, 10**30]),
    LITERALS.map(Decimal),
)
SCALARS = st.one_of(st.none(), st.booleans(), TEXTS, NUMBERS)
TIMES = st.one_of(
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.datetimes(timezones=st.timezones()).map(lambda moment: f"{moment:%Y%m%dT%H%M%S}.1234567{moment:%z}"),
    st.sampled_from(["2019-01-20", "2019-01-20T24:00:00Z", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"]),
    st.datetimes().map(datetime.isoformat),
    NUMBERS,
)


def repaired(text: str) -> str:
    """Return a text as it has to arrive, after its way through JSON."""
    arrived: str = json.loads(json.dumps(text))
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", arrived).replace("\0", "\N{SYMBOL FOR NULL}")


def arrived(value: Value) -> Value:
    """Return a value as it has to arrive."""
    match value:
        case str():
            return repaired(value)
        case list():
            return [arrived(element) for element in value]
        case dict():
            return {repaired(name): arrived(element) for name, element in value.items()}
        case _:
            return value


def encoded(value: Value) -> str:
    """Return a value as JSON, numbers with every digit."""
    match value:
        case Decimal():
            return str(value)
        case list():
            return f"[{','.join(map(encoded, value))}]"
        case dict():
            return f"{{{','.join(f'{json.dumps(name)}: {encoded(element)}' for name, element in value.items())}}}"
        case _:
            return json.dumps(value)


def distinct(value: dict[str, Value]) -> dict[str, Value]:
    """Drop names that a repair would turn into another one; a separate test covers them."""
    kept: dict[str, Value] = {}
    for name, element in value.items():
        if repaired(name) not in map(repaired, kept):
            kept[name] = element
    return kept


JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(TEXTS, inner, max_size=3).map(distinct),
    ),
    max_leaves=6,
)


def fitting(field: Field) -> SearchStrategy[Value]:
    """Draw a value that a documented field may have."""
    match field.kind:
        case Kind.TEXT:
            return st.one_of(TEXTS, NUMBERS)
        case Kind.DATE_TIME:
            return TIMES
        case Kind.ANY:
            return JSON
        case Kind.OBJECTS:
            return st.lists(st.one_of(objects(field.fields), objects(field.fields), JSON), max_size=3)


@st.composite
def objects(draw: DrawFn, fields: tuple[Field, ...]) -> dict[str, Value]:
    """Draw an object: each documented field absent, null, as documented or bent, and others among them."""
    drawn: dict[str, Value] = {}
    columns = [field.column for field in fields] + [f"{field.column}#2" for field in fields]
    strange = [*columns, "undocumented", "email_address", "event_hash", f"{fields[-1].name}[0]", "new", "id#2"]
    for field in draw(st.permutations(fields)):
        if draw(st.integers(0, 3)) == 0:
            drawn[draw(st.one_of(st.sampled_from(strange), TEXTS))] = draw(JSON)
        if draw(st.integers(0, 4)) > 0:
            drawn[field.name] = draw(st.one_of(st.none(), fitting(field), fitting(field), fitting(field), JSON))
    return distinct(drawn)


@st.composite
def element_lists(draw: DrawFn, section: Section) -> list[dict[str, Value]]:
    """Draw the elements of a section, twins among them."""
    drawn = draw(st.lists(objects(section.fields), max_size=4))
    has_twins = draw(st.booleans())
    if drawn and has_twins:
        twins = draw(st.lists(st.sampled_from(drawn), max_size=3))
        others: list[dict[str, Value]] = [{}, {"new": 1}, {"new": 2}]
        drawn += [{**twin, **draw(st.sampled_from(others))} for twin in twins]
    return drawn


SECTION_LISTS = st.sampled_from(SECTIONS).flatmap(lambda section: st.tuples(st.just(section), element_lists(section)))


@st.composite
def bodies(draw: DrawFn) -> dict[str, Value]:
    """Draw the object that an answer is, or looks like."""
    body: dict[str, Value] = {}
    for section in SECTIONS:
        if draw(st.integers(0, 4)) > 0:
            usual = st.one_of(st.none(), element_lists(section))
            body[section.name] = draw(st.one_of(usual, usual, usual, usual, JSON))
    for name in ("requestId", "errors", "cursor", "records"):
        if draw(st.integers(0, 5)) == 0:
            body[name] = draw(JSON if draw(st.booleans()) else st.sampled_from([None, "", [], {}]))
    body |= draw(st.dictionaries(TEXTS, JSON, max_size=2))
    return distinct(body)


def read(body: Value) -> answers.Answer:
    """Read an answer from its content."""
    return answers.read(encoded(body).encode())


def built(section: Section, elements: list[dict[str, Value]]) -> list[dict[str, Value]]:
    """Build the records of a section through the whole way from JSON."""
    answer = read({section.name: elements})
    return list(records.build(section, answer.sections[section.name], dict(SHARED), lambda _name: None))


def is_same(one: Value, other: Value) -> bool:
    """Tell whether two values are the same JSON, digit by digit."""
    return canonical(one) == canonical(other)


def kept_among(others: dict[str, Value], name: str, value: Value) -> bool:
    """Tell whether a value is kept under a name, or under the name with a number."""
    numbered = re.compile(rf"{re.escape(name)}(#\d+)*", re.DOTALL)
    return any(numbered.fullmatch(other) and is_same(kept, value) for other, kept in others.items())


def holds(field: Field, kept: Value, value: Value, path: str, rest: dict[str, Value]) -> bool:
    """Tell whether a documented field's value is in its column, or among the misfits under its path."""
    match field.kind:
        case Kind.ANY:
            return is_same(kept, value)
        case Kind.TEXT if isinstance(value, str):
            return bool(kept == value)
        case Kind.TEXT if type(value) is int or isinstance(value, Decimal):
            return bool(kept == encoded(value))
        case Kind.DATE_TIME if kept is not None:
            return same_moment(kept, value) or kept_among(rest, path, value)
        case Kind.OBJECTS if isinstance(value, list):
            return isinstance(kept, list) and all(
                any(holds_object(field, kept[at], element, f"{path}[{at}]", rest) for at in range(len(kept)))
                for element in value
            )
        case _:
            return value is None or kept_among(rest, path, value)


def holds_object(field: Field, kept: Value, element: Value, path: str, rest: dict[str, Value]) -> bool:
    """Tell whether a nested object holds all that an element of a nested list had."""
    if not isinstance(element, dict):
        return kept is None and (element is None or kept_among(rest, path, element))
    documented = {inner.name: inner for inner in field.fields}
    return isinstance(kept, dict) and all(
        holds(documented[name], kept[documented[name].column], value, f"{path}.{name}", rest)
        if name in documented
        else kept_among(kept, name, value)
        for name, value in element.items()
    )


def same_moment(kept: str, value: Value) -> bool:
    """Tell whether a time in a record is exactly the moment that Gong named."""
    moment = datetime.fromisoformat(kept)
    if isinstance(value, str):
        return times.from_text(value) == (kept, False) and datetime.fromisoformat(value) == moment
    number = Decimal(value) if type(value) is int or isinstance(value, Decimal) else Decimal("NaN")
    if number.is_nan():
        return False
    scale = 1000 if number.copy_abs() >= 10**11 else 1
    since = moment - datetime.fromisoformat("1970-01-01T00:00:00Z")
    microseconds = (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds
    # The exponent is moved on this side, which is small: on the other one it might not be exact.
    return (Decimal(microseconds) * scale).scaleb(-6) == number


def holds_element(section: Section, record: dict[str, Value], element: dict[str, Value]) -> bool:
    """Tell whether a record holds all that an element had; only its key may differ."""
    documented = {field.name: field for field in section.fields}
    rest = record["undocumented"] or {}
    return all(
        holds_key(record[name], value, rest, name)
        if name == section.key and name in documented
        else (name in documented and holds(documented[name], record[documented[name].column], value, name, rest))
        # A joined system keeps objects that are not a list beside the list.
        or ((name not in documented or section.joins_twins) and kept_among(rest, name, value))
        for name, value in element.items()
    )


def holds_key(key: str, value: Value, rest: dict[str, Value], name: str) -> bool:
    """Tell whether a record's key is the one that Gong sent, or tells that there was none."""
    sent = value if isinstance(value, str) else ""
    if type(value) is int or isinstance(value, Decimal):
        sent = encoded(value)
    is_kept = isinstance(value, str) or value is None or bool(sent) or kept_among(rest, name, value)
    pattern = re.escape(sent) if sent else "missing-[0-9a-f]{64}"
    return is_kept and re.fullmatch(rf"{pattern}(#\d+)*", key) is not None


@given(SECTION_LISTS)
def test_nothing_is_lost(drawn: tuple[Section, list[dict[str, Value]]]) -> None:
    """One record holds all that an element holds: in its column, at its level or in `undocumented`."""
    section, elements = drawn
    made = built(section, elements)
    for element in arrived(elements):
        assert any(holds_element(section, record, element) for record in made), element
    if section.is_event:
        assert len(made) == len(elements)
    assert len(made) <= len(elements)
    assert bool(made) == bool(elements)


@given(SECTION_LISTS)
def test_every_record_validates_under_a_unique_key(drawn: tuple[Section, list[dict[str, Value]]]) -> None:
    """Each record fits its schema, formats included, and has a unique key."""
    section, elements = drawn
    made = built(section, elements)
    for record in made:
        assert record.keys() == section_schema(section)["properties"].keys()  # type: ignore[attr-defined]
        written = json.loads(canonical(record), parse_float=Decimal, parse_int=Decimal)
        problems = [error.message for error in VALIDATORS[section.name].iter_errors(written)]
        assert not problems
    keys = [record[section.key] for record in made]
    assert all(keys)
    assert len(set(keys)) == len(keys)


@given(SECTION_LISTS)
def test_the_same_answer_gives_the_same_keys(drawn: tuple[Section, list[dict[str, Value]]]) -> None:
    """Keys depend only on the answer: asked again, or with names in another order, each row gets the same key."""
    section, elements = drawn
    keys = [record[section.key] for record in built(section, elements)]
    turned = [dict(reversed(element.items())) for element in elements]
    assert keys == [record[section.key] for record in built(section, elements)]
    assert keys == [record[section.key] for record in built(section, turned)]
    if section.is_event:
        assert set(keys) == {record[section.key] for record in built(section, elements[::-1])}


@given(bodies())
def test_an_answer_is_taken_whole_or_refused(body: dict[str, Value]) -> None:
    """A complete answer is taken with each element and field; all else is refused, and nothing in between."""
    present = [body[section.name] for section in SECTIONS if section.name in body]
    page = body.get("records")
    is_usable = (
        bool(present)
        and all(value is None or isinstance(value, list) for value in present)
        and all(isinstance(element, dict) for value in present for element in value or [])
        and not body.get("errors")
        and not body.get("cursor")
        and not (isinstance(page, dict) and page.get("cursor"))
    )
    if not is_usable:
        with pytest.raises(UnusableError):
            read(body)
        return
    answer = read(body)
    for section in SECTIONS:
        assert is_same(answer.sections[section.name], arrived(body.get(section.name) or []))
    others = {name: value for name, value in body.items() if name not in {*answer.sections, "requestId"}}
    assert is_same(answer.undocumented, arrived(others))
    assert is_same(answer.request_id, arrived(body.get("requestId")))
    assert answer.holds_something == (any(present) or has_value(arrived(others)))


def has_value(value: Value) -> bool:
    """Tell whether a value contains, at any depth, a value other than null, false, 0 and empty text."""
    match value:
        case dict() | list():
            return any(map(has_value, value.values() if isinstance(value, dict) else value))
        case _:
            return value not in {None, 0, ""}


@given(st.one_of(st.binary(max_size=40), bodies().map(lambda body: encoded(body).encode())), st.data())
def test_no_body_raises_anything_else(body: bytes, data: st.DataObject) -> None:
    """Any bytes, even cut short or with one of them changed, are either an answer or refused."""
    at = data.draw(st.integers(0, len(body)))
    for bent in (body[:at], body[:at] + data.draw(st.binary(max_size=2)) + body[at + 1 :]):
        try:
            answer = answers.read(bent)
        except UnusableError:
            continue
        for section in SECTIONS:
            for record in records.build(section, answer.sections[section.name], dict(SHARED), lambda _name: None):
                assert record[section.key]


@given(JSON)
def test_json_arrives_as_it_was_sent(value: Value) -> None:
    """Each digit, character and name arrives, except characters that no target can store, and the result says so."""
    text = encoded(value)
    decoded, is_repaired = json_text.decode(text.encode())
    assert is_same(decoded, arrived(value))
    assert is_repaired == any(
        re.search("[\0\ud800-\udfff]", part) for part in texts(json.loads(text, parse_int=Decimal))
    )


def texts(value: Value) -> list[str]:
    """Return each text and name in a value."""
    match value:
        case str():
            return [value]
        case list():
            return [text for element in value for text in texts(element)]
        case dict():
            return [text for name, element in value.items() for text in (name, *texts(element))]
        case _:
            return []


@given(st.one_of(st.text(max_size=30), TIMES.filter(lambda value: isinstance(value, str))))
def test_no_text_breaks_a_time(text: str) -> None:
    """A text is the same moment in UTC, to the microsecond, or is not a time."""
    result = times.from_text(text)
    if result is not None:
        assert UTC_TIME.fullmatch(result[0])
        assert datetime.fromisoformat(result[0]) == datetime.fromisoformat(text)


@given(NUMBERS)
def test_no_number_breaks_a_time(number: int | Decimal) -> None:
    """A number is the same moment in UTC, or is reported as cut, or is not a time."""
    result = times.from_epoch(Decimal(number))
    if result is not None:
        text, is_cut = result
        assert UTC_TIME.fullmatch(text)
        assert is_cut != same_moment(text, number)
