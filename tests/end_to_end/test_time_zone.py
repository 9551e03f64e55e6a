"""Times in Postgres are right to the instant in any zone of the server, once the zone of the loader is pinned."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from sandbox import Reply, Sandbox
from tests.end_to_end.pipeline import SCHEMA, MeltanoProject, as_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.postgres import Postgres

ADDRESS = "jane.doe@example.com"
ZONE = "America/New_York"

# By id, the instants that Gong names, some of which a clock in New York shows twice or never.
TIMES = {
    "winter": "2026-01-15T00:30:00.123456-08:00",
    "summer": "2026-07-15T12:00:00Z",
    "day before": "2026-02-28T23:59:59+14:00",
    "clocks forward": "2026-03-08T02:30:00Z",
    "first half past one": "2026-11-01T01:30:00-04:00",
    "second half past one": "2026-11-01T01:30:00-05:00",
    "long ago": "1883-11-18T12:03:58Z",
}


def naive(text: str) -> datetime:
    """The time that a clock in UTC shows at an instant."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


@pytest.fixture
def loader(postgres: Postgres) -> Iterator[Postgres]:
    """A role without any rights, in a database whose time zone is New York's."""
    name = f"loader_{secrets.token_hex(4)}"
    own = postgres._replace(user=name, password=secrets.token_hex(), database=name)
    role = sql.Identifier(name)
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(own.password)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        connection.execute(sql.SQL("ALTER DATABASE {} SET timezone = {}").format(role, sql.Literal(ZONE)))
        yield own
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(role))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


def load(
    folder: Path, loader: Postgres, variables: Mapping[str, str], *, is_project_pinned: bool = False
) -> tuple[dict[str, datetime], datetime, tuple[datetime, datetime]]:
    """Load an answer with all those times.

    Args:
        folder: One for the Meltano project.
        loader: The role and its database.
        variables: Further variables of the environment.
        is_project_pinned: Whether the project's own `PGTZ` stays.

    Returns:
        The times in the tables, by id; when the tables say that the address was looked up; and within what it was.
    """
    emails = [{"id": name, "sentTime": time} for name, time in TIMES.items()]
    project = MeltanoProject(folder)
    if not is_project_pinned:
        definition = folder / "meltano.yml"
        text = definition.read_text(encoding="utf-8")
        assert text.count("PGTZ: UTC") == 1
        definition.write_text(text.replace("PGTZ: UTC", "ANOTHER: UTC"), encoding="utf-8")
    began = datetime.now(UTC).replace(tzinfo=None)
    with Sandbox(requests_per_second=0) as sandbox:
        sandbox.answers[ADDRESS] = Reply(body={"emails": emails})
        done = project.run(
            "run",
            "tap-gong-privacy",
            "target-postgres",
            environment={
                **as_environment("tap-gong-privacy", **sandbox.config, email_addresses=[ADDRESS]),
                **as_environment("target-postgres", **loader._asdict()),
                **variables,
            },
        )
    assert done.returncode == 0, done.stdout
    ended = datetime.now(UTC).replace(tzinfo=None)
    with psycopg.connect(loader.conninfo) as connection:
        times = connection.execute(
            sql.SQL("SELECT id, sent_time FROM {}").format(sql.Identifier(SCHEMA, "emails"))
        ).fetchall()
        looked_up = connection.execute(
            sql.SQL("SELECT looked_up_at FROM {}").format(sql.Identifier(SCHEMA, "lookups"))
        ).fetchone()
    assert looked_up
    return dict(times), looked_up[0], (began, ended)


def pin_role(loader: Postgres) -> None:
    """Do what the documentation says, as the role itself, which may."""
    with psycopg.connect(loader.conninfo) as connection:
        connection.execute(sql.SQL("ALTER ROLE {} SET timezone = 'UTC'").format(sql.Identifier(loader.user)))


@pytest.mark.parametrize("remedy", ["role", ".env", "environment", "project"])
def test_a_pinned_zone_keeps_each_instant(remedy: str, loader: Postgres, tmp_path: Path) -> None:
    """`ALTER ROLE … SET timezone = 'UTC'` is enough; so is `PGTZ` in `.env`, the environment or `meltano.yml`."""
    if remedy == "role":
        pin_role(loader)
    if remedy == ".env":
        (tmp_path / ".env").write_text("PGTZ=UTC\n")
    variables = {"PGTZ": "UTC"} if remedy == "environment" else {}
    times, looked_up_at, (began, ended) = load(tmp_path, loader, variables, is_project_pinned=remedy == "project")

    assert times == {name: naive(text) for name, text in TIMES.items()}
    assert began <= looked_up_at <= ended


def test_without_it_instants_are_hours_off_and_two_become_one(loader: Postgres, tmp_path: Path) -> None:
    """What the documentation warns of: not even the zone tells afterwards which instant it was."""
    times, looked_up_at, (began, _) = load(tmp_path, loader, {})

    assert times["summer"] == datetime(2026, 7, 15, 8)  # noqa: DTZ001 - as the column has it
    assert times["first half past one"] == times["second half past one"]
    assert looked_up_at < began
