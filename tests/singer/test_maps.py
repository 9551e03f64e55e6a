"""Stream maps: which mistakes are refused before the first call, and how expressions compute with Gong's numbers."""

from __future__ import annotations

import json
import logging
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from singer_sdk.mapper import PluginMapper

from sandbox import Reply, Sandbox
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong import json_text
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.singer import maps, records, schemas
from tests.running import FORMATS, check_output, run_tap
from tests.streams import short

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMAS = {
    schemas.LOOKUPS: (schemas.LOOKUPS_SCHEMA, schemas.LOOKUPS_KEYS),
    **{section.stream: (schemas.section_schema(section), schemas.primary_keys(section)) for section in SECTIONS},
}
COLUMNS: dict[str, Any] = {stream: schema["properties"] for stream, (schema, _) in SCHEMAS.items()}
CUSTOMER_DATA = next(section for section in SECTIONS if section.name == "customerData")
SHARED: dict[str, object] = {
    "email_address": "a@b.example",
    "looked_up_at": "2026-01-01T00:00:00Z",
    "request_id": None,
    "undocumented": None,
}
NUMBERS = ("12.5", "1E+5", "0.1000000000000000055511151231257827", "1E+400", "-1E+400", "7" * 5000)
FLATTENING = {"flattening_enabled": True, "flattening_max_depth": 2}


def refusal(stream_maps: dict[str, object]) -> str | None:
    """Return the message by which maps are refused; None if they are not."""
    try:
        maps.refuse_mistakes(stream_maps, COLUMNS)
    except ConfigError as error:
        return error.message
    return None


@pytest.mark.parametrize(
    "key", ["emials", "Emails", " emails", "EMAILS", "mail*", "[a-b]*", "*.emails", "__ELSE__", ""]
)
@pytest.mark.parametrize("stream_map", [None, "__NULL__", {}, {"mailbox": None}], ids=short)
def test_a_map_that_fits_no_stream_is_refused(key: str, stream_map: object) -> None:
    """The column that a misspelt map should remove would go out in clear."""
    message = refusal({"calls": {}, key: stream_map})
    assert message is not None
    assert "fits no stream" in message
    assert "emails, calls" in message


@pytest.mark.parametrize("source", ["canary", "Emails", "canary*", None, 7, ["emails"], ""])
def test_a_source_that_fits_no_stream_is_refused(source: object) -> None:
    """The stream that a map copies has to exist, whatever the copy is called."""
    message = refusal({"emails": {"__source__": source}})
    assert message is not None
    assert "fits no stream" in message
    assert "canary" not in message


@pytest.mark.parametrize("removed", [None, "__NULL__"])
@pytest.mark.parametrize("key", ["emails", "customer_*", "*", "copy"])
def test_a_removed_column_that_no_such_stream_has_is_refused(key: str, removed: object) -> None:
    """A misspelt column would go out in clear. The message does not quote it."""
    source = {"__source__": "emails"} if key == "copy" else {}
    message = refusal({key: {**source, "canary": removed}})
    assert message is not None
    assert "does not have" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    "stream_map",
    [
        {"__fliter__": "email_address == 'canary'"},
        {"__FILTER__": "True"},
        {"__alais__": "canary"},
        {"__NULL__": "canary"},
        {"__source__": "emails", "__alias__": "canary"},
    ],
    ids=short,
)
def test_an_unknown_option_of_a_map_is_refused(stream_map: dict[str, object]) -> None:
    """The SDK would write a column of that name, and the records that a misspelt filter should keep back."""
    message = refusal({"emails": stream_map})
    assert message is not None
    assert "option" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    "stream_maps",
    [
        {},
        {"__else__": None},
        {"emails": None, "calls": "__NULL__", "meet*": {}},
        {"emails": {"mailbox": None, "from": "__NULL__", "new": "md5(mailbox)", "__filter__": "True"}},
        {"customer_*": {"objects": None}},  # of the two streams, one has the column
        {"*": {"request_id": None, "__else__": None}},
        {"copy": {"__source__": "lookups", "__filter__": "status == 'found'"}},
        {"emails": {"__alias__": "mails", "__key_properties__": None}},
        {"emails": {"x": "fake.email()"}},
    ],
    ids=short,
)
def test_maps_that_do_what_they_say_are_accepted(stream_maps: dict[str, object]) -> None:
    """Names, patterns, copies and options that fit are accepted."""
    assert refusal(stream_maps) is None


@pytest.mark.parametrize("key", ["lookups", "look*", "*", "?ookups"])
def test_a_filter_of_lookups_is_refused(key: str) -> None:
    """A look-up without a row would be a search without proof."""
    message = refusal({key: {"__filter__": "email_address != 'canary'"}})
    assert message is not None
    assert "would remove or filter lookups" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    "stream_map",
    [
        {"x": "fake.email()"},
        {"x": " fake.email()"},
        {"x": "f'{fake.name()} of canary'"},
        {"x": "mailbox or fake.name().upper()"},
        {"x": "[fake.word() for _ in record]"},
        {"__filter__": "fake.boolean()"},
        {"__alias__": "fake.word()"},
    ],
    ids=short,
)
def test_fake_without_its_package_is_refused(stream_map: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The expression would fail after the first call. The message says what to install, and quotes nothing."""
    monkeypatch.setitem(sys.modules, "faker", None)
    message = refusal({"emails": stream_map})
    assert message is not None
    assert "install tap-gong-privacy[faker]" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    "expression", ["'fake'", "record['fake']", "mailbox.fake", "fakes", "(((", "\0", "-" * 100_000]
)
def test_what_only_looks_like_fake_needs_no_package(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts, columns and attributes of that name do not count as a use of the package, nor does invalid syntax."""
    monkeypatch.setitem(sys.modules, "faker", None)
    assert refusal({"emails": {"x": expression}}) is None


def transformed(
    stream_map: Mapping[str, object], number: str, **settings: object
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Map a record whose CRM field and undocumented field are a number. Return the record and its schema."""
    mapper = PluginMapper({"stream_maps": {"customer_data": stream_map}, **settings}, logging.getLogger())  # type: ignore[dict-item]
    schema, key = SCHEMAS["customer_data"]
    mapper.register_raw_stream_schema("customer_data", schema, key)
    (mapped,) = mapper.stream_maps["customer_data"]
    maps.compute_exactly([mapped])
    elements, _ = json_text.decode(
        f'[{{"system": "S", "new": {number}, "objects": [{{"fields": [{{"value": {number}}}]}}]}}]'.encode()
    )
    (record,) = records.build(CUSTOMER_DATA, elements, SHARED, lambda _name: None)  # type: ignore[arg-type]
    result = mapped.transform(record)
    assert result is not None
    return result, mapped.transformed_schema


VALUE = 'objects[0]["fields"][0]["value"]'
EXPRESSIONS = (
    *("json.dumps(objects)", "json.dumps(undocumented)", "json.dumps(record)", "json.loads(json.dumps(_))"),
    *(f"{VALUE} * 2", f"{VALUE} + 0.5", f"2 - {VALUE}", f"-{VALUE}", f"{VALUE} / 3", f"{VALUE} > 10.0"),
    *(f"float({VALUE})", f"int({VALUE})", f"str({VALUE})", f"bool({VALUE})", f"f'{{{VALUE}}}'", f"md5(str({VALUE}))"),
    *(VALUE, "objects", 'undocumented["new"]', '[undocumented["new"] * 1.5, undocumented]'),
)


@pytest.mark.parametrize("number", NUMBERS, ids=short)
@pytest.mark.parametrize("settings", [{}, FLATTENING], ids=["nested", "flat"])
def test_expressions_compute_with_any_number_of_gongs(number: str, settings: dict[str, object]) -> None:
    """No number in a CRM field stops a run, and columns that are not computed keep every digit."""
    computed = {f"x{place}": expression for place, expression in enumerate(EXPRESSIONS)}
    record, _ = transformed(computed, number, **settings)
    assert computed.keys() <= record.keys()
    exact = json_text.decode(number.encode())[0]
    if settings:
        assert f'"value":{number}' in record["objects"]
        assert f'"new":{number}' in json.dumps(record, default=str).replace("\\", "")
    else:
        assert record["objects"][0]["fields"][0]["value"] == exact
        assert record["undocumented"] == {"new": exact}
        assert type(record["undocumented"]["new"]) is type(exact)


@pytest.mark.parametrize("number", NUMBERS, ids=short)
def test_a_number_that_an_expression_passes_on_keeps_every_digit(number: str) -> None:
    """A value that is copied or turned into text is Gong's exact number, not a float."""
    stream_map = {"copied": VALUE, "text": f"str({VALUE})", "objects": "objects", "filled": f"f'<{{{VALUE}}}>'"}
    record, _ = transformed({**stream_map, "__filter__": f"{VALUE} != 1.5"}, number)
    assert json_text.canonical(record["copied"]) == number.encode()
    assert record["text"] == number
    assert record["filled"] == f"<{number}>"
    assert type(record["objects"][0]["fields"][0]["value"]) is Decimal


@pytest.mark.parametrize("number", NUMBERS, ids=short)
def test_json_that_an_expression_writes_is_json(number: str) -> None:
    """A number beyond a float's range does not become `Infinity`, which no database reads as JSON."""
    record, _ = transformed({"x": "json.dumps(objects)"}, number)
    (item,) = json.loads(record["x"], parse_constant=pytest.fail)
    assert item["fields"][0]["value"] == max(-sys.float_info.max, min(sys.float_info.max, float(number)))


def test_a_run_with_numbers_and_maps_ends_well() -> None:
    """Each record of a whole run fits its SCHEMA: in `lookups`, sections and copies, nested and flat."""
    fields = ",".join(f'{{"name": "n", "value": {number}}}' for number in NUMBERS)
    others = ",".join(f'"n{place}": {number}' for place, number in enumerate(NUMBERS))
    body = f'{{"customerData": [{{"system": "S", "objects": [{{"fields": [{fields}]}}], {others}}}], {others}}}'
    stream_maps = {
        "lookups": {"note": "json.dumps(undocumented)", "twice": "float(undocumented['n0'] * 2)"},
        "customer_data": {"text": "json.dumps(objects)", "half": "float(undocumented['n1'] / 2)"},
        "copy": {"__source__": "customer_data", "objects": None, "__filter__": "undocumented['n2'] < 1.0"},
        "emails": {"mailbox": "__NULL__"},
    }
    for flattening in ({}, {"flattening_enabled": "true", "flattening_max_depth": "1"}):
        with Sandbox(requests_per_second=0, answers={"*": Reply(body=body)}) as sandbox:
            config = {**sandbox.config, "email_addresses": ["a@b.example"], "stream_maps": json.dumps(stream_maps)}
            result = run_tap({**config, **flattening})
        check_output(result, reconcile=False)
        assert result.returncode == 0
        (lookup,), (data,) = result.records["lookups"], result.records["customer_data"]
        assert (lookup["twice"], data["half"], len(result.records["copy"])) == (25, 50_000, 1)
        assert all(number in result.stdout for number in NUMBERS)


def test_a_mapped_record_fits_its_schema() -> None:
    """A column that an expression fills with one of Gong's numbers still has the declared type."""
    record, schema = transformed({"x": f"float({VALUE})", "y": f"int({VALUE})", "z": f"str({VALUE})"}, "12.50")
    assert (record["x"], record["y"], record["z"]) == (12.5, 12, "12.50")
    assert not list(Draft202012Validator(schema, format_checker=FORMATS).iter_errors(record))
