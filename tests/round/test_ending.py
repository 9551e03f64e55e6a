"""How a run ends: exit codes, the closing line, the places, and the result of a connection test."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tap_gong_privacy.gong.outcomes import Outcome, Reason, Status
from tap_gong_privacy.gong.pacing import Stop
from tap_gong_privacy.round import checkpoint, ending
from tap_gong_privacy.round.addresses import Entry
from tap_gong_privacy.round.checkpoint import Round
from tap_gong_privacy.round.progress import Calls
from tests.round.test_run import FAILED, FOUND, REFUSED, REJECTED, finish, made

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ended(*statuses: Status, unasked: int = 0) -> Round:
    """A round in which the addresses of the list ended so, and some were not asked."""
    entries = [
        Entry(f"a{place}@x.example", is_malformed=status is Status.MALFORMED)
        for place, status in enumerate([*statuses, *[Status.FOUND] * unasked])
    ]
    round_ = Round(entries, "shape", checkpoint.empty())
    for entry, status in zip(entries, statuses, strict=False):
        round_.record(entry, status)
    return round_


@pytest.mark.parametrize(
    "statuses, budget, code, lenient",
    [
        ([FOUND, FOUND], None, 0, 0),
        ([FOUND, REJECTED], None, 1, 0),
        ([FOUND, FAILED], None, 1, 1),
        ([FOUND, REFUSED, REFUSED, REFUSED, FOUND], None, 1, 1),
        ([FOUND, FOUND, FOUND], 2, 0, 0),
        ([REJECTED, FAILED, FOUND], 2, 0, 0),
        ([FAILED, FAILED, FAILED, FOUND], 3, 0, 0),
        ([401, FOUND], 1, 1, 1),
        ([401, FOUND], None, 1, 1),
    ],
)
def test_the_exit_code_speaks_for_the_round(statuses: list[int], budget: int | None, code: int, lenient: int) -> None:
    """A spent budget is a planned stop, whatever failed in it; what Gong itself stops is a failure all the same."""
    run = made(statuses, max_requests_per_run=budget)
    finish(run)
    assert ending.exit_code(run, accepts_rejected=False) == code
    assert ending.exit_code(run, accepts_rejected=True) == lenient
    planned = budget is not None and not code
    level = logging.ERROR if code else logging.WARNING if planned else logging.INFO
    assert ending.closing_level(code, run) == level


def test_a_run_that_a_limit_of_gongs_stops_fails_with_its_last_call() -> None:
    """A stop by Gong counts as a failure even if its call has spent the budget."""
    run = made([429], max_requests_per_run=1, max_retry_wait=0)
    finish(run)
    assert run.has_spent_budget
    assert ending.exit_code(run, accepts_rejected=True) == 1


def test_malformed_entries_do_not_change_the_exit_code() -> None:
    """Malformed entries do not affect the exit code, because they are not addresses."""
    good, bad = Entry("a@x.example"), Entry("wrong", is_malformed=True)
    run = made([FOUND], Round((bad, good), "shape", checkpoint.empty()))
    finish(run)
    assert ending.exit_code(run, accepts_rejected=False) == 0


def test_the_closing_line_counts_the_round_and_the_calls() -> None:
    """Malformed entries are named only if there are any; each number is also a field."""
    calls = Calls(Counter({200: 19, 429: 1, 503: 3}), further_tries=2, started=23)
    round_ = ended(*[Status.FOUND] * 17, Status.NOT_FOUND, Status.REJECTED, unasked=1)
    line, counts = ending.closing_line(round_, calls)
    assert line == (
        "20 addresses: 17 found, 1 not found, 1 rejected, 0 failed, 1 not asked; "
        "23 calls, 2 of them further tries, 1 answered with 429"
    )
    assert counts == {
        "addresses": 20,
        "found": 17,
        "not_found": 1,
        "rejected": 1,
        "failed": 0,
        "malformed": 0,
        "not_asked": 1,
        "calls": 23,
        "further_tries": 2,
        "answered_with_429": 1,
    }
    line, counts = ending.closing_line(ended(Status.MALFORMED, Status.FAILED, Status.MALFORMED), Calls())
    assert line.startswith("1 addresses: 0 found, 0 not found, 0 rejected, 1 failed, 0 not asked, 2 malformed; 0 calls")
    assert counts["malformed"] == 2


def test_places_are_named_up_to_ten_with_the_setting_that_decides() -> None:
    """At most ten places are named, with the number of the others."""
    statuses = itertools.islice(itertools.cycle((Status.REJECTED, Status.FOUND)), 24)
    round_ = ended(*statuses, Status.FAILED)
    assert ending.places_line(round_, accepts_rejected=False) == (
        "Of 25 addresses, rejected by Gong: addresses 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 and 2 more "
        "(fail_on_rejected_address is true, so the round fails); failed: address 25"
    )
    assert "is false, so the exit code ignores this)" in ending.places_line(round_, accepts_rejected=True)
    assert ending.places_line(ended(Status.FOUND, Status.MALFORMED), accepts_rejected=False) == ""


BROKEN = Outcome(Status.FAILED, NOW, 503, reason=Reason("Gong answered 503", "Run again later."))


@pytest.mark.parametrize(
    "first, stop, code, line",
    [
        (replace(BROKEN, status=Status.FOUND, reason=None), None, 0, "Connection test passed: Gong answered."),
        (replace(BROKEN, status=Status.REJECTED, reason=None), None, 0, "Connection test passed: Gong answered."),
        (BROKEN, None, 1, "Connection test failed: Gong answered 503. Run again later."),
        (None, Stop("Gong answered 401. Check."), 1, "Connection test failed: Gong answered 401. Check."),
        (None, None, 0, "Connection not tested: the list holds no address."),
    ],
)
def test_a_connection_test_says_how_it_ended(first: Outcome | None, stop: Stop | None, code: int, line: str) -> None:
    """Whether Gong answered, or why not and what to do."""
    assert ending.connection_result(first, stop.message if stop else None) == (code, line)
