"""Measures the time per record, and the peak of memory, for few addresses with very many e-mails each."""

from __future__ import annotations

from benchmarks.measure import CEILING, FLOOR, NO_LIMIT, TAP, Server, addresses, in_turn, median, peak, run, sandbox

BASE = 120
"""MB that the goal allows in addition to four times the bodies in flight."""


def main(*, toy: bool) -> None:
    """Print the records per second of the tap and of the floor, and the peak of memory with its goal."""
    for count, emails in ((2, 50), (1, 100)) if toy else ((4, 50_000), (1, 100_000)):
        with sandbox(answer_size=emails) as gong:
            _measure(gong, count, emails, rounds=1 if toy else 5)


def _measure(gong: Server, count: int, emails: int, rounds: int) -> None:
    config = {
        **gong.config,
        "requests_per_second": NO_LIMIT,
        "max_concurrency": count,
        "email_addresses": addresses(count),
    }
    sides = in_turn(rounds, lambda: run(TAP, config), lambda: run(FLOOR, config))
    ceiling = median([run(CEILING, config) for _ in range(rounds)])
    bodies = count * gong.size_of_answer() / 1e6
    records = sides.theirs[0].lines
    rate, floor = records / median(sides.ours), records / median(sides.theirs)
    print(f"heavy      {sides.ratio():.2f} x the floor (goal 2.3), {count} x {emails} e-mails, start-up included")
    print(f"           {rate:.0f} records a second; floor {floor:.0f}; the sandbox's ceiling {records / ceiling:.0f}")
    print(f"           peak {peak(sides.ours):.0f} MB (goal {BASE + 4 * bodies:.0f}, bodies {bodies:.1f} MB); ", end="")
    print(f"floor {peak(sides.theirs):.0f} MB")
