"""Memory is bounded by the answers in flight, however long the list is."""

from __future__ import annotations

import json
import subprocess
import sys

from sandbox import Sandbox

# Measured in a separate process, because a peak includes what the parent process holds.
PEAK = "import json, sys; from benchmarks.measure import TAP, run; print(run(TAP, json.load(sys.stdin)).peak)"


def peak_of(sandbox: Sandbox, count: int) -> float:
    """The most that a run holds at once, one look-up in flight, in MB."""
    listed = [f"p{place}@x.example" for place in range(count)]
    config = {**sandbox.config, "email_addresses": listed, "requests_per_second": 1000, "max_concurrency": 1}
    done = subprocess.run(
        [sys.executable, "-c", PEAK], input=json.dumps(config), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def test_no_answer_is_held_when_its_turn_is_over() -> None:
    """Twelve answers of 2 MB, one after the other, need no more memory than two."""
    with Sandbox(requests_per_second=0, answer_size=10_000, compress=False) as sandbox:
        assert peak_of(sandbox, 12) < peak_of(sandbox, 2) + 10
