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
from tap_gong_privacy.report.rows.tables import STREAMS, TABLES, Content, Unreadable, read_value
from tests.report.building import (
    DAY_0,
    JANE,
    NOW,
    OTHER_CASE,
    SCHEMAS,
    Records,
    at,
    entry,
    found,
    load,
    load_sqlite,
    look_up,
    singer_lines,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tap_gong_privacy.report.rows.tables import Loaded


RECORDS = [
    entry("customer_data", JANE, "CRM", objects=[{"id": "1", "fields": []}, None], undocumented={"a": [1, None]}),
    entry("emails", JANE, "mail", sent_time="2024-05-09T23:59:58.123456Z", mailbox="x@example.org", **{"from": JANE}),
    look_up(JANE, "found", emails_count=1, customer_data_count=1, undocumented={"more": {"deep": "x"}}),
    look_up(OTHER_CASE, "rejected", errors=["no"]),
    look_up("else@example.org", "not_found", 1),
]


def comparable(loaded: Loaded) -> dict[str, object]:
    """What was loaded, without the order of rows, which databases do not keep."""
    return {
        **vars(loaded),
        "look_ups": sorted(loaded.look_ups, key=str),
        "groups": sorted(loaded.groups, key=str),
        "rows": {name: sorted(rows, key=str) for name, rows in loaded.rows.items()},
        "has_zones": None,
    }


def read_sqlite(
    folder: Path, records: Records, addresses: list[str] | None, *, without: tuple[str, ...] = ()
) -> Loaded:
    """What the report reads from SQLite."""
    url = load_sqlite(folder / "db.sqlite", records, without=without)
    return database.read(url, "gong_privacy", addresses, NOW, with_rows=addresses is not None)


@pytest.mark.parametrize("addresses", [[JANE], None])
def test_a_database_and_the_taps_output_give_the_same(addresses: list[str] | None, tmp_path: Path) -> None:
    """Values, columns, other spellings, and the addresses of the tables."""
    records = [*RECORDS, entry("calls", JANE, "unexplained", 5), entry("calls", "no.look-up@example.org", "1")]

    assert comparable(read_sqlite(tmp_path, records, addresses)) == comparable(load(records, addresses))


def test_rows_are_counted_by_look_up_and_explained_by_answers_that_found_something(tmp_path: Path) -> None:
    """A load that is under way has rows that no look-up explains, and so has one that broke off."""
    records = [*found(JANE, emails=2), look_up(JANE, "failed", 1), entry("emails", JANE, "e9", 1)]
    groups = read_sqlite(tmp_path, records, [JANE]).groups

    assert [(group.stream, group.at, group.rows, group.is_explained) for group in groups] == [
        ("emails", DAY_0, 2, True),
        ("emails", DAY_0 + timedelta(days=1), 1, False),
    ]


def test_rows_of_one_key_are_counted_once(tmp_path: Path) -> None:
    """A target that only appends can hold them twice."""
    records = [*found(JANE, emails=2), *found(JANE, emails=1)[:-1]]
    loaded = read_sqlite(tmp_path, records, [JANE])

    assert [group.rows for group in loaded.groups] == [2]
    assert len(loaded.rows["emails"]) == 3


def test_request_ids_of_two_people_are_known(tmp_path: Path) -> None:
    """Whoever the report is about; one address may have been answered twice with the same id."""
    records = [look_up(JANE, "found", request_id="a"), look_up("x@example.org", "not_found", request_id="a")]
    records += [look_up(JANE, "found", day, request_id="b") for day in (1, 2)]
    records += [look_up(address, "failed", 3, request_id="c") for address in (JANE, "x@example.org")]

    assert read_sqlite(tmp_path, records, [JANE]).shared == load(records).shared == {"a"}


def test_times_without_a_zone_are_known_as_such(tmp_path: Path) -> None:
    """The tap writes UTC; a target may drop that."""
    assert not read_sqlite(tmp_path, RECORDS, [JANE]).has_zones
    assert load(RECORDS).has_zones


def test_a_stream_that_was_not_loaded_is_known_as_such(tmp_path: Path) -> None:
    """It has no table, or no SCHEMA."""
    loaded = read_sqlite(tmp_path, RECORDS, [JANE], without=("calls",))

    assert comparable(loaded) == comparable(load(RECORDS, without=["calls"]))
    assert "calls" not in loaded.columns


def test_a_table_without_the_address_is_refused(tmp_path: Path) -> None:
    """A map has removed it, so nothing says whose rows they are."""
    with pytest.raises(ConfigError, match="The stream emails was loaded without email_address"):
        singer_output.read(singer_lines(found(JANE), columns={"emails": ["email_address"]}), [JANE])
    url = load_sqlite(tmp_path / "db.sqlite", RECORDS)
    with sa.create_engine(url).begin() as connection:
        connection.execute(sa.text("ALTER TABLE emails DROP COLUMN email_address"))
    with pytest.raises(ConfigError, match="The stream emails was loaded without email_address"):
        database.read(url, "gong_privacy", [JANE], NOW)


def test_reading_changes_nothing(tmp_path: Path) -> None:
    """The file stays as it is, byte by byte, and one that is not there is not made."""
    path = tmp_path / "db.sqlite"
    url = load_sqlite(path, RECORDS)
    before = path.read_bytes()
    database.read(url, "gong_privacy", None, NOW)

    assert path.read_bytes() == before
    with pytest.raises(ConfigError, match="no such SQLite file"):
        database.read(f"sqlite:///{tmp_path}/missing", "gong_privacy", None, NOW)
    assert not (tmp_path / "missing").exists()


def test_more_addresses_than_a_statement_can_name_are_read(tmp_path: Path) -> None:
    """In parts."""
    addresses = [f"person{number}@example.com" for number in range(11_000)]
    records = [look_up(address, "not_found") for address in (addresses[0], addresses[-1])]
    loaded = read_sqlite(tmp_path, records, addresses)

    assert {row["email_address"] for row in loaded.look_ups} == {addresses[0], addresses[-1]}


@pytest.mark.parametrize(
    "value, content, read",
    [
        (
            '{"a": 1.10, "b": 12345678901234567890123}',
            Content.JSON,
            {"a": Decimal("1.10"), "b": 12345678901234567890123},
        ),
        ('"{\\"a\\": 1}"', Content.JSON, {"a": 1}),
        ("null", Content.JSON, None),
        ({"a": 1}, Content.JSON, {"a": 1}),
        (["a", None], Content.JSON, ["a", None]),
        ("no JSON", Content.JSON, Unreadable.NOT_JSON),
        ("[{'a': None}]", Content.JSON, Unreadable.NOT_JSON),
        ('"text"', Content.JSON, Unreadable.NOT_JSON),
        (7, Content.JSON, Unreadable.NOT_JSON),
        ("[]", Content.JSON, []),
        (datetime(2026, 3, 1, 9, tzinfo=UTC).replace(tzinfo=None), Content.TIME, DAY_0),
        (datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1))), Content.TIME, DAY_0),
        ("2026-03-01 09:00:00.000000", Content.TIME, DAY_0),
        (at(0), Content.TIME, DAY_0),
        (Decimal(7), Content.INTEGER, 7),
        (Decimal("7.0"), Content.INTEGER, 7),
        (0.0, Content.INTEGER, 0),
        ("7", Content.INTEGER, 7),
        (7, Content.TEXT, "7"),
        (None, Content.TEXT, None),
    ],
)
def test_values_are_read_as_each_target_stores_them(value: object, content: Content, read: object) -> None:
    """JSON as text or decoded, times with or without a zone, numbers as decimals."""
    assert read_value(value, content) == read


@pytest.mark.parametrize("content", [Content.TIME, Content.INTEGER])
def test_a_value_of_another_kind_is_refused_without_being_shown(content: Content) -> None:
    """The message says what to look at."""
    with pytest.raises(ConfigError, match="holds something else") as caught:
        read_value("jane", content)
    assert "jane" not in str(caught.value)


def statement(stream: str, dialect: sa.Dialect, columns: list[str]) -> str:
    """The SQL that reads a stream's rows, its white space made even."""
    table = database.table_of(stream, TABLES[stream], columns, "gong_privacy")
    compiled = (
        database.select(table, stream, dialect.name)
        .where(table.c["email_address"].in_([JANE]))
        .compile(dialect=dialect)
    )
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
        (singer_lines(found(JANE), columns={"lookups": ["status"]}), "lookups was loaded without status"),
    ],
)
def test_what_is_not_the_taps_output_is_refused(lines: list[bytes], reason: str) -> None:
    """With the line, and what to do."""
    with pytest.raises(ConfigError, match=reason):
        singer_output.read(lines, [JANE])


def test_a_look_up_without_a_time_is_read(tmp_path: Path) -> None:
    """The model names it; no other look-up of the address is lost."""
    records = [look_up(JANE, "found", looked_up_at=None), look_up(JANE, "not_found", 1)]

    for loaded in (load(records), read_sqlite(tmp_path, records, [JANE])):
        assert [row["looked_up_at"] is None for row in loaded.look_ups] == [True, False]


def test_files_of_a_json_lines_target_are_told_from_a_run_that_asked_nobody() -> None:
    """Their lines are records without a message around them."""
    lines = [json.dumps(look_up(JANE, "found")[1]).encode()]

    with pytest.raises(ConfigError, match="no Singer messages, like the files of a JSON Lines target"):
        singer_output.read(lines, [JANE])


def test_other_messages_are_passed_over() -> None:
    """STATE, and streams of other taps."""
    others = [
        b'{"type": "STATE", "value": {}}\n',
        b'{"type": "SCHEMA", "stream": "other", "schema": {}}\n',
        b'{"type": "RECORD", "stream": "other", "record": {}}\n',
    ]

    loaded = singer_output.read([*others, *singer_lines(RECORDS), *others], [JANE], with_rows=True)

    assert comparable(loaded) == comparable(load(RECORDS))


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
    """Those of the catalog, in their order, except Gong's messages, which no report shows."""
    assert {stream: list(columns) for stream, columns in TABLES.items()} == {
        stream: [name for name in SCHEMAS[stream] if name != "errors"] for stream in ("lookups", *STREAMS)
    }
    assert TABLES["emails"]["sent_time"] is Content.TIME
