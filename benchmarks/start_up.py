"""Compares the start-up of the tap with that of the smallest tap that the SDK allows."""

from __future__ import annotations

import sys

from benchmarks.measure import NO_LIMIT, TAP, addresses, in_turn, median, run, sandbox

BARE = (sys.executable, "-m", "benchmarks.bare_tap")


def main(*, toy: bool) -> None:
    """Print the ratios for `--version`, for `--discover` and for a run with one address."""
    rounds = 1 if toy else 9
    with sandbox() as gong:
        config = {**gong.config, "requests_per_second": NO_LIMIT, "email_addresses": addresses(1)}
        sides = {
            "--version": in_turn(rounds, lambda: run((*TAP, "--version")), lambda: run((*BARE, "--version"))),
            "--discover": in_turn(rounds, lambda: run((*TAP, "--discover")), lambda: run((*BARE, "--discover"))),
            "one address": in_turn(rounds, lambda: run(TAP, config), lambda: run(BARE, {})),
        }
    for name, (ours, theirs) in sides.items():
        ratio = sides[name].ratio()
        print(
            f"start-up   {ratio:.2f} x a bare tap (goal 1.2): {name}, {median(ours):.2f} s and {median(theirs):.2f} s"
        )
