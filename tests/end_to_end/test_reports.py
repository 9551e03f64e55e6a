"""The report, from a real Postgres that real Meltano has loaded, and from the tap's own output."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.end_to_end.pipeline import SCHEMA, SECTIONS, MeltanoProject, as_environment, running_sandbox
from tests.report.building import Page, run_report
from tests.running import run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.pipeline import Sandbox
    from tests.postgres import Postgres
    from tests.report.building import Made

JANE = "jane.doe@example.com"
PAT = "Pat.O'Brien+gong@example.org"
UNKNOWN = "unknown@example.com"
REFUSED = "refused@example.com"
ADDRESSES = [JANE, PAT, UNKNOWN, REFUSED]
PIPELINE = ("tap-gong-privacy", "target-postgres")
OF_A_RUN = ("looked_up_at", "request_id")


@pytest.fixture(scope="module")
def config() -> Iterator[dict[str, Any]]:
    """The settings of a tap that asks a sandbox."""
    with running_sandbox("--requests-per-second=0") as sandbox:
        yield settings_for(sandbox)


def settings_for(sandbox: Sandbox) -> dict[str, Any]:
    """Settings that a refused address does not make fail."""
    return {
        "api_url": sandbox.api_url,
        "access_key": sandbox.access_key,
        "access_key_secret": sandbox.access_key_secret,
        "requests_per_second": 100,
        "email_addresses": ADDRESSES,
        "fail_on_rejected_address": False,
    }


@pytest.fixture(scope="module")
def loaded(postgres: Postgres, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database that Meltano has loaded; its URL."""
    ends = {**as_environment("tap-gong-privacy", **config), **as_environment("target-postgres", **postgres._asdict())}
    run = MeltanoProject(tmp_path_factory.mktemp("meltano")).run("run", *PIPELINE, environment=ends)
    assert run.returncode == 0, run.stdout
    yield f"postgresql://{postgres.user}:{postgres.password}@{postgres.host}:{postgres.port}/{postgres.database}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(SCHEMA)))


@pytest.fixture
def connection(postgres: Postgres, loaded: str) -> Iterator[psycopg.Connection]:
    """A connection whose changes are taken back at the end."""
    assert loaded
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        yield connection


def report(folder: Path, url: str, *arguments: str) -> Made:
    """Run the report on a database."""
    return run_report(folder, *arguments, env={"GONG_PRIVACY_DATABASE_URL": url})


def look_ups(connection: psycopg.Connection, address: str) -> list[tuple[Any, ...]]:
    """The look-ups of an address with their counts."""
    columns = sql.SQL(", ").join(sql.Identifier(f"{section}_count") for section in SECTIONS)
    query = sql.SQL("SELECT {} FROM {} WHERE email_address = %s").format(columns, sql.Identifier(SCHEMA, "lookups"))
    return connection.execute(query, [address]).fetchall()


@pytest.mark.parametrize("address", [JANE, PAT, UNKNOWN])
def test_the_answer_reconciles_with_the_lookups(
    address: str, loaded: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """As many entries as the look-up counts, of each kind; nothing is open but the controller's texts."""
    made = report(tmp_path, loaded, "person", "--draft", address)
    ((*counts,),) = look_ups(connection, address)

    assert (made.returncode, made.stderr) == (0, "")
    assert [len(made.json["entries"][section]) for section in SECTIONS] == counts
    in_short = Page.of(made.read("person.html")).tables[1:2]
    assert [[int(row[1]) for row in table[1:]] for table in in_short] == ([counts] if any(counts) else [])


def test_the_same_answer_comes_from_the_taps_own_output(loaded: str, config: dict[str, Any], tmp_path: Path) -> None:
    """Entry by entry, but for what differs from call to call."""
    output = run_tap({**config, "email_addresses": [JANE]})
    assert output.returncode == 0, output.stderr
    by_database = report(tmp_path, loaded, "person", "--draft", JANE)
    by_pipe = run_report(
        tmp_path, "person", "--draft", "--from", "-", JANE, "--to", "piped", source=output.stdout.encode()
    )
    piped = json.loads((tmp_path / "piped" / "person.json").read_text())

    assert by_pipe.returncode == 0
    assert by_database.json["masked"] == piped["masked"]
    assert without_run(by_database.json["entries"]) == without_run(piped["entries"])


def without_run(entries: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Entries without what differs from call to call."""
    return {
        stream: [{name: value for name, value in row.items() if name not in OF_A_RUN} for row in rows]
        for stream, rows in entries.items()
    }


def test_an_erasure_is_told_from_its_absence(loaded: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """Before a second look-up nothing is proven; after one that finds nothing it is."""
    asked_at = datetime.now(UTC)
    arguments = ("erasure", JANE, "--asked-at", asked_at.isoformat())
    before = report(tmp_path, loaded, *arguments, "--to", "before")
    connection.execute(
        "INSERT INTO gong_privacy.lookups (email_address, looked_up_at, status, http_status, emails_count, "
        "calls_count, meetings_count, customer_data_count, customer_engagement_count) "
        "VALUES (%s, %s, 'not_found', 200, 0, 0, 0, 0, 0)",
        [JANE, (asked_at + timedelta(seconds=1)).replace(tzinfo=None)],
    )
    try:
        after = report(tmp_path, loaded, *arguments)
    finally:
        connection.execute("DELETE FROM gong_privacy.lookups WHERE looked_up_at > %s", [asked_at.replace(tzinfo=None)])
    found = json.loads(after.read("erasure.json"))["addresses"][0]

    assert before.returncode == 1
    assert "no answer that counts since the erasure was asked for" in before.stderr
    assert (after.returncode, after.stderr) == (0, "")
    assert found["finding"] == "erased"
    counts = [found["before"][f"{section}_count"] for section in SECTIONS]
    assert counts == list(look_ups(connection, JANE)[0])


def test_coverage_has_a_row_for_each_address_of_the_list(loaded: str, config: dict[str, Any], tmp_path: Path) -> None:
    """With the outcomes that the tap's own run had, and who was never asked."""
    listed = [*ADDRESSES[:-2], "new@example.com", ADDRESSES[-1]]
    (tmp_path / "config.json").write_text(json.dumps({**config, "email_addresses": listed}))
    made = report(tmp_path, loaded, "coverage", "--config", "config.json")
    rows = list(csv.DictReader(io.StringIO(made.read("coverage.csv").removeprefix("\ufeff"))))

    assert made.returncode == 1
    assert len(made.stderr.splitlines()) == 2
    assert [(row["email_address"], row["result"]) for row in rows] == [
        (JANE, "data held"),
        (PAT, "data held"),
        ("new@example.com", "never asked"),
        (REFUSED, "refused"),
    ]
    assert Page.of(made.read("coverage.html")).tables[-1][1:] == [[UNKNOWN]]


def test_rows_that_were_deleted_are_missed(loaded: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """The look-up still counts them: the answer is made, and is not complete."""
    with connection.transaction(force_rollback=False):
        connection.execute("CREATE TABLE kept AS SELECT * FROM gong_privacy.meetings WHERE email_address = %s", [JANE])
        connection.execute("DELETE FROM gong_privacy.meetings WHERE email_address = %s", [JANE])
    try:
        made = report(tmp_path, loaded, "person", "--draft", JANE)
    finally:
        connection.execute("INSERT INTO gong_privacy.meetings SELECT * FROM kept")
        connection.execute("DROP TABLE kept")

    assert made.returncode == 1
    assert "of meetings, and the tables hold 0" in made.stderr
    assert made.json["look_ups"][0]["result"] == "data held"


def test_a_load_under_way_gives_no_mixture(loaded: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """What is not committed is not seen."""
    with connection.transaction(force_rollback=True):
        connection.execute("DELETE FROM gong_privacy.emails")
        made = report(tmp_path, loaded, "person", "--draft", JANE)

    assert (made.returncode, made.stderr) == (0, "")


def test_a_table_that_a_load_changes_is_not_waited_for(
    loaded: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """One line says what to do."""
    with connection.transaction(force_rollback=True):
        connection.execute("LOCK TABLE gong_privacy.emails")
        made = report(tmp_path, loaded, "person", "--draft", JANE)

    assert made.returncode == 1
    assert made.stderr == "Error: A load is changing the tables: wait for its end, and run this again.\n"


def test_a_reader_needs_no_right_but_to_select(loaded: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    """Without it, one line says what to grant."""
    connection.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    url = f"postgresql://reader:reader@{loaded.rpartition('@')[2]}"
    try:
        refused = report(tmp_path, url, "person", "--draft", JANE)
        connection.execute("GRANT USAGE ON SCHEMA gong_privacy TO reader")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA gong_privacy TO reader")
        made = report(tmp_path, url, "person", "--draft", JANE)
    finally:
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")

    assert refused.returncode == 1
    assert "grant this user USAGE of the schema and SELECT" in refused.stderr
    assert made.returncode == 0


@pytest.mark.parametrize(
    "right, wrong, arguments, reason",
    [
        ("postgres:", "nobody:", [], "refused the user name or the password"),
        ("/postgres", "/missing", [], "there is no such database or user"),
        ("", "", ["--schema", "other"], "holds none of the tap's tables"),
    ],
)
def test_a_wrong_url_or_schema_is_one_line(
    loaded: str, tmp_path: Path, right: str, wrong: str, arguments: list[str], reason: str
) -> None:
    """What to look at; never the password."""
    scheme, rest = loaded.split("://")
    url = f"{scheme}://{rest.replace(right, wrong)}"
    made = report(tmp_path, url, "person", JANE, *arguments)

    assert made.returncode == 1
    assert reason in made.stderr
    assert len(made.stderr.splitlines()) == 1
    assert loaded.split(":")[2].split("@", maxsplit=1)[0] not in made.stderr


def test_a_deselected_stream_has_no_table_and_is_not_loaded(
    postgres: Postgres, config: dict[str, Any], tmp_path: Path
) -> None:
    """Nor has a deselected column values; both are said."""
    schema = "gong_selected"
    environment = {
        **as_environment("tap-gong-privacy", **config, _select=["*.*", "!calls.*", "!emails.mailbox"]),
        **as_environment("target-postgres", **postgres._asdict(), default_target_schema=schema),
    }
    (tmp_path / "meltano").mkdir()
    run = MeltanoProject(tmp_path / "meltano").run(
        "run", "tap-gong-privacy", "target-postgres", environment=environment
    )
    url = f"postgresql://{postgres.user}:{postgres.password}@{postgres.host}:{postgres.port}/{postgres.database}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        made = report(tmp_path, url, "person", "--draft", "--schema", schema, JANE)
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))

    assert run.returncode == 0, run.stdout
    assert made.returncode == 1
    assert "of calls, which was not loaded" in made.stderr
    assert made.json["not_loaded"] == {"streams": ["calls"], "columns": {"emails": ["mailbox"]}}
