"""The queries of `docs/sql` and the report say the same about the same tables, on a real Postgres."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import dict_row

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report import erasure, model
from tap_gong_privacy.report.erasure import NOT_NAMED, Finding
from tap_gong_privacy.report.look_ups import Doubt
from tap_gong_privacy.report.rows.database import Reader
from tests.end_to_end.pipeline import SCHEMA
from tests.end_to_end.queries import SNOWFLAKE_QUERIES, SQL, for_postgres, for_snowflake
from tests.end_to_end.test_sql import FAKESNOW, SNOWFLAKE, TARGETS_PAGE, comparable
from tests.postgres import running_postgres
from tests.report.building import (
    DAY_0,
    GONG,
    JANE,
    OTHER_CASE,
    OWN_GONG,
    SCHEMAS,
    STREAMS,
    Record,
    Records,
    entry,
    look_up,
)
from tests.report.test_erasure import CASES as HISTORIES
from tests.report.test_erasure import GONE, HELD, SOON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Row = dict[str, Any]

ASKED = timedelta(days=-30)
"""When the erasure was asked for. All times of this module are counted from the moment of the test."""
TICK = timedelta(microseconds=1)
UNCLEAR = "name the Gong: set api_urls"
CONTRADICTIONS = {
    Doubt.NO_TIME: "look-up without a time",
    Doubt.FUTURE: "look-up in the future",
    Doubt.STATUS: "unknown status",
    Doubt.NOT_EMPTY: "not_found with data",
    Doubt.INCOMPLETE: "not_found without counts",
    Doubt.TWO_ANSWERS: "two answers at one time",
    Doubt.SHARED: "shared request id",
    Doubt.UNEXPLAINED: "rows without a look-up",
    Doubt.TOO_MANY: "too many rows",
}
"""What `erasure.sql` calls each contradiction that the report names."""


class Said(NamedTuple):
    """What is said about one address."""

    finding: str
    contradictions: frozenset[str] = frozenset()
    before_at: datetime | None = None
    after_at: datetime | None = None


class Tables(NamedTuple):
    """The six tables in a transaction, and its moment, which both the report and SQL take for now."""

    driver: psycopg.Connection
    reader: Reader
    now: datetime

    def load(self, records: Iterable[tuple[str, Record]]) -> None:
        """Insert records, as many as there are of one key."""
        with self.driver.cursor() as cursor:
            for stream, record in records:
                statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(SCHEMA, stream),
                    sql.SQL(", ").join(map(sql.Identifier, record)),
                    sql.SQL(", ").join(sql.Placeholder() * len(record)),
                )
                cursor.execute(statement, [self._stored(value) for value in record.values()])

    def _stored(self, value: object) -> object:
        if isinstance(value, timedelta):
            return self.now + value
        return json.dumps(value) if isinstance(value, dict) else value

    def erasure(self, addresses: Sequence[str], api_urls: Sequence[str]) -> list[Row]:
        """The rows of `erasure.sql`."""
        text = for_postgres(SQL / "erasure.sql", self.variables(addresses, api_urls))
        with self.driver.cursor(row_factory=dict_row) as cursor:
            (found,) = (
                one.fetchall() for one in cursor.execute(text.encode(), prepare=False).results() if one.description
            )
        return found

    def variables(self, addresses: Sequence[str], api_urls: Sequence[str]) -> dict[str, str]:
        """The variables of `erasure.sql`."""
        return {
            "addresses": " ".join(addresses),
            "asked_at": (self.now + ASKED).isoformat(),
            "api_urls": " ".join(api_urls),
        }

    def said_by_sql(self, addresses: Sequence[str], api_urls: Sequence[str]) -> list[Said]:
        """What `erasure.sql` says about each address."""
        rows = self.erasure(addresses, api_urls)
        assert [row["email_address"] for row in rows] == list(addresses)
        return [
            Said(row["finding"])
            if row["finding"] == UNCLEAR
            else Said(
                row["finding"],
                frozenset((row["contradictions"] or "").split(", ")) - {""},
                row["before_at"] and row["before_at"].replace(tzinfo=UTC),
                row["after_at"] and row["after_at"].replace(tzinfo=UTC),
            )
            for row in rows
        ]

    def said_by_the_report(self, addresses: Sequence[str], api_urls: Sequence[str]) -> list[Said]:
        """What the report says about each address."""
        loaded = self.reader.read(addresses, self.now, with_rows=False)
        try:
            assessment = model.assess(addresses, loaded, api_urls, self.now)
        except ConfigError:
            return [Said(UNCLEAR) for _ in addresses]
        return [
            Said(
                one.finding.value,
                frozenset(CONTRADICTIONS[doubt] for doubt in one.standing.doubts),
                one.before.at if one.before else None,
                one.after.at if one.after else None,
            )
            for one in erasure.evidence(assessment, self.now + ASKED).evidence
        ]

    def known(self, addresses: Sequence[str], api_urls: Sequence[str], read: Sequence[str] | None) -> list[object]:
        """What coverage says about each address, from the look-ups of some, or from those that decide about all."""
        loaded = self.reader.read(read, self.now, with_rows=False)
        return [facts(standing) for standing in model.assess(addresses, loaded, api_urls, self.now).standings]


def facts(standing: model.Standing) -> object:
    """What coverage says about an address. What contradicts answers before the latest does not matter there."""
    answer, latest = standing.answer, standing.latest
    doubts = [
        (doubt, at) for doubt, at in standing.doubts.items() if at is None or (answer and answer.at and at >= answer.at)
    ]
    return (
        (standing.result, standing.is_elsewhere_only, standing.is_whole, standing.loaded),
        (answer and answer.at, answer and answer.status, latest and latest.at, latest and latest.status),
        sorted(doubts, key=str) if answer else bool(standing.doubts),
    )


class Database(NamedTuple):
    """A Postgres with the six tables, which are empty."""

    connection: sa.Connection
    reader: Reader

    @contextlib.contextmanager
    def holding(self, records: Iterable[tuple[str, Record]]) -> Iterator[Tables]:
        """Load records, and undo it at the end."""
        with self.connection.begin() as transaction:
            driver = self.connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            ((now,),) = driver.execute("SELECT now()").fetchall()
            tables = Tables(driver, self.reader, now)
            tables.load(records)
            yield tables
            transaction.rollback()


def type_of(definition: Mapping[str, Any], *, is_flattened: bool) -> str:
    """The type of a column as target-postgres makes it."""
    kind, *others = definition["type"]
    if definition.get("format") == "date-time":
        return "timestamp without time zone"
    if kind == "integer":
        return "bigint"
    if is_flattened or (kind == "string" and set(others) <= {"null"}):
        return "text"
    if kind == "array":
        return "text[]" if definition["items"]["type"] == ["string"] else "jsonb[]"
    return "jsonb"


@pytest.fixture(scope="module", params=[False, True], ids=["nested", "flattened"])
def tables(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The tables without keys, so that they hold whatever a test puts there, without and with flattening."""
    with running_postgres() as server:
        url = sa.URL.create(
            "postgresql+psycopg", server.user, server.password, server.host, server.port, server.database
        )
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            with connection.begin():
                connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
                for stream, columns in SCHEMAS.items():
                    typed = (f'"{name}" {type_of(one, is_flattened=request.param)}' for name, one in columns.items())
                    connection.exec_driver_sql(f"CREATE TABLE {SCHEMA}.{stream} ({', '.join(typed)})")
            with connection.begin():
                reader = Reader(connection, SCHEMA)
            yield Database(connection, reader)
        engine.dispose()


ADDRESSES = (JANE, OTHER_CASE, "pat@example.org")
SOMEBODY = look_up("x@example.org", "not_found", looked_up_at=ASKED)
DAYS = tuple(ASKED + timedelta(days=days) for days in (-9, -1, 0, 0.5, 1, 9, 10))
EDGES = (ASKED + TICK, ASKED + timedelta(hours=24) - TICK, timedelta(0), timedelta(minutes=5))
UNUSABLE = (timedelta(minutes=5) + TICK, timedelta(days=1000), None)
PEOPLE = st.sampled_from([JANE, JANE, *ADDRESSES])
COUNTS = tuple(f"{stream}_count" for stream in STREAMS)
CHANGES = {
    "api_url": st.sampled_from([GONG, OWN_GONG, f" {GONG.upper()}/ ", "", " ", None]),
    "undocumented": st.sampled_from([None, "null", "{}", '{"texts": 1}', '{"texts": 2}', "[]", "7"]),
    "request_id": st.sampled_from(["a", "b", "", None]),
    "http_status": st.sampled_from([200, 500, None]),
}


def answer(address: str, at: timedelta, url: str, counts: Mapping[str, int], request: str | None = None) -> Records:
    """A sound answer and its rows."""
    rows = [
        entry(stream, address, str(number), looked_up_at=at)
        for stream, count in counts.items()
        for number in range(count)
    ]
    status = "found" if counts else "not_found"
    counted = {f"{stream}_count": count for stream, count in counts.items()}
    request_id = request or f"request-{address.replace('@', '-at-')}"
    return [*rows, look_up(address, status, looked_up_at=at, api_url=url, request_id=request_id, **counted)]


ANSWER = st.builds(
    answer,
    PEOPLE,
    st.sampled_from([*DAYS, *DAYS, *EDGES]),
    st.sampled_from([GONG, GONG, GONG, OWN_GONG]),
    st.dictionaries(st.sampled_from(STREAMS), st.sampled_from([1, 2]), max_size=2),
    st.sampled_from([None, None, None, None, "a"]),
)
NO_ANSWER = st.builds(
    lambda address, status, at: [look_up(address, status, looked_up_at=at)],
    PEOPLE,
    st.sampled_from(["failed", "rejected", "malformed"]),
    st.sampled_from(DAYS),
)
ODD = st.builds(
    lambda address, at, columns: [look_up(address, "", **({"looked_up_at": at} | columns))],
    PEOPLE,
    st.sampled_from([*DAYS, *DAYS, *UNUSABLE]),
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["found", "not_found", "not_found", "failed", "FOUND", "", None]),
            **dict.fromkeys(COUNTS, st.sampled_from([0, 0, 0, 0, 1, None])),
        },
        optional=CHANGES,
    ),
)


def varied(rows: Records, changes: Record, kept: Sequence[int]) -> Records:
    """An answer, changed or beside its changed form; only a table without a key can hold both."""
    *others, (stream, record) = rows
    forms = [(stream, record), (stream, record | changes)]
    return [*others, *(forms[index] for index in kept)]


FORMS = st.sampled_from([[1], [1], [0, 1], [1, 0]])
CHANGED = st.fixed_dictionaries({}, optional=CHANGES | {"emails_count": st.sampled_from([0, 1, None])})
VARIED = st.builds(varied, ANSWER, CHANGED, FORMS)
STRAY = st.builds(
    lambda stream, address, at: [entry(stream, address, "9", looked_up_at=at)],
    st.sampled_from(STREAMS),
    PEOPLE,
    st.sampled_from([*DAYS, *UNUSABLE]),
)
AFTER = st.builds(
    answer,
    st.just(JANE),
    st.sampled_from(DAYS[3:]),
    st.just(GONG),
    st.dictionaries(st.sampled_from([*sorted(NOT_NAMED), "calls"]), st.just(1), max_size=1),
)
# The usual course, so that what comes on top of it has something to change.
COURSE = st.builds(
    lambda held, after: [*answer(JANE, ASKED - timedelta(days=2), GONG, held), *after],
    st.dictionaries(st.sampled_from(STREAMS), st.just(1), min_size=1, max_size=2),
    AFTER | st.builds(varied, AFTER, CHANGED, FORMS),
)
ROWS = st.builds(
    lambda course, others: [row for rows in (course, *others) for row in rows],
    COURSE | st.just([]),
    st.lists(st.one_of(ANSWER, ANSWER, ANSWER, NO_ANSWER, ODD, VARIED, STRAY), max_size=6),
)
MEANT = st.sampled_from([[], [GONG], [GONG], [f"{GONG}/", OWN_GONG.upper()]])


@settings(max_examples=200)
@given(ROWS, MEANT)
def test_erasure_has_the_findings_of_the_report(tables: Database, records: Records, api_urls: list[str]) -> None:
    """Whatever the rows, with the same contradictions and the same two answers."""
    with tables.holding([*records, SOMEBODY]) as held:
        assert held.said_by_sql(ADDRESSES, api_urls) == held.said_by_the_report(ADDRESSES, api_urls)


@settings(max_examples=200)
@given(ROWS, MEANT.filter(bool))
def test_the_look_ups_that_decide_give_the_results_of_all(
    tables: Database, records: Records, api_urls: list[str]
) -> None:
    """Coverage reads those alone: the same result, the same answer, and what contradicts it since."""
    with tables.holding([*records, SOMEBODY]) as held:
        assert held.known(ADDRESSES, api_urls, None) == held.known(ADDRESSES, api_urls, ADDRESSES)


ELSEWHERE = look_up(JANE, "found", 21, api_url=OWN_GONG, emails_count=1)
SHARED = look_up(JANE, "not_found", 21, request_id="shared")
MEETING = entry("meetings", JANE, "m1", 20)
CASES: dict[str, tuple[Records, Finding]] = {
    **HISTORIES,
    "held, gone, held elsewhere": ([HELD, GONE, ELSEWHERE], Finding.STILL_HELD),
    "held, gone, held elsewhere soon": (
        [HELD, GONE, look_up(JANE, "found", SOON, api_url=OWN_GONG)],
        Finding.TOO_EARLY,
    ),
    "held, gone, held elsewhere soon and later": (
        [HELD, GONE, ELSEWHERE, look_up(JANE, "found", SOON, api_url=OWN_GONG)],
        Finding.STILL_HELD,
    ),
    "held, gone, held elsewhere and then gone": (
        [HELD, GONE, ELSEWHERE, look_up(JANE, "not_found", 22, api_url=OWN_GONG)],
        Finding.ERASED,
    ),
    "held, gone elsewhere": ([HELD, look_up(JANE, "not_found", 20, api_url=OWN_GONG)], Finding.NOT_LOOKED_UP_SINCE),
    "held, gone, held elsewhere before": (
        [HELD, GONE, look_up(JANE, "found", 5, api_url=OWN_GONG, emails_count=1)],
        Finding.ERASED,
    ),
    "held, gone, the base URL unknown or spelt otherwise": (
        [look_up(JANE, "found", 1, api_url=None, emails_count=1), look_up(JANE, "not_found", 20, api_url=f"{GONG}/")],
        Finding.ERASED,
    ),
    "held, gone, gone by somebody else's answer": (
        [HELD, GONE, SHARED, look_up("else@example.org", "found", 3, request_id="shared")],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, gone, somebody else's failure with its request id": (
        [HELD, SHARED, look_up("else@example.org", "failed", 3, request_id="shared")],
        Finding.ERASED,
    ),
    "held, gone, one of two equal answers by somebody else's": (
        [HELD, look_up(JANE, "not_found", 21), SHARED, look_up("else@example.org", "found", 3, request_id="shared")],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, gone, two HTTP statuses at one time": (
        [HELD, GONE, look_up(JANE, "not_found", 21), look_up(JANE, "not_found", 21, http_status=500)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, gone, then both at one time": (
        [HELD, GONE, look_up(JANE, "not_found", 21), look_up(JANE, "found", 21, emails_count=1)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, gone, without a time": (
        [HELD, GONE, look_up(JANE, "not_found", looked_up_at=None)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, meetings left, one row twice": (
        [HELD, look_up(JANE, "found", 20, meetings_count=1), MEETING, MEETING],
        Finding.ERASED_IN_PART,
    ),
    "held, gone, an empty object beside": ([HELD, look_up(JANE, "not_found", 20, undocumented={})], Finding.ERASED),
}


def histories() -> Iterator[tuple[str, Record]]:
    """The records of all cases, each about addresses of its own; the erasure was asked for on their tenth day."""
    for number, (records, _finding) in enumerate(CASES.values()):
        for stream, record in records:
            at = record["looked_up_at"]
            yield (
                stream,
                record
                | {
                    "email_address": f"{number}.{record['email_address']}",
                    "request_id": f"{number}-{record['request_id']}",
                    "looked_up_at": at and datetime.fromisoformat(at) - DAY_0 - timedelta(days=10) + ASKED,
                },
            )


PEOPLE_OF_CASES = [f"{number}.{JANE}" for number in range(len(CASES))]


def test_each_history_has_its_finding(tables: Database) -> None:
    """In the report, in Postgres, and as the tests of the report have it."""
    with tables.holding([*histories(), SOMEBODY]) as held:
        said = held.said_by_sql(PEOPLE_OF_CASES, [GONG])
        assert held.said_by_the_report(PEOPLE_OF_CASES, [GONG]) == said
        deciding = held.known(PEOPLE_OF_CASES, [GONG], None)
        assert deciding == held.known(PEOPLE_OF_CASES, [GONG], PEOPLE_OF_CASES)

    found = {name: one.finding for name, one in zip(CASES, said, strict=True)}
    assert found == {name: finding.value for name, (_records, finding) in CASES.items()}


@pytest.mark.parametrize("tables", [False], indirect=True, ids=["nested"])
def test_each_history_has_the_same_row_in_snowflake(tables: Database) -> None:
    """On fakesnow, which emulates it: every column is that of Postgres."""
    if not (FAKESNOW / ".complete").exists():
        pytest.skip("fakesnow is not installed: `make test` does so")
    with tables.holding([*histories(), SOMEBODY]) as held:
        rows = held.erasure(PEOPLE_OF_CASES, [GONG])

    assert [comparable(row) for row in in_snowflake(held)] == [comparable(row) for row in rows]


def test_the_page_lists_every_finding_and_contradiction() -> None:
    """In the words of the query, and no others."""
    section = TARGETS_PAGE.read_text().partition("### Has Gong erased the person?")[2].partition("\n## ")[0]
    findings, contradictions = (
        re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)))
        for part in section.split("**Contradictions.**")
    )

    assert sorted(findings) == sorted([*(finding.value for finding in Finding), UNCLEAR])
    assert contradictions == list(CONTRADICTIONS.values())


def in_snowflake(held: Tables) -> list[Row]:
    """The rows of `erasure.sql` for Snowflake, on fakesnow, in tables of the target's own statements without keys."""
    records = [*histories(), SOMEBODY]
    asked = {
        "tables": [
            {
                "created": re.sub(r",\n\tPRIMARY KEY .*| NOT NULL", "", created),
                "rows": [
                    {
                        name: held.now + value if isinstance(value, timedelta) else value
                        for name, value in record.items()
                    }
                    for stream, record in records
                    if f'"{stream.upper()}"' in created
                ],
            }
            for created in (SNOWFLAKE / "TIMESTAMP_NTZ.sql").read_text().split("\n\n")
        ],
        "files": {
            path.name: for_snowflake(path, held.variables(PEOPLE_OF_CASES, [GONG]))
            for path in SNOWFLAKE_QUERIES
            if path.name == "erasure.sql"
        },
    }
    done = subprocess.run(
        [FAKESNOW / "bin" / "python", "-I", "-W", "ignore", SNOWFLAKE / "run_queries.py"],
        input=json.dumps(asked, default=lambda value: value.replace(tzinfo=None).isoformat()),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    answers = json.loads(done.stdout)["erasure.sql"]
    assert isinstance(answers, list), answers
    (rows,) = answers
    return list(rows)
