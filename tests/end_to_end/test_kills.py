"""Kills at random instants, resumed until done: nothing is lost, and what is known to be done is not asked again.

`KILL_ROUNDS=100 .venv/bin/python -m pytest tests/end_to_end/test_kills.py -rA` makes a hundred rounds of each test, and
prints what they cost.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from sandbox import Sandbox
from tests.bookmarks import settled
from tests.end_to_end.pipeline import PLUGINS, SCHEMA, SECTIONS, contradictions
from tests.running import COMMAND, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.postgres import Postgres

TARGET = PLUGINS / "loaders" / "target-postgres" / "venv" / "bin" / "target-postgres"
ROUNDS = int(os.environ.get("KILL_ROUNDS", "2"))
KILLS = 2
CONCURRENCY = 4
PREFIXES = ("p", "unknown", "p", "refused", "p")
LISTED = [f"{PREFIXES[place % 5]}{place}@x.example" for place in range(60)]
SECONDS = 1.5
"""How long the calls of an uninterrupted run take, at 40 a second."""


@dataclass
class Tap:
    """The tap's settings, and the sandbox that it asks."""

    folder: Path
    sandbox: Sandbox
    state: dict[str, Any] = field(default_factory=dict)
    runs: int = 0
    asked: list[list[str]] = field(default_factory=list)
    is_over: bool = False

    def begin(self, stdout: int) -> subprocess.Popen[bytes]:
        """Start a run from the state."""
        config: Mapping[str, object] = {
            **self.sandbox.config,
            "email_addresses": LISTED,
            "requests_per_second": len(LISTED) / SECONDS,
            "max_concurrency": CONCURRENCY,
            "fail_on_rejected_address": False,
        }
        paths = self.folder / "config.json", self.folder / "state.json"
        for path, content in zip(paths, (config, self.state), strict=True):
            path.write_text(json.dumps(content))
        self.sandbox.calls.clear()
        self.runs += 1
        with (self.folder / f"log-{self.runs}").open("wb") as log:
            return subprocess.Popen(
                [COMMAND, "--config", paths[0], "--state", paths[1]],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=log,
            )

    def end(self, states: list[dict[str, Any]], *, is_whole: bool) -> None:
        """Note who was asked, check that nobody was asked twice or after being done, and keep the last state.

        An empty bookmark means that the round is over or has not begun. An earlier state tells which.
        """
        asked = [call.address for call in self.sandbox.calls]
        assert set(asked) <= set(LISTED[self.done :])
        assert len(asked) == len(set(asked))
        self.asked.append(asked)
        before = self.done
        has_begun = before > 0 or any(settled(state["bookmarks"]["lookups"]) for state in states)
        if states:
            self.state = states[-1]
        self.is_over = is_whole or (has_begun and not self.done)
        assert self.done >= before or self.is_over

    @property
    def done(self) -> int:
        """How many addresses the state proves done."""
        return settled(self.state["bookmarks"]["lookups"]) if self.state else 0

    @property
    def extra(self) -> int:
        """Calls beyond one for each address."""
        return sum(map(len, self.asked)) - len(LISTED)


def kill_at_random(draw: random.Random, sandbox: Sandbox, processes: dict[str, subprocess.Popen[bytes]]) -> str:
    """Kill one of the processes, or all, at a random instant after the start, and return what was done."""
    deadline = time.monotonic() + draw.uniform(0.3, 1 + SECONDS)
    calls = draw.randrange(len(LISTED))
    while time.monotonic() < deadline or not sandbox.calls:
        if len(sandbox.calls) > calls or any(process.poll() is not None for process in processes.values()):
            break
        time.sleep(0.005)
    time.sleep(draw.uniform(0, 0.05))
    number = draw.choice((signal.SIGKILL, signal.SIGTERM))
    victim = draw.choice((*processes, "all"))
    for name, process in processes.items():
        if victim in {name, "all"}:
            # On SIGTERM the SDK's targets exit with 0 even if they have unread input, or wait for themselves forever.
            process.send_signal(signal.SIGKILL if name == "target" else number)
    return f"{number.name} of {victim}"


def lines_of(content: bytes) -> list[dict[str, Any]]:
    """The whole lines of a file that may have been cut anywhere."""
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def without_call(record: dict[str, Any]) -> str:
    """A record without its time and its request id, which differ from call to call."""
    kept = {name: value for name, value in record.items() if name not in {"looked_up_at", "request_id"}}
    return json.dumps(kept, sort_keys=True)


def contents(messages: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The records by stream."""
    found: dict[str, set[str]] = {}
    for message in messages:
        if message["type"] == "RECORD":
            found.setdefault(message["stream"], set()).add(without_call(message["record"]))
    return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that takes a while for each answer."""
    with Sandbox(requests_per_second=0, daily_quota=0, delay=0.03) as slow:
        yield slow


@pytest.fixture(scope="module")
def uninterrupted(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The messages of a run that nothing interrupts."""
    tap = Tap(tmp_path_factory.mktemp("whole"), sandbox)
    with tap.begin(subprocess.PIPE) as process:
        output, _ = process.communicate()
    assert process.returncode == 0
    return lines_of(output)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_killed_tap_asks_at_most_twice_what_was_in_flight(
    number: int, sandbox: Sandbox, uninterrupted: list[dict[str, Any]], tmp_path: Path
) -> None:
    """By its own output: whole lines together hold all that an uninterrupted run writes."""
    draw = random.Random(f"round {number}")  # noqa: S311 - instants, not cryptography
    tap = Tap(tmp_path, sandbox)
    messages: list[dict[str, Any]] = []
    kills = 0
    while not tap.is_over:
        output = tmp_path / f"output-{tap.runs}"
        with output.open("wb") as file, tap.begin(file.fileno()) as process:
            if kills < KILLS:
                kills += 1
                kill_at_random(draw, sandbox, {"tap": process})
        assert process.returncode in ({0, 143, -15, -9} if kills <= KILLS else {0})
        written = lines_of(output.read_bytes())
        messages += written
        states = [message["value"] for message in written if message["type"] == "STATE"]
        tap.end(states, is_whole=process.returncode == 0)
    sys.stdout.write(f"calls beyond one per address: {tap.extra} in {kills} kills of the tap\n")
    assert contents(messages) == contents(uninterrupted)
    assert tap.extra <= CONCURRENCY * kills


@contextlib.contextmanager
def emptied(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """A connection to a database without tables, before and after."""
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SCHEMA))
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(drop)
        try:
            yield connection
        finally:
            connection.execute(drop)


def load(tap: Tap, postgres: Postgres, draw: random.Random | None) -> tuple[str, dict[str, int], list[dict[str, Any]]]:
    """Run the tap into target-postgres, and kill it at a random instant if there is a draw.

    Returns:
        What was killed, the exit codes, and the states that the target gave back.
    """
    settings = {**postgres._asdict(), "default_target_schema": SCHEMA, "batch_size_rows": 15}
    config = tap.folder / "target.json"
    config.write_text(json.dumps(settings))
    given_back = tap.folder / f"states-{tap.runs}"
    with given_back.open("wb") as file, (tap.folder / f"target-log-{tap.runs}").open("wb") as log:
        reader, writer = os.pipe()
        target = subprocess.Popen(
            [TARGET, "--config", config], env=environment(), stdin=reader, stdout=file, stderr=log
        )
        source = tap.begin(writer)
        os.close(reader)
        os.close(writer)
        with source, target:
            what = kill_at_random(draw, tap.sandbox, {"tap": source, "target": target}) if draw else "nothing"
    return what, {"tap": source.returncode, "target": target.returncode}, lines_of(given_back.read_bytes())


def tables(connection: psycopg.Connection) -> dict[str, list[str]]:
    """What each table holds, without times and request ids; of `lookups` each address's latest row."""
    found = {}
    for table in ("lookups", *SECTIONS):
        distinct = sql.SQL("DISTINCT ON (email_address)") if table == "lookups" else sql.SQL("")
        query = sql.SQL("SELECT {} to_jsonb(t) FROM {} t ORDER BY email_address, looked_up_at DESC")
        rows = connection.execute(query.format(distinct, sql.Identifier(SCHEMA, table))).fetchall()
        records = [{name: value for name, value in row.items() if not name.startswith("_sdc")} for (row,) in rows]
        found[table] = sorted(map(without_call, records))
    return found


@pytest.fixture(scope="module")
def loaded(sandbox: Sandbox, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The tables of a load that nothing interrupts.

    Raises:
        RuntimeError: If the target is not installed.
    """
    if not TARGET.exists():
        msg = "target-postgres is not set up: `make test` and `make demo` do so"
        raise RuntimeError(msg)
    with emptied(postgres) as connection:
        tap = Tap(tmp_path_factory.mktemp("loaded"), sandbox)
        _, codes, states = load(tap, postgres, None)
        assert codes == {"tap": 0, "target": 0}
        tap.end(states, is_whole=True)
        assert not tap.done
        assert contradictions(connection) == {}
        return tables(connection)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_killed_pipeline_ends_with_the_tables_of_an_uninterrupted_one(
    number: int, sandbox: Sandbox, postgres: Postgres, loaded: dict[str, list[str]], tmp_path: Path
) -> None:
    """Each address's latest look-up agrees with its rows, and no address in a returned state is asked again."""
    draw = random.Random(f"round {number}")  # noqa: S311 - instants, not cryptography
    tap = Tap(tmp_path, sandbox)
    done: list[str] = []
    with emptied(postgres) as connection:
        while not tap.is_over:
            what, codes, states = load(tap, postgres, draw if len(done) < KILLS else None)
            done.append(what)
            assert what != "nothing" or codes == {"tap": 0, "target": 0}
            tap.end(states, is_whole=not any(codes.values()))
        assert contradictions(connection) == {}
        assert tables(connection) == loaded
    sys.stdout.write(f"calls beyond one per address: {tap.extra} after {', '.join(done)}\n")
    assert set().union(*tap.asked) == set(LISTED)
