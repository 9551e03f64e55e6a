"""How a run ends: its exit code, and what it says last."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_gong_privacy.gong.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_gong_privacy.gong.outcomes import Outcome
    from tap_gong_privacy.round.checkpoint import Round
    from tap_gong_privacy.round.progress import Calls
    from tap_gong_privacy.round.run import Run

_SHOWN_PLACES = 10


def exit_code(run: Run, *, accepts_rejected: bool) -> int:
    """Return the exit code of a run that ended by itself.

    Args:
        run: The run.
        accepts_rejected: Whether addresses that Gong rejects count as no failure.

    Returns:
        0 or 1.
    """
    is_stopped_by_gong = run.stopped is not None and not run.stopped.is_outage
    if run.has_spent_budget and not is_stopped_by_gong:
        # A planned stop: a scheduler that retried it would spend the quota all the same.
        return 0
    tallies = run.round.tallies
    is_complete = run.stopped is None and not run.round.not_asked and not tallies[Status.FAILED]
    return int(not is_complete or (bool(tallies[Status.REJECTED]) and not accepts_rejected))


def closing_level(code: int, run: Run | None) -> int:
    """Return the level of the closing line.

    Args:
        code: The exit code.
        run: The run; None if it ended before it began to ask.
    """
    if code:
        return logging.ERROR
    return logging.WARNING if run is not None and run.has_spent_budget else logging.INFO


def closing_line(round_: Round, calls: Calls) -> tuple[str, dict[str, int]]:
    """Return the closing line, and its counts by name for logs in JSON.

    Args:
        round_: The round so far.
        calls: The calls of this run.
    """
    counts = {
        "addresses": round_.total,
        **{status.value: round_.tallies[status] for status in Status},
        "not_asked": round_.not_asked,
        "calls": calls.started,
        "further_tries": calls.further_tries,
        "answered_with_429": calls.limited,
    }
    spent = f"{calls.started} calls, {calls.further_tries} of them further tries, {calls.limited} answered with 429"
    return f"{round_.summary()}; {spent}", counts


def places_line(round_: Round, *, accepts_rejected: bool) -> str:
    """Name the places of the addresses that were rejected or failed, and the setting that decides.

    Args:
        round_: The round so far.
        accepts_rejected: Whether addresses that Gong rejects count as no failure.

    Returns:
        One line; an empty text if there are none.
    """
    parts = []
    if rejected := round_.places(Status.REJECTED):
        setting = "false, so the exit code ignores this" if accepts_rejected else "true, so the round fails"
        parts.append(f"rejected by Gong: {_named(rejected)} (fail_on_rejected_address is {setting})")
    if failed := round_.places(Status.FAILED):
        parts.append(f"failed: {_named(failed)}")
    return f"Of {round_.total} addresses, {'; '.join(parts)}" if parts else ""


def _named(places: Sequence[int]) -> str:
    more = len(places) - _SHOWN_PLACES
    shown = ", ".join(str(place) for place in places[:_SHOWN_PLACES]) + (f" and {more} more" if more > 0 else "")
    return f"address{'es' if len(places) > 1 else ''} {shown}"


def connection_result(first: Outcome | None, stop_message: str | None) -> tuple[int, str]:
    """Say how the connection test ended.

    Args:
        first: The outcome of the address that was asked; None if there is none.
        stop_message: Why the run stopped, if it did.

    Returns:
        The exit code, and one line.
    """
    if first is None:
        if stop_message is None:
            return 0, "Connection not tested: the list holds no address."
        return 1, f"Connection test failed: {stop_message}"
    if first.status is Status.FAILED:
        reason = first.reason
        return 1, f"Connection test failed: {f'{reason.text}. {reason.advice}' if reason else 'no answer.'}"
    return 0, "Connection test passed: Gong answered."
