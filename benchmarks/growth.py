"""Measures whether time and memory per address stay the same, however long the list is."""

from __future__ import annotations

from benchmarks.measure import NO_LIMIT, TAP, addresses, median, peak, run, sandbox

IN_FLIGHT = 16


def main(*, toy: bool) -> None:
    """Print the time per address after start-up, and the peak of memory, for lists of growing length."""
    rounds = 1 if toy else 3
    with sandbox(answer_size=2) as gong:
        settings = {**gong.config, "requests_per_second": NO_LIMIT, "max_concurrency": IN_FLIGHT}
        start_up = median([run(TAP, {**settings, "email_addresses": addresses(1)}) for _ in range(rounds)])
        for count in (10, 20, 40) if toy else (100, 1_000, 10_000):
            costs = [run(TAP, {**settings, "email_addresses": addresses(count)}) for _ in range(rounds)]
            each = (median(costs) - start_up) / count * 1_000
            print(f"growth     {count:6} addresses: {each:.2f} ms for each beyond start-up, peak {peak(costs):.1f} MB")
