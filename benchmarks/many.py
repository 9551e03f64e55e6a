"""Measures the time per look-up if Gong is not the limit: many light addresses, 5 ms each, 16 in flight."""

from __future__ import annotations

from benchmarks.measure import CEILING, FLOOR, NO_LIMIT, TAP, addresses, in_turn, median, run, sandbox

IN_FLIGHT = 16
DELAY = 0.005


def main(*, toy: bool) -> None:
    """Print the look-ups per second of the tap, of the floor, and of a client that decodes and writes nothing."""
    count, rounds = (40, 1) if toy else (2_000, 5)
    with sandbox(delay=DELAY, answer_size=2) as gong:
        settings = {"requests_per_second": NO_LIMIT, "max_concurrency": IN_FLIGHT}
        config = {**gong.config, **settings, "email_addresses": addresses(count)}
        sides = in_turn(rounds, lambda: run(TAP, config), lambda: run(FLOOR, config))
        calls = len(gong.calls()) - rounds * count
        ceiling = median([run(CEILING, config) for _ in range(rounds)])
    rate, floor = count / median(sides.ours), count / median(sides.theirs)
    print(f"many       {sides.ratio():.2f} x the floor (goal 1.3), {count} addresses, start-up included")
    print(f"           {rate:.0f} look-ups a second; floor {floor:.0f}; the sandbox's ceiling {count / ceiling:.0f}")
    print(f"           {calls / count / rounds:g} calls for each address")
