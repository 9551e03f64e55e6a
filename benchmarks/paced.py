"""Measures how close the tap comes to Gong's limit of 3 calls a second, if each answer takes one second."""

from __future__ import annotations

import statistics
from itertools import pairwise

from benchmarks.measure import TAP, addresses, run, sandbox

PACE = 3


def main(*, toy: bool) -> None:
    """Print the ratio to the ideal time, without the start-up, as the sandbox recorded the calls.

    The ideal is (addresses - 1) / 3 seconds from the first call to the last one, plus one second for its answer.
    """
    count, delay, rounds = (4, 0.2, 1) if toy else (30, 1.0, 3)
    ideal = (count - 1) / PACE + delay
    ratios, gaps, start_ups, asked, throttled = [], [], [], 0, 0
    with sandbox(requests_per_second=PACE, delay=delay) as gong:
        for _ in range(rounds):
            cost = run(TAP, {**gong.config, "email_addresses": addresses(count)})
            calls = sorted(gong.calls(), key=lambda call: call.started)
            ratios.append((calls[-1].started + delay - calls[0].started) / ideal)
            gaps += [later.started - earlier.started for earlier, later in pairwise(calls)]
            start_ups.append(calls[0].started - cost.began)
            asked += len(calls)
            throttled += sum(call.status != 200 for call in calls)  # noqa: PLR2004
    print(f"paced      {statistics.median(ratios):.3f} x the ideal {ideal:.2f} s (goal 1.03), {count} addresses")
    print(f"           {asked / count / rounds:g} calls for each address; {throttled} not answered with 200")
    print(f"           closest two calls {min(gaps):.3f} s; the limit is {1 / PACE:.3f} s")
    print(f"           {statistics.median(start_ups):.2f} s from the start of the process to the first call")
