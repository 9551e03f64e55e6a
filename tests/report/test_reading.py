"""Reading: a database of any dialect and the tap's output give the same; what cannot be read is one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report.rows import database, singer_output
from tap_gong_privacy.report.rows.tables import STREAMS, TABLES, Kind, read_value
from tests.report.building import DAY_0, JANE, at, entry, found, load, load_sqlite, look_up, singer_lines

if TYPE_CHECKING:
    from pathlib import Path


RECORDS = [
    entry("customer_data", JANE, "CRM", objects=[{"id": "1", "fields": []}, None], undocumented={"a": [1, None]}),
    entry("emails", JANE, "mail", sent_time="2024-05-09T23:59:58.123456Z", mailbox="x@example.org", **{"from": JANE}),
    look_up(JANE, "found", emails_count=1, customer_data_count=1, undocumented={"more": {"deep": "x"}}),
    look_up("Jane.Doe@example.com", "rejected", errors=["no"]),
    look_up("else@example.org", "not_found"),
]


@pytest.mark.parametrize("addresses", [[JANE], None])
def test_a_database_and_the_taps_output_give_the_same(addresses: list[str] | None, tmp_path: Path) -> None:
    """Values, columns, other spellings, and the addresses of the tables."""
    url = load_sqlite(tmp_path / "db.sqlite", RECORDS)

    assert database.read(url, "gong_privacy", addresses, with_rows=True) == load(RECORDS, addresses)


def test_of_everybody_only_the_look_ups_that_decide_are_kept(tmp_path: Path) -> None:
    """The latest look-up and the latest answer of each address at each Gong, however many rounds there were."""
    records = [look_up(JANE, "found", day) for day in range(5)] + [look_up(JANE, "failed", day) for day in (7, 6)]
    records.append(look_up(JANE, "found", 3.5, api_url="https://us-2.api.gong.io"))
    loaded = database.read(load_sqlite(tmp_path / "db.sqlite", records), "gong_privacy", None)

    assert loaded.look_ups == load(records, None).look_ups
    assert [(kept.status, (kept.at - DAY_0).days) for kept in loaded.look_ups] == [
        ("found", 3),
        ("found", 4),
        ("failed", 7),
    ]


def test_a_stream_that_was_not_loaded_is_known_as_such(tmp_path: Path) -> None:
    """It has no table, or no SCHEMA."""
    url = load_sqlite(tmp_path / "db.sqlite", RECORDS, without=["calls"])
    loaded = database.read(url, "gong_privacy", [JANE], with_rows=True)

    assert loaded == load(RECORDS, without=["calls"])
    assert "calls" not in loaded.columns


def test_reading_changes_nothing(tmp_path: Path) -> None:
    """The file stays as it is, byte by byte, and one that is not there is not made."""
    path = tmp_path / "db.sqlite"
    url = load_sqlite(path, RECORDS)
    before = path.read_bytes()
    database.read(url, "gong_privacy", None)

    assert path.read_bytes() == before
    with pytest.raises(ConfigError, match="no such SQLite file"):
        database.read(f"sqlite:///{tmp_path}/missing", "gong_privacy", None)
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    "value, kind, read",
    [
        ('{"a": 1.10, "b": 12345678901234567890123}', Kind.JSON, {"a": Decimal("1.10"), "b": 12345678901234567890123}),
        ('"{\\"a\\": 1}"', Kind.JSON, {"a": 1}),
        ("null", Kind.JSON, None),
        ({"a": 1}, Kind.JSON, {"a": 1}),
        (["a", None], Kind.JSON, ["a", None]),
        ("no JSON", Kind.JSON, "no JSON"),
        (datetime(2026, 3, 1, 9, tzinfo=UTC).replace(tzinfo=None), Kind.TIME, DAY_0),
        (datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1))), Kind.TIME, DAY_0),
        ("2026-03-01 09:00:00.000000", Kind.TIME, DAY_0),
        (at(0), Kind.TIME, DAY_0),
        (Decimal(7), Kind.INTEGER, 7),
        (7, Kind.TEXT, "7"),
        (None, Kind.TEXT, None),
    ],
)
def test_values_are_read_as_each_target_stores_them(value: object, kind: Kind, read: object) -> None:
    """JSON as text or decoded, times with or without a zone, numbers as decimals."""
    assert read_value(value, kind) == read


@pytest.mark.parametrize("kind", [Kind.TIME, Kind.INTEGER])
def test_a_value_of_another_kind_is_refused_without_being_shown(kind: Kind) -> None:
    """The message says what to look at."""
    with pytest.raises(ConfigError, match="holds something else") as caught:
        read_value("jane", kind)
    assert "jane" not in str(caught.value)


def statement(stream: str, dialect: sa.Dialect, columns: list[str]) -> str:
    """The SQL that reads a stream's rows, its white space made even."""
    table = database.table_of(stream, TABLES[stream], columns, "gong_privacy")
    compiled = database.select(table, stream, [JANE], dialect.name).compile(dialect=dialect)
    return " ".join(str(compiled).split())


def test_postgres_gives_all_json_as_text() -> None:
    """`jsonb`, `jsonb[]` and `text[]` alike; the reserved word is quoted."""
    sql = statement("emails", sa.make_url("postgresql+psycopg://").get_dialect()(), list(TABLES["emails"]))

    assert 'SELECT gong_privacy.emails.email_address, gong_privacy.emails.id, gong_privacy.emails."from"' in sql
    assert "CAST(to_jsonb(gong_privacy.emails.undocumented) AS TEXT)" in sql
    assert "WHERE gong_privacy.emails.email_address IN" in sql


@pytest.mark.parametrize("stream", TABLES)
def test_the_statements_compile_for_snowflake(stream: str) -> None:
    """Names need no quotes but `FROM`, which has Snowflake's case."""
    dialect = pytest.importorskip("snowflake.sqlalchemy.snowdialect").dialect()
    # As its inspector gives names: lower case, save where a name needs quotes.
    columns = ["FROM" if name == "from" else name for name in TABLES[stream]]
    sql = statement(stream, dialect, columns)

    assert f"FROM gong_privacy.{stream} WHERE gong_privacy.{stream}.email_address IN" in sql
    assert '"FROM"' in sql if stream == "emails" else '"' not in sql
    assert "to_jsonb" not in sql


@pytest.mark.parametrize(
    "lines, reason",
    [
        ([], "holds no look-up"),
        ([b"\n"], "holds no look-up"),
        ([b"no JSON\n"], "Line 1 is not of this tap's output"),
        ([b"[]\n"], "Line 1 is not of this tap's output"),
        ([b'{"type": "RECORD", "stream": "lookups", "record": 1}\n'], "Line 1 is not of this tap's output"),
        ([b'{"type": "RECORD", "stream": "lookups", "record": {"email_address": "x"}}\n'], "Line 1"),
        ([b'{"type": "SCHEMA", "stream": "emails", "schema": 1}\n'], "Line 1 is not of this tap's output"),
        ([*singer_lines([look_up(JANE, "found")]), b'{"type": "RECORD", "str'], "Line 8 is not of this tap's output"),
        ([b"\xff\xfe\n"], "Line 1 is not of this tap's output"),
        ([b"[" * 10_000 + b"\n"], "Line 1 is not of this tap's output"),
        (singer_lines([]), "holds no look-up"),
        (singer_lines(found(JANE, emails=1), without=["lookups"]), "The stream lookups was not loaded"),
        (singer_lines(found(JANE), columns={"lookups": ["status"]}), "loaded without status"),
    ],
)
def test_what_is_not_the_taps_output_is_refused(lines: list[bytes], reason: str) -> None:
    """With the line, and what to do."""
    with pytest.raises(ConfigError, match=reason):
        singer_output.read(lines, [JANE])


def test_a_look_up_without_a_time_is_refused(tmp_path: Path) -> None:
    """By both readers: without it, an address would seem never asked."""
    records = [look_up(JANE, "found", looked_up_at=None)]

    with pytest.raises(ConfigError, match="A row of lookups has no looked_up_at"):
        singer_output.read(singer_lines(records), [JANE])
    with pytest.raises(ConfigError, match="A row of lookups has no looked_up_at"):
        database.read(load_sqlite(tmp_path / "db.sqlite", records), database.DEFAULT_SCHEMA, [JANE])


def test_other_messages_are_passed_over() -> None:
    """STATE, and streams of other taps."""
    others = [
        b'{"type": "STATE", "value": {}}\n',
        b'{"type": "SCHEMA", "stream": "other", "schema": {}}\n',
        b'{"type": "RECORD", "stream": "other", "record": {}}\n',
    ]

    assert singer_output.read([*others, *singer_lines(RECORDS), *others], [JANE], with_rows=True) == load(RECORDS)


def test_a_later_record_of_the_same_key_replaces_an_earlier_one() -> None:
    """As a target's update does; the outputs of several runs can be read one after another."""
    first, second = found(JANE, 0, emails=2), found(JANE, 1, emails=1)
    loaded = load([*first, *second])

    assert [(row["id"], row["looked_up_at"]) for row in loaded.rows["emails"]] == [
        ("emails-0", DAY_0 + timedelta(days=1)),
        ("emails-1", DAY_0),
    ]
    assert len(loaded.look_ups) == 2


def test_halves_of_characters_are_replaced() -> None:
    """No file can hold them."""
    records = [entry("calls", JANE, "half\ud800", undocumented={"\udc00": ["\ud83d\ude00"]}), look_up(JANE, "found")]
    row = load(records).rows["calls"][0]

    assert row["id"] == "half\N{REPLACEMENT CHARACTER}"
    assert row["undocumented"] == {"\N{REPLACEMENT CHARACTER}": ["\N{GRINNING FACE}"]}


def test_numbers_keep_their_digits() -> None:
    """Floats would lose some."""
    line = singer_lines([entry("customer_data", JANE, "CRM", objects=[{"n": 1}]), look_up(JANE, "found")])
    line = [text.replace(b'{"n": 1}', b'{"n": 0.10000000000000000055, "m": 123456789012345678901}') for text in line]
    row = singer_output.read(line, [JANE], with_rows=True).rows["customer_data"][0]

    assert row["objects"] == [{"n": Decimal("0.10000000000000000055"), "m": 123456789012345678901}]


def test_all_documented_columns_are_known() -> None:
    """Those of the schemas, and the two that newer versions have."""
    assert {"attempts", "api_url", "http_status", "errors"} <= TABLES["lookups"].keys()
    assert {f"{stream}_count" for stream in STREAMS} <= TABLES["lookups"].keys()
    assert TABLES["lookups"]["errors"] is Kind.JSON
    assert TABLES["emails"]["sent_time"] is Kind.TIME
    assert json.dumps(list(TABLES["calls"])) == (
        '["email_address", "id", "status", "external_systems", "looked_up_at", "request_id", "undocumented"]'
    )
