"""What `--discover` prints for each stream, and the declaration that it follows from.

A changed schema shows in review as a changed file in `tests/singer/snapshots`. To renew these files, run
`RENEW_SNAPSHOTS=1 .venv/bin/python -m pytest tests/singer/test_schemas.py`, and read the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from jsonschema import Draft202012Validator

from sandbox import EXAMPLE_ANSWER
from tap_gong_privacy.gong.documented import SECTIONS, Kind, snake_case
from tap_gong_privacy.singer.schemas import LOOKUPS_SCHEMA, section_schema
from tests.running import run_tap
from tests.streams import STREAMS

Entry: TypeAlias = dict[str, Any]

SNAPSHOTS = Path(__file__).with_name("snapshots")
RENEW = "RENEW_SNAPSHOTS"

# The contract's table of streams, in its own words.
KEYS = {
    "emails": ["email_address", "id"],
    "calls": ["email_address", "id"],
    "meetings": ["email_address", "id"],
    "customer_data": ["email_address", "system"],
    "customer_engagement": ["email_address", "event_hash"],
    "lookups": ["email_address", "looked_up_at"],
}
COLUMNS = {
    "emails": {"from", "id", "sent_time", "mailbox", "message_hash"},
    "calls": {"id", "status", "external_systems"},
    "meetings": {"id"},
    "customer_data": {"system", "objects"},
    "customer_engagement": {
        "event_hash",
        "event_type",
        "timestamp",
        "content_id",
        "content_url",
        "reporting_system",
        "event_name",
        "source_event_id",
    },
    "lookups": {
        "api_url",
        "status",
        "errors",
        "attempts",
        "http_status",
        "emails_count",
        "calls_count",
        "meetings_count",
        "customer_data_count",
        "customer_engagement_count",
    },
}
SHARED = {"email_address", "looked_up_at", "request_id", "undocumented"}


@pytest.fixture(scope="module")
def catalog() -> dict[str, Entry]:
    """What the installed command prints for `--discover`, by stream."""
    done = run_tap(None, "--discover")
    assert done.returncode == 0
    return {entry["stream"]: entry for entry in json.loads(done.stdout)["streams"]}


@pytest.fixture(scope="module")
def snapshots(catalog: dict[str, Entry]) -> Path:
    """The folder of the snapshots, renewed first on request."""
    if os.environ.get(RENEW):
        SNAPSHOTS.mkdir(exist_ok=True)
        for path in SNAPSHOTS.glob("*.json"):
            path.unlink()
        for stream, entry in catalog.items():
            (SNAPSHOTS / f"{stream}.json").write_text(printed(entry), encoding="utf-8")
    return SNAPSHOTS


def printed(entry: Entry) -> str:
    """Return a stream's entry as its snapshot has it."""
    return json.dumps(entry, indent=2, ensure_ascii=False) + "\n"


def test_six_streams_are_discovered(catalog: dict[str, Entry], snapshots: Path) -> None:
    """There are six streams, and a snapshot of each and of nothing else."""
    assert sorted(catalog) == sorted(STREAMS)
    assert sorted(path.stem for path in snapshots.iterdir()) == sorted(STREAMS)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_discovered_as_its_snapshot_has_it(stream: str, catalog: dict[str, Entry], snapshots: Path) -> None:
    """What `--discover` prints changes only with the snapshot (see the top of this file)."""
    # The order of keys is the SDK's affair.
    expected = json.loads((snapshots / f"{stream}.json").read_text(encoding="utf-8"))
    assert catalog[stream] == expected, f"if that is meant: {RENEW}=1 pytest tests/singer/test_schemas.py"


@pytest.mark.parametrize("stream", STREAMS)
def test_columns_and_keys_are_those_of_the_contract(stream: str, catalog: dict[str, Entry]) -> None:
    """Each stream has the contract's columns and key, and no replication key."""
    entry = catalog[stream]
    assert set(entry["schema"]["properties"]) == COLUMNS[stream] | SHARED
    assert entry["key_properties"] == KEYS[stream]
    assert set(entry["schema"]["required"]) == {*KEYS[stream], "looked_up_at"}
    assert not entry.get("replication_key")


@pytest.mark.parametrize("stream", STREAMS)
def test_schemas_are_what_targets_take(stream: str, catalog: dict[str, Entry]) -> None:
    """Each column has a type and a description, all but the required ones are nullable, none is `{}`."""
    schema = catalog[stream]["schema"]
    Draft202012Validator.check_schema(schema)
    always = {*schema["required"], *({"api_url", "status", "attempts"} if stream == "lookups" else ())}
    for name, column in schema["properties"].items():
        assert column["description"]
        assert ("null" not in column["type"]) == (name in always), name


def test_names_are_those_of_gongs_example() -> None:
    """The declaration has the names of the example answer of Gong's page, at each level, and no others."""

    def names(value: object) -> object:
        match value:
            case dict():
                return {name: names(inner) for name, inner in value.items()}
            case [first]:
                return names(first)
            case _:
                return None

    def declared(fields: Any) -> object:  # noqa: ANN401 - a tuple of Field, which is nested
        return {field.name: declared(field.fields) if field.kind is Kind.OBJECTS else None for field in fields}

    example = {name: names(value) for name, value in EXAMPLE_ANSWER.items() if name != "requestId"}
    assert {section.name: declared(section.fields) for section in SECTIONS} == example


@pytest.mark.parametrize(
    "name, expected",
    [
        ("id", "id"),
        ("sentTime", "sent_time"),
        ("customerEngagement", "customer_engagement"),
        ("contentUrl", "content_url"),
        ("sourceEventId", "source_event_id"),
    ],
)
def test_names_become_snake_case(name: str, expected: str) -> None:
    """A documented name needs no quotes in SQL once it is a column."""
    assert snake_case(name) == expected


def test_documented_values_are_described_and_never_enforced() -> None:
    """Gong's lists of values are only in descriptions, because its own example breaks its list."""
    text = json.dumps([*(section_schema(section) for section in SECTIONS), LOOKUPS_SCHEMA])
    assert '"enum"' not in text
    for value in ("Salesforce", "MicrosoftDynamic", "Conversation", "Lead", "contentShared", "digitalInteraction"):
        assert value in text


def test_times_are_declared_as_times() -> None:
    """The fields that Gong documents as ISO 8601, and the tap's own time, are date-times, and no others."""
    times = {
        (section.stream, name)
        for section in SECTIONS
        for name, column in _columns(section_schema(section)).items()
        if column.get("format") == "date-time"
    }
    own = {(section.stream, "looked_up_at") for section in SECTIONS}
    assert times == {("emails", "sent_time"), ("customer_engagement", "timestamp"), *own}


def test_a_value_may_be_any_json() -> None:
    """`fields[].value` takes any JSON, in words that SDK targets understand."""
    section = next(section for section in SECTIONS if section.name == "customerData")
    fields = _columns(section_schema(section))["objects"]["items"]["properties"]["fields"]
    column = fields["items"]["properties"]["value"]
    assert set(column["type"]) == {"string", "number", "boolean", "object", "array", "null"}


def _columns(schema: dict[str, object]) -> dict[str, Entry]:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return properties
