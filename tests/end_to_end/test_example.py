"""The example project, as people copy it: into a real Postgres, with no address in clear."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.end_to_end.pipeline import CHECKOUT, SCHEMA, MeltanoProject, contradictions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection

    from tests.end_to_end.pipeline import Sandbox
    from tests.postgres import Postgres

EXAMPLE = CHECKOUT / "examples" / "meltano-project"
ADDRESSES = ("jane.doe@example.com", "unknown@example.com", "refused@example.com", "test@test.com")
SALT = "an example salt of 32 characters"
STREAMS = {"lookups", "emails", "calls", "meetings"}
STATE_ID = "prod:tap-gong-privacy-to-target-postgres"
# Meltano would fetch the published tap, into the environment that all projects of the tests share.
AS_INSTALLED = "--no-install"


def pseudonym(database: Connection, address: str) -> str:
    """The pseudonym of an address, as the query of the README makes it."""
    query = re.search(r"WHERE email_address = (.*?);", (EXAMPLE / "README.md").read_text())
    assert query
    expression = query[1].replace("<salt>", SALT).replace("jane.doe@example.com", address)
    row = database.execute(f"SELECT {expression}".encode()).fetchone()
    assert row
    return str(row[0])


@pytest.fixture
def project(tmp_path: Path, sandbox: Sandbox, postgres: Postgres) -> MeltanoProject:
    """A copy of the example, filled in as its README says.

    Its plugins are those installed in the checkout: nothing in the project is changed for that.
    """
    project = MeltanoProject(tmp_path)
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "addresses.csv").write_text("\n".join(["email_address", *ADDRESSES]))
    write_settings(
        tmp_path,
        TAP_GONG_PRIVACY_ACCESS_KEY=sandbox.access_key,
        TAP_GONG_PRIVACY_ACCESS_KEY_SECRET=sandbox.access_key_secret,
        TAP_GONG_PRIVACY_API_URL=sandbox.api_url,
        TAP_GONG_PRIVACY_STREAM_MAP_CONFIG_SALT=SALT,
        **{f"TARGET_POSTGRES_{name.upper()}": str(value) for name, value in postgres._asdict().items()},
    )
    return project


def write_settings(folder: Path, **values: str) -> None:
    """Fill in the variables of `.env.example`: every one that it has, and no other."""
    lines = (EXAMPLE / ".env.example").read_text().splitlines()
    names = [match[1] for line in lines if (match := re.match(r"(?:# )?([A-Z_]+)=", line))]
    assert sorted(names) == sorted(values)
    (folder / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))


@pytest.fixture
def elsewhere(database: Connection) -> Iterator[Connection]:
    """A connection as a role whose time zone is far from UTC."""
    database.execute("ALTER ROLE CURRENT_USER SET timezone = 'Asia/Tokyo'")
    yield database
    database.execute("ALTER ROLE CURRENT_USER RESET timezone")


def every_row(database: Connection) -> dict[str, list[str]]:
    """Each table's rows, as JSON."""
    names = database.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [SCHEMA])
    query = sql.SQL("SELECT row_to_json(loaded)::text FROM {} AS loaded")
    return {
        name: [row for (row,) in database.execute(query.format(sql.Identifier(SCHEMA, name)))]
        for (name,) in names.fetchall()
    }


def test_the_schedule_loads_pseudonyms_that_join(project: MeltanoProject, elsewhere: Connection) -> None:
    """The scheduled job loads the picked streams, no address in clear, times in UTC, and keeps its state."""
    began = datetime.now(UTC)
    loaded = project.run("schedule", "run", "daily", AS_INSTALLED)
    rows = every_row(elsewhere)

    assert loaded.returncode == 0, loaded.stdout
    assert rows.keys() == STREAMS
    assert all(rows.values())
    for address in ADDRESSES:
        assert address not in loaded.stdout
    assert [row for table in rows.values() for row in table if "@" in row] == []
    statuses = elsewhere.execute("SELECT email_address, status FROM gong_privacy.lookups").fetchall()
    assert dict(statuses) == {
        pseudonym(elsewhere, address): status
        for address, status in zip(ADDRESSES, ("found", "not_found", "rejected", "found"), strict=True)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.end_to_end.pipeline.SECTIONS", tuple(STREAMS - {"lookups"}))
        assert contradictions(elsewhere) == {}
    moment = elsewhere.execute("SELECT max(looked_up_at) FROM gong_privacy.lookups").fetchone()
    assert moment
    assert timedelta() <= moment[0].replace(tzinfo=UTC) - began < timedelta(minutes=5)
    state = project.run("state", "get", STATE_ID)
    assert "lookups" in json.loads(state.stdout.splitlines()[-1])["singer_state"]["bookmarks"]


def test_nothing_is_loaded_with_a_short_salt(project: MeltanoProject, database: Connection, tmp_path: Path) -> None:
    """A salt that is easily guessed would be no protection; an empty one, forgotten, none at all."""
    settings = tmp_path / ".env"
    settings.write_text(settings.read_text().replace(SALT, SALT[1:]))
    loaded = project.run("run", AS_INSTALLED, "look-up")

    assert loaded.returncode == 1, loaded.stdout
    assert "stream_maps" in loaded.stdout
    assert not any(every_row(database).values())
