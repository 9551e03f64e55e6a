"""What the tests of whole pipelines share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tests.end_to_end.pipeline import (
    SCHEMA,
    MeltanoProject,
    Sandbox,
    as_environment,
    running_sandbox,
)
from tests.postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A stand-in for Gong with no limit of calls."""
    with running_sandbox("--requests-per-second=0") as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """A connection; the tables that a test has loaded are dropped after it."""
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        yield connection
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SCHEMA)))


@pytest.fixture
def meltano(tmp_path: Path) -> MeltanoProject:
    """A Meltano project without state."""
    return MeltanoProject(tmp_path)


@pytest.fixture
def ends(sandbox: Sandbox, postgres: Postgres) -> dict[str, str]:
    """Variables that point the tap at the sandbox and the target at the server."""
    return {
        **as_environment(
            "tap-gong-privacy",
            api_url=sandbox.api_url,
            access_key=sandbox.access_key,
            access_key_secret=sandbox.access_key_secret,
            requests_per_second=100,
        ),
        **as_environment("target-postgres", **postgres._asdict()),
    }
