"""Stops by real signals, by a target that goes away, and by a full disk: prompt, whole and loud."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import Reply, Sandbox
from tests.bookmarks import settled
from tests.running import COMMAND, Result, check_nobody_named, check_output, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

STOP_SECONDS = 5.0
CLOSED_SECONDS = 2.0
LISTED = [f"p{place}@x.example" for place in range(1, 41)]
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}
NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="this system has no /proc")


@dataclass
class Running:
    """The command under way. Its log goes to a file, so that nothing but stdout can block it."""

    process: subprocess.Popen[bytes]
    log: Path
    output: Path
    config: Mapping[str, object]

    @property
    def stderr(self) -> str:
        """What it has logged."""
        return self.log.read_text()

    def timed_end(self, action: Callable[[], object]) -> float:
        """Do something that ends it, and return the seconds that it took to end."""
        began = time.monotonic()
        action()
        self.process.wait(30)
        return time.monotonic() - began

    def result(self) -> Result:
        """Return the result, if the output went to a file."""
        return Result(self.process.returncode, self.output.read_text(), self.stderr, self.config)


@contextlib.contextmanager
def running(
    sandbox: Sandbox,
    *,
    stdout: int | None = None,
    stderr: int | None = None,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    **settings: object,
) -> Iterator[Running]:
    """Run the command; without `stdout` its output goes to a file, without `stderr` its log does."""
    config = {**sandbox.config, "email_addresses": LISTED, "requests_per_second": 1000, **settings}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        path, log, output = (Path(folder, name) for name in ("config.json", "log", "output"))
        path.write_text(json.dumps(config))
        process = stack.enter_context(
            subprocess.Popen(
                [*prefix, COMMAND, "--config", path],
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=stack.enter_context(output.open("wb")) if stdout is None else stdout,
                stderr=stack.enter_context(log.open("wb")) if stderr is None else stderr,
            )
        )
        try:
            yield Running(process, log, output, config)
        finally:
            process.kill()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def has_lines(run: Running, count: int) -> Callable[[], bool]:
    """Whether so many lines were written."""
    return lambda: run.output.read_bytes().count(b"\n") >= count


def closing(text: str) -> str:
    """The last line of a log, which must speak of the whole list."""
    line = text.splitlines()[-1]
    assert "40 addresses: " in line
    assert "ERROR" in line
    return line


def measured(what: str, seconds: float) -> None:
    """Tell a person who reads the report (`-rA`) how long a stop took."""
    sys.stdout.write(f"{what}: {seconds:.2f} s\n")


WAITS = {
    "pause": Reply(429, headers={"Retry-After": "250"}),
    "retry": Reply(503, headers={"Retry-After": "250"}),
    "hang": Reply(fault="hang"),
    "drip": Reply(fault="drip", drip_interval=0.2),
}


@pytest.mark.parametrize("number", CODES, ids=["term", "int"])
@pytest.mark.parametrize("wait", WAITS)
def test_a_signal_ends_any_wait(sandbox: Sandbox, number: signal.Signals, wait: str) -> None:
    """A signal during any wait leaves whole lines, the last STATE and the right exit code."""
    sandbox.answers[LISTED[2]] = WAITS[wait]
    with running(sandbox, max_concurrency=1) as run:
        wait_until(lambda: any(call.address == LISTED[2] for call in sandbox.calls))
        wait_until(lambda: run.output.read_bytes().count(b'"stream":"lookups"') >= 3)
        seconds = run.timed_end(lambda: run.process.send_signal(number))
        result = run.result()
    measured(f"{number.name} amid {wait}", seconds)
    assert result.returncode == CODES[number]
    assert seconds < STOP_SECONDS
    check_output(result)
    assert json.loads(result.lines[-1])["type"] == "STATE"
    assert settled(result.states[-1]["bookmarks"]["lookups"]) == 2
    assert f"Stopped by {number.name}" in result.stderr
    assert "2 found" in closing(result.stderr)
    assert "38 not asked" in closing(result.stderr)


@pytest.mark.parametrize("number", CODES, ids=["term", "int"])
def test_a_signal_ends_a_busy_writer_between_two_lines(number: signal.Signals) -> None:
    """A signal while records are written tears no line, and the last STATE counts what was written."""
    with Sandbox(requests_per_second=0, answer_size=5_000) as heavy, running(heavy, max_concurrency=2) as run:
        wait_until(has_lines(run, 8_000))
        seconds = run.timed_end(lambda: run.process.send_signal(number))
        result = run.result()
    measured(f"{number.name} amid writing", seconds)
    assert result.returncode == CODES[number]
    assert seconds < STOP_SECONDS
    lines = result.stdout.split("\n")
    assert lines.pop() == ""
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds[-1] == "STATE"
    done = settled(json.loads(lines[-1])["value"]["bookmarks"]["lookups"])
    assert done == sum('"stream":"lookups"' in line and '"RECORD"' in line for line in lines)
    assert f"{done} found" in closing(result.stderr)
    check_nobody_named(result)


@NEEDS_PROC
@pytest.mark.parametrize("number", CODES, ids=["term", "int"])
def test_a_signal_ends_a_writer_that_nobody_reads(number: signal.Signals) -> None:
    """With a full pipe the run ends without waiting for the target."""
    with Sandbox(requests_per_second=0, answer_size=20_000) as heavy:
        reader, writer = os.pipe()
        with running(heavy, stdout=writer) as run, contextlib.ExitStack() as stack:
            os.close(writer)
            stack.callback(os.close, reader)
            wait_until(lambda: heavy.calls)
            # The pipe is full once its content stops growing.
            wait_until(lambda: _is_blocked(run.process.pid))
            seconds = run.timed_end(lambda: run.process.send_signal(number))
            log = run.stderr
            assert run.process.returncode == CODES[number]
    measured(f"{number.name} amid a full pipe", seconds)
    assert seconds < STOP_SECONDS
    assert "0 found" in closing(log)
    assert f"Stopped by {number.name}" in log
    check_nobody_named(Result(0, "", log, run.config))


@NEEDS_PROC
def test_a_signal_ends_a_run_whose_log_nobody_reads(sandbox: Sandbox) -> None:
    """A full pipe of the log does not hold the end up either."""
    sandbox.answers["*"] = Reply(fault="hang")
    reader, writer = os.pipe()
    with running(sandbox, stderr=writer) as run, contextlib.ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        wait_until(lambda: sandbox.calls)
        # A second descriptor, so that the tap's own one stays blocking.
        filler = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
        stack.callback(os.close, filler)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(filler, bytes(4096))
        seconds = run.timed_end(lambda: run.process.send_signal(signal.SIGTERM))
        assert run.process.returncode == 143
    measured("SIGTERM with a full log", seconds)
    assert seconds < STOP_SECONDS


def test_a_second_signal_leaves_the_exit_code(sandbox: Sandbox) -> None:
    """After several signals the exit code is that of the first one, whatever the tap is doing."""
    sandbox.answers["*"] = Reply(fault="hang")
    with running(sandbox) as run:
        wait_until(lambda: sandbox.calls)
        while run.process.poll() is None:
            run.process.send_signal(signal.SIGTERM)
            time.sleep(0.01)
        assert run.process.returncode == 143


def _is_blocked(pid: int) -> bool:
    """Whether the main thread waits for a pipe to be read."""
    return b"pipe" in Path(f"/proc/{pid}/wchan").read_bytes() or _is_writing(pid)


def _is_writing(pid: int) -> bool:
    fields = Path(f"/proc/{pid}/syscall").read_text().split()
    return fields[:2] == ["1", "0x1"]


@pytest.mark.parametrize("number", CODES, ids=["term", "int"])
def test_a_signal_during_the_imports_ends_the_run(sandbox: Sandbox, number: signal.Signals) -> None:
    """At the start, too, the code is right, and nothing is a traceback."""
    with running(sandbox, env={"PYTHONPROFILEIMPORTTIME": "1"}) as run:
        wait_until(lambda: "requests" in run.stderr)
        seconds = run.timed_end(lambda: run.process.send_signal(number))
        log = run.stderr
    assert run.process.returncode == CODES[number]
    assert seconds < STOP_SECONDS
    assert "Traceback" not in log
    assert "singer_sdk.tap_base" not in log
    assert not sandbox.calls


def test_a_second_signal_changes_nothing(sandbox: Sandbox) -> None:
    """The first one counts, and its end is not cut short."""
    sandbox.answers[LISTED[2]] = Reply(fault="hang")
    with running(sandbox, max_concurrency=1) as run:
        wait_until(lambda: run.output.read_bytes().count(b'"stream":"lookups"') >= 3)

        def twice() -> None:
            run.process.send_signal(signal.SIGTERM)
            run.process.send_signal(signal.SIGINT)

        assert run.timed_end(twice) < STOP_SECONDS
        result = run.result()
    assert result.returncode in {143, 130}
    assert json.loads(result.lines[-1])["type"] == "STATE"
    check_output(result)


@pytest.mark.parametrize("wait", [*WAITS, "none"])
def test_a_target_that_goes_away_ends_the_run(sandbox: Sandbox, wait: str) -> None:
    """A closed pipe ends the tap with exit 1 within 2 seconds, while it waits or writes, and the log says why."""
    if wait != "none":
        sandbox.answers[LISTED[2]] = WAITS[wait]
    with running(sandbox, stdout=subprocess.PIPE, max_concurrency=1, requests_per_second=20) as run:
        assert run.process.stdout is not None
        seen = 0
        while seen < 2:
            seen += b'"RECORD","stream":"lookups"' in run.process.stdout.readline()
        if wait != "none":
            wait_until(lambda: any(call.address == LISTED[2] for call in sandbox.calls))
        seconds = run.timed_end(run.process.stdout.close)
        calls = len(sandbox.calls)
        log = run.stderr
    measured(f"closed pipe amid {wait}", seconds)
    assert run.process.returncode == 1
    assert seconds < CLOSED_SECONDS
    assert "the target closed its end of the pipe" in log
    assert "not asked" in closing(log)
    assert calls < len(LISTED)
    check_nobody_named(Result(1, "", log, run.config))


@pytest.mark.parametrize("wait", ["pause", "hang"])
def test_a_target_behind_a_socket_that_goes_away_ends_the_run(sandbox: Sandbox, wait: str) -> None:
    """A closed socket ends the tap as a closed pipe does, even while nothing is written."""
    sandbox.answers[LISTED[2]] = WAITS[wait]
    ours, theirs = socket.socketpair()
    with ours, running(sandbox, stdout=theirs.fileno(), max_concurrency=1) as run:
        theirs.close()
        with ours.makefile("rb") as lines:
            seen = 0
            while seen < 2:
                seen += b'"RECORD","stream":"lookups"' in lines.readline()
        wait_until(lambda: any(call.address == LISTED[2] for call in sandbox.calls))
        seconds = run.timed_end(ours.close)
        log = run.stderr
    measured(f"closed socket amid {wait}", seconds)
    assert run.process.returncode == 1
    assert seconds < CLOSED_SECONDS
    assert "the target closed its end of the pipe" in log
    assert "38 not asked" in closing(log)


@pytest.fixture
def large() -> Iterator[Sandbox]:
    """A sandbox whose answers fill a pipe at once."""
    with Sandbox(requests_per_second=0, answer_size=3000) as server:
        yield server


BUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
"""Whether Python is told to write without a buffer, as in many containers."""


@BUFFERED
def test_a_signal_during_a_line_leaves_it_whole(large: Sandbox, unbuffered: str) -> None:
    """A target that reads late, and continues after the signal, gets the rest of the line and then the STATE."""
    with running(large, stdout=subprocess.PIPE, env={"PYTHONUNBUFFERED": unbuffered}) as run:
        assert run.process.stdout is not None
        wait_until(lambda: len(large.calls) >= 3)
        time.sleep(1)  # by now the pipe is full
        run.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        output = run.process.stdout.read().decode()
        assert run.process.wait(30) == 143
        result = Result(143, output, run.stderr, run.config)
    check_output(result)
    assert json.loads(result.lines[-1])["type"] == "STATE"


LIMITED = """
import os, resource, sys
limit, *command = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
os.execv(command[0], command)
"""
"""Runs a command that can write files of so many bytes."""


@BUFFERED
def test_a_disk_that_fills_up_ends_the_run(large: Sandbox, unbuffered: str) -> None:
    """If the last line is not written completely, the tap exits 1, whatever came before it."""
    with running(large, email_addresses=LISTED[:1]) as whole:
        assert whole.process.wait(30) == 0
        size = len(whole.output.read_bytes())
    prefix = (sys.executable, "-c", LIMITED, str(size - 20))
    with running(large, prefix=prefix, env={"PYTHONUNBUFFERED": unbuffered}, email_addresses=LISTED[:1]) as run:
        assert run.process.wait(30) == 1
        assert "file too large" in run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_ends_the_run(sandbox: Sandbox) -> None:
    """What cannot be written ends the tap with exit 1, at once and in words."""
    full = os.open("/dev/full", os.O_WRONLY)
    with running(sandbox, stdout=full) as run:
        os.close(full)
        assert run.process.wait(30) == 1
        log = run.stderr
    assert "no space left on device" in log
    assert "Traceback" not in log
    assert "Exception ignored" not in log
    check_nobody_named(Result(1, "", log, run.config))
