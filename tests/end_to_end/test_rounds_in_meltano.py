"""Rounds through real Meltano, which keeps the state: stopped, failed, finished, and started over on request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sandbox import Reply, Sandbox
from tests.bookmarks import kept, settled
from tests.end_to_end.pipeline import MeltanoProject, as_environment, contradictions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

    from psycopg import Connection

    from tests.postgres import Postgres

LISTED = [f"p{place}@x.example" for place in range(1, 7)]
PIPELINE = ("tap-gong-privacy", "target-postgres")
COMMANDS = {
    "el": ("el", "--state-id=weekly", *PIPELINE),
    "run": ("run", *PIPELINE),
}
STATE_ID = "dev:tap-gong-privacy-to-target-postgres"
LATER = Reply(429, headers={"Retry-After": "7200"})
DOWN = Reply(503, headers={"Retry-After": "0"})
EVERYONE = f"{len(LISTED)} addresses: {len(LISTED)} found, 0 not found, 0 rejected, 0 failed, 0 not asked"


class Pipeline:
    """The project's pipeline from a sandbox that answers as a test says; every address is found."""

    def __init__(self, meltano: MeltanoProject, sandbox: Sandbox, postgres: Postgres) -> None:
        """Begin without state."""
        self.meltano = meltano
        self.sandbox = sandbox
        self.answers = sandbox.answers
        self.environment = {
            **as_environment(
                "tap-gong-privacy",
                **sandbox.config,
                email_addresses=LISTED,
                max_concurrency=1,
                max_retries=0,
                requests_per_second=100,
            ),
            **as_environment("target-postgres", **postgres._asdict()),
        }

    def run(self, *command: str, code: int) -> CompletedProcess[str]:
        """Run a Meltano command, which must end with this exit code and show no address."""
        self.sandbox.calls.clear()
        done = self.meltano.run(*command, environment=self.environment)
        assert done.returncode == code, done.stdout
        for hidden in (*LISTED, self.sandbox.access_key_secret):
            assert hidden not in done.stdout
        return done

    @property
    def asked(self) -> list[str]:
        """Who was asked about in the last run."""
        return [call.address for call in self.sandbox.calls]

    def bookmark(self) -> dict[str, str]:
        """The bookmark that Meltano keeps."""
        shown = self.meltano.run("state", "get", STATE_ID).stdout.splitlines()[-1]
        bookmark = json.loads(shown)["singer_state"]["bookmarks"]["lookups"]
        assert isinstance(bookmark, dict)
        return bookmark


@pytest.fixture
def pipeline(tmp_path: Path, postgres: Postgres) -> Iterator[Pipeline]:
    """A pipeline without state, from a sandbox without limits."""
    with Sandbox(requests_per_second=0) as sandbox:
        yield Pipeline(MeltanoProject(tmp_path), sandbox, postgres)


def statuses(database: Connection) -> list[str]:
    """The outcome of every look-up that the table holds, by address and time."""
    query = "SELECT email_address || ' ' || status FROM gong_privacy.lookups ORDER BY email_address, looked_up_at"
    return [text for (text,) in database.execute(query).fetchall()]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_stopped_then_finished_then_run_again(
    pipeline: Pipeline, database: Connection, command: tuple[str, ...]
) -> None:
    """A limit stops the run, the next run asks only the rest, and the one after it asks everyone."""
    pipeline.answers[LISTED[2]] = LATER
    stopped = pipeline.run(*command, code=1)
    assert "2 found, 0 not found, 0 rejected, 0 failed, 4 not asked" in stopped.stdout
    assert "Run again after " in stopped.stdout
    assert pipeline.asked == LISTED[:3]

    pipeline.answers.clear()
    finished = pipeline.run(*command, code=0)
    assert "asking 4 of 6 addresses; 2 were answered by earlier runs" in finished.stdout
    assert EVERYONE in finished.stdout
    assert pipeline.asked == LISTED[2:]
    assert statuses(database) == [f"{address} found" for address in LISTED]

    again = pipeline.run(*command, code=0)
    assert EVERYONE in again.stdout
    assert pipeline.asked == LISTED
    assert statuses(database) == [f"{address} found" for address in LISTED for _ in range(2)]
    assert contradictions(database) == {}


def test_stopped_then_a_full_refresh(pipeline: Pipeline, database: Connection) -> None:
    """`--full-refresh` asks everyone. Stopped itself, it leaves its own place, and not the one before."""
    pipeline.answers[LISTED[3]] = LATER
    pipeline.run("run", *PIPELINE, code=1)
    assert settled(pipeline.bookmark()) == 3

    pipeline.answers[LISTED[1]] = LATER
    pipeline.run("run", "--full-refresh", *PIPELINE, code=1)
    assert pipeline.asked == LISTED[:2]
    assert settled(pipeline.bookmark()) == 1

    pipeline.answers.clear()
    pipeline.run("run", "--full-refresh", *PIPELINE, code=0)
    assert pipeline.asked == LISTED
    assert not any(pipeline.bookmark().values())

    pipeline.run("run", *PIPELINE, code=0)
    assert pipeline.asked == LISTED
    assert contradictions(database) == {}


def test_failed_then_run_again(pipeline: Pipeline, database: Connection) -> None:
    """A failed address makes the pipeline exit 1. The next run asks only it, and the one after that asks everyone."""
    pipeline.answers[LISTED[1]] = DOWN
    failed = pipeline.run("run", *PIPELINE, code=1)
    assert "5 found, 0 not found, 0 rejected, 1 failed, 0 not asked" in failed.stdout
    assert kept(pipeline.bookmark())["owed"] == 1

    pipeline.answers.clear()
    pipeline.run("run", *PIPELINE, code=0)
    assert pipeline.asked == [LISTED[1]]

    pipeline.run("run", *PIPELINE, code=0)
    assert pipeline.asked == LISTED
    assert [row for row in statuses(database) if LISTED[1] in row] == [
        f"{LISTED[1]} {status}" for status in ("failed", "found", "found")
    ]
    assert contradictions(database) == {}


def test_a_list_in_a_file_that_changes_between_the_runs(
    pipeline: Pipeline, database: Connection, tmp_path: Path
) -> None:
    """With a budget of three calls a run, nobody is asked twice in a round, and newcomers are asked in their place."""
    path = tmp_path / "people.csv"
    del pipeline.environment["TAP_GONG_PRIVACY_EMAIL_ADDRESSES"]
    pipeline.environment |= as_environment("tap-gong-privacy", email_addresses_file=str(path), max_requests_per_run=3)
    first, second, third, fourth, fifth, sixth = LISTED
    nights = [
        (LISTED, LISTED[:3]),
        # One person who was asked and one who was not are gone, one is renamed, two are new, and the order is another.
        (["new@x.example", sixth, fifth, "renamed@x.example", third, first], ["new@x.example", sixth, fifth]),
        # Someone is back.
        ([second, third, fifth, fourth, sixth, "renamed@x.example"], [fourth, "renamed@x.example"]),
    ]
    for listed, asked in nights:
        path.write_text("\n".join(["email_address", *listed]))
        pipeline.run("run", *PIPELINE, code=0)
        assert pipeline.asked == asked
    assert not any(pipeline.bookmark().values())
    everybody = sorted([*LISTED, "new@x.example", "renamed@x.example"])
    assert statuses(database) == [f"{address} found" for address in everybody]
    assert contradictions(database) == {}
