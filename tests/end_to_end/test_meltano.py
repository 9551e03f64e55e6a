"""The tap under Meltano, from the sandbox into a real Postgres."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.end_to_end.pipeline import as_environment, contradictions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from psycopg import Connection

    from tests.end_to_end.pipeline import MeltanoProject, Sandbox

ADDRESSES = ("jane.doe@example.com", "unknown@example.com", "Pat.O'Brien+gong@example.org")
STATUSES = dict(zip(ADDRESSES, ("found", "not_found", "found"), strict=True))
REFUSED = "refused@example.com"
PIPELINE = ("tap-gong-privacy", "target-postgres")


def for_tap(**settings: object) -> dict[str, str]:
    """The variables that give the tap its settings."""
    return as_environment("tap-gong-privacy", **settings)


def statuses(database: Connection) -> dict[str, str]:
    """The status of each address, which must have been looked up once."""
    rows = database.execute("SELECT email_address, status FROM gong_privacy.lookups").fetchall()
    assert len(rows) == len(dict(rows))
    return dict(rows)


def rows_of_each_table(database: Connection) -> dict[str, int]:
    """How many rows each table holds."""
    names = database.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'gong_privacy'"
    ).fetchall()
    return {name: count(database, name) for (name,) in names}


def count(database: Connection, table: str) -> int:
    """How many rows a table holds."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("gong_privacy", table))
    row = database.execute(query).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("command", ["elt", "el", "run"])
def test_each_command_loads_what_the_lookups_promise(
    command: str, meltano: MeltanoProject, ends: Mapping[str, str], database: Connection
) -> None:
    """`elt`, `el` and `run` load each address, and as many rows as its lookup counts."""
    loaded = meltano.run(command, *PIPELINE, environment={**ends, **for_tap(email_addresses=ADDRESSES)})

    assert loaded.returncode == 0, loaded.stdout
    assert statuses(database) == STATUSES
    assert contradictions(database) == {}
    assert "3 addresses: 2 found, 1 not found, 0 rejected, 0 failed, 0 not asked" in loaded.stdout


@pytest.mark.parametrize("command", ["elt", "el", "run"])
def test_each_command_passes_on_that_an_address_was_refused(
    command: str, meltano: MeltanoProject, ends: Mapping[str, str], database: Connection
) -> None:
    """An address that Gong refuses makes the pipeline exit 1; what was found is loaded."""
    addresses = (REFUSED, *ADDRESSES)
    loaded = meltano.run(command, *PIPELINE, environment={**ends, **for_tap(email_addresses=addresses)})

    assert loaded.returncode == 1, loaded.stdout
    assert statuses(database) == {REFUSED: "rejected", **STATUSES}
    assert contradictions(database) == {}


def test_a_refused_address_may_be_allowed(
    meltano: MeltanoProject, ends: Mapping[str, str], database: Connection
) -> None:
    """With `fail_on_rejected_address` false, given as text, the pipeline exits 0."""
    settings = for_tap(email_addresses=[REFUSED], fail_on_rejected_address="false")
    loaded = meltano.run("run", *PIPELINE, environment={**ends, **settings})

    assert loaded.returncode == 0, loaded.stdout
    assert statuses(database) == {REFUSED: "rejected"}


def test_a_second_run_asks_again_and_doubles_nothing(
    meltano: MeltanoProject, ends: Mapping[str, str], database: Connection
) -> None:
    """A row that two loads found exists once, under its latest look-up; both look-ups have a row."""
    environment = {**ends, **for_tap(email_addresses=ADDRESSES)}
    rows = []
    for _ in range(2):
        loaded = meltano.run("run", *PIPELINE, environment=environment)
        assert loaded.returncode == 0, loaded.stdout
        assert contradictions(database) == {}
        rows.append(rows_of_each_table(database))

    first, second = rows
    assert second.pop("lookups") == 2 * first.pop("lookups") == 2 * len(ADDRESSES)
    assert second == first
    assert all(first.values())


def test_numbers_and_a_file_come_as_text(
    meltano: MeltanoProject, ends: Mapping[str, str], database: Connection, tmp_path: Path
) -> None:
    """Settings given as text mean what they say; an empty variable counts as not set."""
    addresses = tmp_path / "list.csv"
    addresses.write_text("name,mail\nJane,jane.doe@example.com\nNobody,unknown@example.com\n")
    settings = for_tap(
        access_token="",
        email_addresses_file=str(addresses),
        email_addresses_column="mail",
        requests_per_second="2.5",
        request_timeout="12.5",
        max_concurrency="1",
        max_retries="0",
        max_retry_wait="0",
    )
    loaded = meltano.run("run", *PIPELINE, environment={**ends, **settings})

    assert loaded.returncode == 0, loaded.stdout
    assert statuses(database) == {
        "jane.doe@example.com": "found",
        "unknown@example.com": "not_found",
    }


def test_a_json_config_file_adds_to_meltanos_settings(
    meltano: MeltanoProject, ends: Mapping[str, str], tmp_path: Path
) -> None:
    """`invoke` takes one, whose settings add to Meltano's, or replace them."""
    config = tmp_path / "more.json"
    config.write_text(json.dumps({"email_addresses": ADDRESSES, "max_requests_per_run": 2}))
    environment = {**ends, **for_tap(email_addresses=[REFUSED], max_concurrency=1)}
    invoked = meltano.run("invoke", "tap-gong-privacy", "--config", str(config), environment=environment)

    assert invoked.returncode == 0, invoked.stdout
    assert "3 addresses: 1 found, 1 not found, 0 rejected, 0 failed, 1 not asked" in invoked.stdout


def test_meltano_takes_a_setting_from_a_json_file(
    meltano: MeltanoProject, ends: Mapping[str, str], database: Connection, tmp_path: Path
) -> None:
    """A list may come from a file that another program writes; it is not shown."""
    addresses = tmp_path / "addresses.json"
    addresses.write_text(json.dumps(ADDRESSES))
    options = ("--store=dotenv", f"--from-file={addresses}")
    taken = meltano.run("config", "set", *options, "tap-gong-privacy", "email_addresses")
    loaded = meltano.run("run", *PIPELINE, environment=ends)

    assert taken.returncode == loaded.returncode == 0, loaded.stdout
    assert not any(address in taken.stdout for address in ADDRESSES)
    assert statuses(database) == STATUSES


def test_a_token_replaces_the_key_pair(
    meltano: MeltanoProject, ends: Mapping[str, str], sandbox: Sandbox, database: Connection
) -> None:
    """An OAuth access token is enough."""
    settings = for_tap(
        access_key="",
        access_key_secret="",
        access_token=sandbox.access_token,
        email_addresses=ADDRESSES,
    )
    loaded = meltano.run("run", *PIPELINE, environment={**ends, **settings})

    assert loaded.returncode == 0, loaded.stdout
    assert statuses(database) == STATUSES


def test_a_wrong_setting_ends_the_pipeline(
    meltano: MeltanoProject, ends: Mapping[str, str], database: Connection
) -> None:
    """A config error passes through Meltano, and nothing is loaded."""
    settings = for_tap(email_addresses=ADDRESSES, max_concurrency="0")
    loaded = meltano.run("run", *PIPELINE, environment={**ends, **settings})

    assert loaded.returncode == 1, loaded.stdout
    assert "max_concurrency" in loaded.stdout, loaded.stdout
    assert rows_of_each_table(database) == {}


def test_no_address_is_in_meltanos_log_or_state(
    meltano: MeltanoProject, ends: Mapping[str, str], database: Connection
) -> None:
    """Neither what Meltano prints nor the state that it keeps holds an address or a secret."""
    environment = {**ends, **for_tap(email_addresses=ADDRESSES)}
    loaded = meltano.run("run", *PIPELINE, environment=environment)
    state = meltano.run("state", "get", "dev:tap-gong-privacy-to-target-postgres")

    assert loaded.returncode == 0, loaded.stdout
    assert statuses(database) == STATUSES
    kept = json.loads(state.stdout.splitlines()[-1])
    assert "lookups" in kept["singer_state"]["bookmarks"]
    secret = ends["TAP_GONG_PRIVACY_ACCESS_KEY_SECRET"]
    for hidden in (secret, *ADDRESSES):
        assert hidden not in loaded.stdout
        assert hidden not in state.stdout
