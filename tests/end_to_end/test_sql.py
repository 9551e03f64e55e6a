"""The queries of `docs/sql` answer what they say, on a real Postgres that real Meltano has loaded."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
import sqlglot
from psycopg import sql
from psycopg.rows import dict_row
from sqlglot import exp

from sandbox import Reply, Sandbox, documented_answer
from tests.end_to_end.pipeline import CHECKOUT, SCHEMA, SECTIONS, MeltanoProject, as_environment
from tests.end_to_end.queries import QUERIES, SNOWFLAKE_QUERIES, SQL, VALUES, for_postgres, for_snowflake
from tests.postgres import Postgres, psql, running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]

TARGETS_PAGE = CHECKOUT / "docs" / "targets.md"
SNOWFLAKE = Path(__file__).with_name("snowflake")
FAKESNOW = CHECKOUT / ".venv-fakesnow"
STREAMS = ("lookups", *SECTIONS)

LEFT_OVER = "jane.doe@example.com"
ERASED = "john.smith@example.com"
ERASED_IN_PART = "wei.chen@example.org"
FAILING = "maria.garcia@example.org"
BARE = "o'hara@example.org"
ADDRESSES = (LEFT_OVER, ERASED, ERASED_IN_PART, "unknown@example.com", "refused@example.com", FAILING, BARE)
BARE_ANSWER = {
    "calls": [{"id": "1"}, {"id": "2", "externalSystems": [{"system": "HubSpot"}, None, {"objects": [None]}]}],
    "customerData": [{"system": "Generic", "objects": [{"id": "3"}, None, {"id": "4", "fields": [None]}]}],
    "legalHolds": [{"id": "5"}],
}


class Loaded(NamedTuple):
    """A database after two loads, and Gong's answers about the address of which a part is left."""

    server: Postgres
    connection: psycopg.Connection[Row]
    answers: dict[str, Row]

    def results(self, query: str, **values: str) -> list[list[Row]]:
        """The rows of each result of a query; what it changes is undone."""
        text = for_postgres(SQL / query, {**VALUES, **values})
        with self.connection.transaction(force_rollback=True):
            results = self.connection.execute(text.encode()).results()
            return [cursor.fetchall() for cursor in results if cursor.description]

    def rows(self, query: str, **values: str) -> list[Row]:
        """The rows of the one result of a query."""
        (rows,) = self.results(query, **values)
        return rows

    def api_url(self) -> str:
        """The base URL that was asked."""
        row = self.connection.execute("SELECT min(api_url) AS api_url FROM gong_privacy.lookups").fetchone()
        assert row
        return str(row["api_url"])

    def between(self) -> str:
        """A time between the two loads."""
        row = self.connection.execute(
            "SELECT max(looked_up_at) AS moment FROM gong_privacy.lookups"
            " WHERE looked_up_at < (SELECT max(looked_up_at) FROM gong_privacy.lookups) - interval '1 second'"
        ).fetchone()
        assert row
        return str(row["moment"] + timedelta(milliseconds=1))


@pytest.fixture(scope="module", params=[False, True], ids=["nested", "flattened"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A Postgres into which two runs have been loaded, with erasures in between, without and with flattening."""
    before = documented_answer(LEFT_OVER)
    after = before | {"emails": before["emails"][1:], "calls": []}
    project = MeltanoProject(tmp_path_factory.mktemp("meltano"))
    flattening = {"flattening_enabled": True, "flattening_max_depth": 2} if request.param else {}
    with running_postgres() as server, Sandbox(requests_per_second=0) as sandbox:
        sandbox.answers[BARE] = Reply(body=BARE_ANSWER)
        environment = {
            **as_environment(
                "tap-gong-privacy",
                **sandbox.config,
                email_addresses=ADDRESSES,
                requests_per_second=100,
                max_retries=0,
                fail_on_rejected_address=False,
                **flattening,
            ),
            **as_environment("target-postgres", **server._asdict(), default_target_schema=SCHEMA),
        }
        first = project.run("run", "tap-gong-privacy", "target-postgres", environment=environment)
        assert first.returncode == 0, first.stdout
        sandbox.answers[LEFT_OVER] = Reply(body=after)
        sandbox.answers[ERASED] = Reply(body=documented_answer("unknown@example.com") | {"requestId": "erased"})
        sandbox.answers[ERASED_IN_PART] = Reply(body=documented_answer(ERASED_IN_PART, is_erased=True))
        sandbox.answers[FAILING] = Reply(status=500)
        second = project.run("run", "tap-gong-privacy", "target-postgres", environment=environment)
        assert second.returncode == 1, second.stdout
        with psycopg.connect(server.conninfo, row_factory=dict_row) as connection:
            yield Loaded(server, connection, {"before": before, "after": after})


def run_psql(server: Postgres, query: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a file as the page says."""
    return subprocess.run(
        [psql(), "--no-psqlrc", "--csv", *options, "-f", query, server.conninfo],
        env={"PGTZ": "America/St_Johns"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_psql_runs_each_file_as_it_is(query: Path, loaded: Loaded) -> None:
    """With variables and nothing edited; the rows are those that the other tests see."""
    deletes = query.name == "delete_person.sql"
    values = {"addresses": "nobody@example.com" if deletes else f"{LEFT_OVER}, nobody@example.com\n{BARE}"}
    if "asked_at" in query.read_text():
        values |= {"asked_at": loaded.between(), "api_urls": loaded.api_url()}
    expected = [[str(next(iter(row.values()))) for row in rows] for rows in loaded.results(query.name, **values)]
    done = run_psql(loaded.server, query, *(part for name in values for part in ("-v", f"{name}={values[name]}")))
    first_cells = [row[0] for row in csv.reader(io.StringIO(done.stdout)) if row]

    assert (done.returncode, done.stderr) == (0, "")
    assert [cell for cell in first_cells if cell not in {"email_address", "place", "emails"}] == [
        cell for rows in expected for cell in rows
    ]


@pytest.mark.parametrize("name", ["person.sql", "coverage.sql", "erasure.sql", "delete_person.sql"])
def test_a_file_without_its_addresses_says_what_to_set(name: str, loaded: Loaded) -> None:
    """One line says how, nothing is answered or deleted, and psql fails."""
    done = run_psql(loaded.server, SQL / name)
    assert done.returncode == 3
    assert done.stderr.startswith("Set the addresses: psql -v addresses=")
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["person.sql", "coverage.sql", "erasure.sql", "delete_person.sql"])
def test_hostile_addresses_stay_text(name: str, loaded: Loaded) -> None:
    """Quotes, backslashes, colons and a list that ends the statement are taken for spellings, in psql itself."""
    hostile = r""" o'x@example.com');DROP\table; :'since' "a,b"@example.com \! $$ """
    done = run_psql(loaded.server, SQL / name, "-v", f"addresses={hostile}", "-v", "asked_at=2026-01-15 09:00")
    assert (done.returncode, done.stderr) == (0, "")
    if name != "delete_person.sql":
        cells = [cell for row in csv.reader(io.StringIO(done.stdout)) for cell in row[:2]]
        assert {word.rstrip(",") for word in hostile.split()} <= set(cells)


def test_the_list_takes_commas_and_line_breaks_and_drops_repeats(loaded: Loaded) -> None:
    """White space separates, a comma before it is dropped, a spelling given twice is one row, in the list's order."""
    text = f"\n b@x.example,\t{LEFT_OVER}\r\nb@x.example , a@x.example,"
    rows = loaded.rows("coverage.sql", addresses=text)
    assert [(row["place"], row["email_address"]) for row in rows] == [
        (1, "b@x.example"),
        (2, LEFT_OVER),
        (3, "a@x.example"),
    ]


def test_person_says_first_what_each_spelling_came_to(loaded: Loaded) -> None:
    """Never asked, refused, nothing held, data held, and no answer after an earlier one, which is still shown."""
    listed = (LEFT_OVER, "Jane.Doe@example.com", "refused@example.com", "unknown@example.com", FAILING)
    outcomes, references = loaded.results("person.sql", addresses=" ".join(listed))

    assert [(row["email_address"], row["latest_outcome"], row["shown_answer"]) for row in outcomes] == [
        (LEFT_OVER, "data held", "data held"),
        ("Jane.Doe@example.com", "never asked", None),
        ("refused@example.com", "refused", None),
        ("unknown@example.com", "nothing held", "nothing held"),
        (FAILING, "no answer", "data held"),
    ]
    assert outcomes[4]["shown_at"] < outcomes[4]["latest_at"]
    for row in outcomes:
        shown = [reference for reference in references if reference["email_address"] == row["email_address"]]
        assert len(shown) == (row["shown_count"] or 0)


def test_person_says_that_an_entry_is_no_address(loaded: Loaded) -> None:
    """An entry that was never asked, because it is malformed, is not taken for one without data."""
    with loaded.connection.transaction(force_rollback=True):
        add_malformed(loaded, "a@@b.example")
        (row,), references = loaded.results("person.sql", addresses="a@@b.example")
        (covered,) = loaded.rows("coverage.sql", addresses="a@@b.example")

    assert row["latest_outcome"] == "malformed"
    assert references == []
    assert (covered["latest_outcome"], covered["answered_at"]) == ("malformed", None)


def add_malformed(loaded: Loaded, entry: str) -> None:
    """Add the row that the tap writes about an entry that is not an address."""
    loaded.connection.execute(
        "INSERT INTO gong_privacy.lookups (email_address, api_url, status, looked_up_at)"
        " VALUES (%s, 'https://api.gong.io', 'malformed', now())",
        [entry],
    )


def test_person_shows_what_gong_holds_now(loaded: Loaded) -> None:
    """Rows that the latest answer no longer reports are left out; nested values are JSON."""
    _, rows = loaded.results("person.sql", addresses=LEFT_OVER)
    answer = loaded.answers["after"]
    by_stream = {name: [row for row in rows if row["stream"] == name] for name in STREAMS}

    assert {row["email_address"] for row in rows} == {LEFT_OVER}
    assert {row["key"] for row in by_stream["emails"]} == {email["id"] for email in answer["emails"]}
    assert by_stream["calls"] == []
    assert len(by_stream["customer_engagement"]) == len(answer["customerEngagement"])
    assert [row["details"]["objects"][0]["id"] for row in by_stream["customer_data"]] == [
        answer["customerData"][0]["objects"][0]["id"]
    ]


def test_person_shows_what_gong_returned_beside_the_sections(loaded: Loaded) -> None:
    """An undocumented field of the answer itself is part of what Gong holds."""
    _, rows = loaded.results("person.sql", addresses=BARE)

    assert [row["undocumented"] for row in rows if row["stream"] == "lookups"] == [{"legalHolds": [{"id": "5"}]}]


def test_coverage_tells_outcomes_apart(loaded: Loaded) -> None:
    """Found, nothing held, refused, failed and never asked; an earlier answer shows beside a failure."""
    listed = (LEFT_OVER, ERASED, FAILING, "refused@example.com", "not.yet@example.com")
    rows = loaded.rows("coverage.sql", addresses=" ".join(listed))

    assert [(row["email_address"], row["latest_outcome"], row["answered_at"] is not None) for row in rows] == [
        (LEFT_OVER, "data held", True),
        (ERASED, "nothing held", True),
        (FAILING, "no answer", True),
        ("refused@example.com", "refused", False),
        ("not.yet@example.com", "never asked", False),
    ]
    assert {row["api_url"] is None for row in rows[:4]} == {False}


def test_coverage_counts_from_a_time_on(loaded: Loaded) -> None:
    """An answer of the first load does not count if only the second one does; the time may name an offset."""
    moment = f"{loaded.between()}+00:00"
    (row,) = loaded.rows("coverage.sql", addresses=FAILING, since=moment)
    assert (row["latest_outcome"], row["answered_at"]) == ("no answer", None)


def test_calls_are_unnested_and_none_is_lost(loaded: Loaded) -> None:
    """One row for each linked object; calls and systems without one have a row too."""
    rows = loaded.rows("calls.sql")

    assert [(row["call_id"], row["system"], row["external_id"]) for row in rows if row["email_address"] == BARE] == [
        ("1", None, None),
        ("2", "HubSpot", None),
        ("2", None, None),
        ("2", None, None),
    ]
    assert sorted(row["external_id"] for row in rows if row["email_address"] == FAILING) == sorted(
        link["externalId"]
        for call in documented_answer(FAILING)["calls"]
        for system in call["externalSystems"]
        for link in system["objects"]
    )


def test_crm_objects_are_unnested_and_none_is_lost(loaded: Loaded) -> None:
    """One row for each field, with its value as JSON; objects without fields have a row too."""
    rows = loaded.rows("crm_objects.sql")
    fields = {row["field_name"]: row["field_value"] for row in rows if row["email_address"] == LEFT_OVER}
    documented = loaded.answers["after"]["customerData"][-1]["objects"][0]["fields"]

    assert [row["object_id"] for row in rows if row["email_address"] == BARE] == ["3", None, "4"]
    assert fields == {field["name"]: field["value"] for field in documented}


def test_counts_are_those_of_the_rows(loaded: Loaded) -> None:
    """No difference after a load; a lost row shows, and one that no answer counts. A row that is there twice is one."""
    assert loaded.rows("counts.sql") == []
    with loaded.connection.transaction(force_rollback=True):
        loaded.connection.execute("DELETE FROM gong_privacy.emails WHERE email_address = %s", [LEFT_OVER])
        loaded.connection.execute(
            "UPDATE gong_privacy.lookups SET meetings_count = 0 WHERE email_address = %s", [LEFT_OVER]
        )
        loaded.connection.execute("ALTER TABLE gong_privacy.calls DROP CONSTRAINT calls_pkey")
        loaded.connection.execute("INSERT INTO gong_privacy.calls SELECT * FROM gong_privacy.calls")
        rows = loaded.rows("counts.sql")

    assert [(row["email_address"], row["stream"], row["loaded"], row["meaning"]) for row in rows] == [
        (LEFT_OVER, "emails", 0, "rows missing"),
        (LEFT_OVER, "meetings", 1, "too many rows"),
    ]


def test_counts_tell_a_deleted_person_from_one_of_whom_rows_are_missing(loaded: Loaded) -> None:
    """Nothing is left of the one, and something of the other."""
    text = for_postgres(SQL / "delete_person.sql", {"addresses": BARE})
    with loaded.connection.transaction(force_rollback=True):
        loaded.connection.execute("DELETE FROM gong_privacy.emails WHERE email_address = %s", [LEFT_OVER])
        loaded.connection.execute(text.encode())
        rows = loaded.rows("counts.sql")

    assert {(row["email_address"], row["stream"], row["meaning"]) for row in rows} == {
        (LEFT_OVER, "emails", "rows missing"),
        (BARE, "calls", "deleted, or nothing loaded"),
        (BARE, "customer_data", "deleted, or nothing loaded"),
    }


@pytest.mark.parametrize(
    "columns",
    [
        {"looked_up_at": "now() + interval '1 day'"},
        {"emails_count": "3"},
        {"http_status": "500"},
        {"undocumented": "'{\"texts\": 1}'"},
        {"calls_count": "NULL"},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_a_look_up_that_contradicts_itself_does_not_count(columns: dict[str, str], loaded: Loaded) -> None:
    """Neither one from the future nor a `not_found` with data hides an answer, or is one."""
    counts = dict.fromkeys((f"{stream}_count" for stream in SECTIONS), "0")
    values = {"status": "'not_found'", "http_status": "200", "looked_up_at": "now()"} | counts | columns
    insert = sql.SQL("INSERT INTO gong_privacy.lookups (email_address, {}) VALUES (%s, {})").format(
        sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(map(sql.SQL, values.values()))
    )
    people = [LEFT_OVER, "not.yet@example.com"]
    with loaded.connection.transaction(force_rollback=True):
        before = loaded.results("person.sql", addresses=LEFT_OVER)
        for person in people:
            loaded.connection.execute(insert, [person])
        asked, references = loaded.results("person.sql", addresses=" ".join(people))
        covered = loaded.rows("coverage.sql", addresses=" ".join(people))

    assert [asked[:1], references] == before
    assert [row["latest_outcome"] for row in asked] == ["data held", "no answer"]
    assert asked[1]["shown_answer"] is None
    assert [(row["latest_outcome"], row["answered_at"] is None) for row in covered] == [
        ("data held", False),
        ("no answer", True),
    ]


@pytest.mark.parametrize(
    "address, finding, left",
    [
        (ERASED, "erased", ""),
        (
            ERASED_IN_PART,
            "erased, except for what Gong does not name as erased",
            ", ".join(
                f"{stream}: {len(documented_answer(ERASED_IN_PART)[section])}"
                for stream, section in (("meetings", "meetings"), ("customer_engagement", "customerEngagement"))
            ),
        ),
        (LEFT_OVER, "too early to say", "emails: 3, customer_data: 1, meetings: 1, customer_engagement: 1"),
        (BARE, "too early to say", "calls: 2, customer_data: 1, undocumented"),
        (FAILING, "not looked up since", None),
        ("unknown@example.com", "nothing known from before", ""),
        ("not.yet@example.com", "not looked up since", None),
    ],
)
def test_erasure_compares_the_answers_before_and_after(
    address: str, finding: str, left: str | None, loaded: Loaded
) -> None:
    """The query shows the last answer before the request, the latest one since, and what is left."""
    (row,) = loaded.rows("erasure.sql", addresses=address, asked_at=loaded.between())

    assert (row["finding"], row["what_is_left"]) == (finding, left)
    assert (row["before_count"] or 0) >= (row["after_count"] or 0)
    assert (row["contradictions"], row["no_evidence_from"]) == (None, None)
    assert (row["tried_at"] is None) == (address == "not.yet@example.com")


def test_erasure_takes_an_offset_at_its_word(loaded: Loaded) -> None:
    """A time in another zone is the same moment, not the same clock."""
    row = loaded.connection.execute(
        "SELECT to_char(%s::timestamp + interval '5 hours', 'YYYY-MM-DD HH24:MI:SS.US') || '+05:00' AS moment",
        [loaded.between()],
    ).fetchone()
    assert row
    (found,) = loaded.rows("erasure.sql", addresses=ERASED, asked_at=row["moment"])
    assert found["finding"] == "erased"


@pytest.mark.parametrize("offset", ["", "+00:00"])
def test_times_are_utc_whatever_the_session_says(offset: str, loaded: Loaded) -> None:
    """The time zone of the session, here Newfoundland's, moves neither the time of the request nor the stored ones."""
    asked_at = f"{loaded.between()}{offset}"
    done = run_psql(loaded.server, SQL / "erasure.sql", "-v", f"addresses={ERASED}", "-v", f"asked_at={asked_at}")
    assert f"{ERASED},erased," in done.stdout


def test_erasure_gives_gong_a_day(loaded: Loaded) -> None:
    """Data that is still there a day after the asking is still held; how long it took stands beside it."""
    (soon,) = loaded.rows("erasure.sql", addresses=LEFT_OVER, asked_at=loaded.between())
    (later,) = loaded.rows("erasure.sql", addresses=LEFT_OVER, asked_at=str(soon["after_at"] - timedelta(hours=26)))

    assert (soon["finding"], soon["waited"][:6]) == ("too early to say", "0d 00:")
    assert (later["finding"], later["waited"]) == ("still held", "1d 02:00:00")


def test_erasure_names_what_contradicts_the_answers(loaded: Loaded) -> None:
    """Rows of a load that broke off, and a look-up in the future: nothing is proved, and words say why."""
    asked_at = loaded.between()
    with loaded.connection.transaction(force_rollback=True):
        for insert in (
            "INSERT INTO gong_privacy.emails (email_address, id, looked_up_at) VALUES (%s, 'e9', now())",
            "INSERT INTO gong_privacy.lookups (email_address, looked_up_at) VALUES (%s, now() + interval '1 day')",
        ):
            loaded.connection.execute(insert.encode(), [ERASED])
        (row,) = loaded.rows("erasure.sql", addresses=ERASED, asked_at=asked_at)

    assert (row["finding"], row["after_status"]) == ("not looked up since", "not_found")
    assert row["contradictions"] == "look-up in the future, rows without a look-up"


def test_another_gong_is_no_evidence_of_an_erasure(loaded: Loaded) -> None:
    """It has to be said which one is meant. An empty answer of another `api_url` proves nothing, and is named."""
    own, other = loaded.api_url(), "https://us-12345.api.gong.io"
    with loaded.connection.transaction(force_rollback=True):
        loaded.connection.execute(
            "UPDATE gong_privacy.lookups SET api_url = %s WHERE email_address = %s AND status = 'not_found'",
            [other, ERASED],
        )
        values = {"addresses": ERASED, "asked_at": loaded.between()}
        (unclear,) = loaded.rows("erasure.sql", **values)
        (row,) = loaded.rows("erasure.sql", **values, api_urls=own)
        (one,) = loaded.rows("erasure.sql", **values, api_urls=f"{other}/ {own.upper()}")

    assert (unclear["finding"], unclear["api_urls"]) == ("name the Gong: set api_urls", f"{own}, {other}")
    assert (unclear["before_at"], unclear["after_at"]) == (None, None)
    assert (row["finding"], row["api_urls"], row["no_evidence_from"]) == ("not looked up since", own, other)
    assert (row["before_status"], row["after_status"]) == ("found", None)
    assert (one["finding"], one["api_urls"], one["no_evidence_from"]) == ("erased", f"{own}, {other}", None)


def test_rows_no_longer_reported_are_named(loaded: Loaded) -> None:
    """Those of the earlier answer that the latest lacks; a failed look-up says nothing about them."""
    rows = loaded.rows("no_longer_reported.sql")
    gone = {(row["stream"], row["key"]) for row in rows if row["email_address"] == LEFT_OVER}
    before = loaded.answers["before"]

    assert gone == {("emails", before["emails"][0]["id"]), *(("calls", call["id"]) for call in before["calls"])}
    assert {row["email_address"] for row in rows} == {LEFT_OVER, ERASED, ERASED_IN_PART}


def test_deletion_leaves_the_evidence(loaded: Loaded) -> None:
    """Every row of the person goes, in each spelling; the look-ups stay, without data, and so does everyone else."""
    connection = loaded.connection
    text = for_postgres(SQL / "delete_person.sql", {"addresses": f"{LEFT_OVER} {BARE} Jane.Doe@example.com"})
    with connection.transaction(force_rollback=True):
        before = {stream: people(connection, stream) for stream in STREAMS}
        deleted = connection.execute(text.encode()).fetchone()
        after = {stream: people(connection, stream) for stream in STREAMS}
        outcomes, references = loaded.results("person.sql", addresses=f"{LEFT_OVER} {BARE}")
        kept = connection.execute(
            "SELECT count(*) AS kept FROM gong_privacy.lookups"
            " WHERE email_address = ANY(%s) AND (undocumented IS NOT NULL OR errors IS NOT NULL)",
            [[LEFT_OVER, BARE]],
        ).fetchone()

    assert deleted == {
        **{name: len([person for person in before[name] if person in {LEFT_OVER, BARE}]) for name in SECTIONS},
        "lookups_kept": 4,
    }
    for stream in SECTIONS:
        assert after[stream] == [person for person in before[stream] if person not in {LEFT_OVER, BARE}]
    assert after["lookups"] == before["lookups"]
    assert ([row["latest_outcome"] for row in outcomes], references) == (["data held", "data held"], [])
    assert kept == {"kept": 0}


def people(connection: psycopg.Connection[Row], stream: str) -> list[str]:
    """The address of each row of a table."""
    query = sql.SQL("SELECT email_address FROM {} ORDER BY email_address").format(sql.Identifier(SCHEMA, stream))
    return [row["email_address"] for row in connection.execute(query)]


def needs() -> dict[str, set[str]]:
    """The streams that each query needs, as the page says."""
    rows = re.findall(r"^\| \[([\w.]+)\]\(sql/[\w.]+\) \|.*\| ([^|]+) \|$", TARGETS_PAGE.read_text(), re.MULTILINE)
    return {name: set(STREAMS) if cell == "all" else set(re.findall(r"`(\w+)`", cell)) for name, cell in rows}


def test_the_page_says_which_streams_each_query_needs() -> None:
    """Exactly the tables that it names."""
    named = {
        query.name: {
            table.name
            for statement in sqlglot.parse(for_postgres(query), dialect="postgres")
            if statement
            for table in statement.find_all(exp.Table)
            if table.db == SCHEMA
        }
        for query in QUERIES
    }
    assert needs() == named


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_runs_where_all_other_streams_are_deselected(query: Path, loaded: Loaded) -> None:
    """A table that the page does not name may be missing."""
    with loaded.connection.transaction(force_rollback=True):
        for stream in set(STREAMS) - needs()[query.name]:
            loaded.connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(SCHEMA, stream)))
        assert loaded.results(query.name)


def test_each_query_is_linked_from_the_targets_page() -> None:
    """No query is hidden, in either form."""
    page = TARGETS_PAGE.read_text()
    names = [query.name for query in QUERIES]

    assert sorted(re.findall(r"\]\(sql/([\w.]+)\)", page)) == names
    assert sorted(re.findall(r"\]\(sql/snowflake/([\w.]+)\)", page)) == names


@pytest.mark.parametrize("loaded", [False], indirect=True, ids=["nested"])
def test_snowflake_queries_give_the_rows_of_postgres(loaded: Loaded) -> None:
    """On fakesnow, which emulates Snowflake, in tables of target-snowflake's own statements with the same rows.

    fakesnow ignores OUTER of FLATTEN: rows of calls and objects without links or fields are missing there.
    """
    if not (FAKESNOW / ".complete").exists():
        pytest.skip("fakesnow is not installed: `make test` does so")
    values = {
        "addresses": f"{' '.join(ADDRESSES)} nobody@example.com",
        "asked_at": loaded.between(),
        "since": loaded.between(),
    }
    # The deletion comes last, because it changes the tables.
    files = sorted(SNOWFLAKE_QUERIES, key=lambda path: path.name == "delete_person.sql")
    asked = {
        "tables": [
            {"created": created, "rows": stored(loaded.connection, created)}
            for created in (SNOWFLAKE / "TIMESTAMP_NTZ.sql").read_text().split("\n\n")
        ],
        "files": {path.name: for_snowflake(path, values) for path in files},
    }
    done = subprocess.run(
        [FAKESNOW / "bin" / "python", "-I", "-W", "ignore", SNOWFLAKE / "run_queries.py"],
        input=json.dumps(asked, default=str),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    answers = json.loads(done.stdout)
    for path in files:
        expected = [[comparable(row) for row in rows] for rows in loaded.results(path.name, **values)]
        if path.name in {"calls.sql", "crm_objects.sql"}:
            expected = [[row for row in rows if row["email_address"] != BARE] for rows in expected]
            answers[path.name] = [[row for row in rows if row["email_address"] != BARE] for rows in answers[path.name]]
        found = [[comparable(row) for row in rows] for rows in answers[path.name]]
        assert any(expected) or path.name == "counts.sql"
        assert found == expected, path.name


def stored(connection: psycopg.Connection[Row], created: str) -> list[Row]:
    """The rows of the table that a statement creates, without the target's own columns."""
    match = re.search(r'"\."(\w+)"', created)
    assert match
    query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(SCHEMA, match[1].lower()))
    return [
        {name: value for name, value in row.items() if not name.startswith("_sdc_")}
        for row in connection.execute(query)
    ]


def comparable(row: Row) -> Row:
    """A row with times as text, and any text that is JSON as its value: the emulator returns JSON as text."""
    return {name: _comparable(value) for name, value in json.loads(json.dumps(row, default=str)).items()}


def _comparable(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
