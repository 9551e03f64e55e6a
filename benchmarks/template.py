"""Compares the tap with what the SDK's template leads to: five REST streams, each with a partition per address."""

from __future__ import annotations

import sys

from benchmarks.measure import NO_LIMIT, TAP, Cost, addresses, run, sandbox

TEMPLATE = (sys.executable, "-m", "benchmarks.template_tap")
DELAY = 0.02


def main(*, toy: bool) -> None:
    """Print time, calls and log lines of both. Gong's limit is off, because with it only the calls would count."""
    count = 5 if toy else 200
    with sandbox(delay=DELAY) as gong:
        config = {**gong.config, "email_addresses": addresses(count)}
        ours = run(TAP, {**config, "requests_per_second": NO_LIMIT})
        calls = len(gong.calls())
        theirs = run(TEMPLATE, config)
        their_calls = len(gong.calls())
    print(f"template   {theirs.seconds / ours.seconds:.1f} times as long as the tap, {count} addresses of {DELAY:g} s")
    _side("template", theirs, their_calls)
    _side("tap", ours, calls)


def _side(name: str, cost: Cost, calls: int) -> None:
    costs = f"{cost.seconds:.1f} s, {calls} calls, {cost.log_lines} lines of log, peak {cost.peak:.0f} MB"
    print(f"           {name}: {costs}")
