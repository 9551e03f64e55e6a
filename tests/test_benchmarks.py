"""Runs the benchmarks at toy size, so that they keep working. The tests do not judge the measurements."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.__main__ import NAMES

COUNTED = {
    "paced": ("1 calls for each address; 0 not answered with 200",),
    "many": ("1 calls for each address",),
    "heavy": ("2 x 50 e-mails", "1 x 100 e-mails"),
    "template": ("template: ", " 25 calls, ", "tap: ", " 5 calls, "),
    "growth": ("10 addresses: ", "20 addresses: ", "40 addresses: "),
    "start_up": ("--version, ", "--discover, ", "one address, "),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs(name: str) -> None:
    """The benchmark succeeds, and its counts are right."""
    command = [sys.executable, "-m", "benchmarks", "--toy", "--only", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for text in COUNTED[name]:
        assert text in done.stdout
