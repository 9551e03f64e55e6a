"""What the benchmarks share: a sandbox in a separate process, and commands whose time and memory are measured."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import requests

from sandbox import PATH, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection

TAP = (sys.executable, "-m", "tap_gong_privacy")
FLOOR = (sys.executable, "-m", "benchmarks.floor")
CEILING = (sys.executable, "-m", "benchmarks.ceiling")
NO_LIMIT = 1e6
"""Calls a second that no benchmark reaches."""

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Cost:
    """What one run of a command took.

    On Linux the peak of a process starts at the memory that its parent holds, so this process must hold little.

    Attributes:
        began: When it started, by the monotonic clock.
        seconds: From its start to its end.
        peak: The most memory that it held, in MB (10^6 bytes).
        lines: How many lines it wrote to stdout.
        log_lines: How many lines it wrote to stderr.
    """

    began: float
    seconds: float
    peak: float
    lines: int
    log_lines: int


class Asked(NamedTuple):
    """A call that the sandbox has read.

    Attributes:
        started: When, by the monotonic clock.
        status: The status of its answer.
    """

    started: float
    status: int


class Server:
    """A sandbox in another process."""

    def __init__(self, connection: Connection, config: dict[str, object]) -> None:
        """Initialize the server.

        Args:
            connection: Answers with the calls since it was last asked.
            config: The settings that point a tap at the sandbox.
        """
        self._connection = connection
        self.config = config

    def calls(self) -> list[Asked]:
        """Return the calls that have come in since this method was last called."""
        self._connection.send(None)
        calls: list[Asked] = self._connection.recv()
        return calls

    def size_of_answer(self) -> int:
        """Return the number of bytes of the answer about an address."""
        auth = (str(self.config["access_key"]), str(self.config["access_key_secret"]))
        (address,) = addresses(1)
        url = f"{self.config['api_url']}{PATH}"
        with requests.get(url, {"emailAddress": address}, auth=auth, timeout=60, stream=True) as answer:
            return int(answer.headers["Content-Length"])


@contextlib.contextmanager
def sandbox(*, requests_per_second: int = 0, delay: float = 0, answer_size: int = 0) -> Iterator[Server]:
    """Start a sandbox.

    Args:
        requests_per_second: The limit; 0 means none.
        delay: Seconds that each answer takes.
        answer_size: E-mails in each answer, which is then the same for all addresses; 0 lets the address decide.

    Yields:
        The sandbox.
    """
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(far, requests_per_second, delay, answer_size), daemon=True)
    process.start()
    try:
        yield Server(near, near.recv())
    finally:
        process.terminate()
        process.join()


def _serve(connection: Connection, requests_per_second: int, delay: float, answer_size: int) -> None:
    with Sandbox(
        requests_per_second=requests_per_second,
        daily_quota=0,
        delay=delay,
        answer_size=answer_size,
        compress=False,
    ) as served:
        connection.send(dict(served.config))
        while True:
            connection.recv()
            connection.send([Asked(call.started, call.status) for call in served.calls])
            served.calls.clear()


def addresses(count: int) -> list[str]:
    """Return addresses about which the sandbox holds data."""
    return [f"person{number}@example.com" for number in range(count)]


def run(command: Sequence[str], config: Mapping[str, object] | None = None) -> Cost:
    """Run a command to its end.

    Args:
        command: The command. If there is a config, `--config` and the path of a file are appended to it.
        config: The config file's content.

    Returns:
        What it took.

    Raises:
        RuntimeError: If its exit code is not 0.
    """
    with tempfile.TemporaryDirectory() as folder:
        output, log, path = (Path(folder, name) for name in ("output", "log", "config.json"))
        options: list[str] = []
        if config is not None:
            path.write_text(json.dumps(config), encoding="utf-8")
            options = ["--config", str(path)]
        with output.open("wb") as stdout, log.open("wb") as stderr:
            began = time.monotonic()
            process = subprocess.Popen([*command, *options], cwd=_ROOT, stdout=stdout, stderr=stderr)  # noqa: S603
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            msg = f"{' '.join(command)} ended with {process.returncode}: {log.read_text(encoding='utf-8')}"
            raise RuntimeError(msg)
        unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB here
        return Cost(began, seconds, usage.ru_maxrss * unit / 1e6, _lines(output), _lines(log))


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


class Sides(NamedTuple):
    """Two commands that are measured in turn, round by round."""

    ours: list[Cost]
    theirs: list[Cost]

    def ratio(self) -> float:
        """Return how many times as long ours takes, by the medians."""
        return median(self.ours) / median(self.theirs)


def in_turn(rounds: int, ours: Callable[[], Cost], theirs: Callable[[], Cost]) -> Sides:
    """Measure two commands in turn, so that other load on the machine affects both.

    Args:
        rounds: How often each is run.
        ours: Runs the tap.
        theirs: Runs what it is compared with.

    Returns:
        The costs.
    """
    costs = [(ours(), theirs()) for _ in range(rounds)]
    return Sides([mine for mine, _ in costs], [other for _, other in costs])


def median(costs: Sequence[Cost]) -> float:
    """Return the median of the seconds."""
    return statistics.median(cost.seconds for cost in costs)


def peak(costs: Sequence[Cost]) -> float:
    """Return the largest peak of memory, in MB."""
    return max(cost.peak for cost in costs)
