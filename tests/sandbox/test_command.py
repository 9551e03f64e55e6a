"""The command `python -m sandbox`."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox
from tests.sandbox.asking import ask, asked, erase

if TYPE_CHECKING:
    from collections.abc import Iterator


def command(*options: str) -> list[str]:
    """Return the command line of a sandbox."""
    return [sys.executable, "-m", "sandbox", *options]


@contextlib.contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command with its output buffered as usual, for 30 seconds at most."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command(*options), stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def served_by(process: subprocess.Popen[str]) -> Sandbox:
    """Return a sandbox that is not started, with the address and credentials that the first line names."""
    assert process.stdout
    values = dict(re.findall(r"(\w+)=(\S+)", process.stdout.readline()))
    port = int(values.pop("api_url").rpartition(":")[2])
    return Sandbox(port=port, **values)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_command_says_where_it_serves_and_ends_quietly(ending: signal.Signals) -> None:
    """The first line has all that a client needs, and a signal ends it without further output."""
    with running() as process:
        served = served_by(process)
        assert process.stdout
        second = process.stdout.readline()
        assert ask(served).status_code == 200
        with asked(served, "idle@example.com"):
            process.send_signal(ending)
            rest, errors = process.communicate(timeout=5)
    assert second == f"Stop it with Ctrl-C, or: kill {process.pid}\n"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_command_hands_its_options_on() -> None:
    """Each option of the command line shows in the answers."""
    options = "--requests-per-second 0 --daily-quota 5 --fail-every 4 --answer-size 99 --delay 0.2 --erase-after 0"
    with running(*options.split(), "--no-compress") as process:
        served = served_by(process)
        answers = [ask(served), erase(served), *(ask(served) for _ in range(4))]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 500, 200, 429]
    assert len(answers[0].json()["emails"]) == 99
    assert "Content-Encoding" not in answers[0].headers
    assert answers[2].json()["emails"] == []
    assert answers[0].elapsed.total_seconds() >= 0.2


def test_command_says_in_one_line_that_its_port_is_taken(sandbox: Sandbox) -> None:
    """A port in use ends the command with exit code 1 and no traceback."""
    ended = subprocess.run(command("--port", str(sandbox.port)), capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert re.fullmatch(f"Cannot serve on port {sandbox.port}: .+\n", ended.stderr)


def test_command_refuses_negative_numbers() -> None:
    """A negative limit is a wrong command line."""
    ended = subprocess.run(command("--delay=-1"), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.endswith("error: numbers must not be negative\n")
