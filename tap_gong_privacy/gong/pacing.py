"""When the next call may start: the pace, Gong's pauses, the budget, and the stop, for all workers together."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import backoff

if TYPE_CHECKING:
    from collections.abc import Generator

# Keeps the jitter of threads and networks out of Gong's window of one second.
_MARGIN = 1.02
_LONGEST_STEP = 60.0


class CutError(Exception):
    """A look-up that a stop cut short: it has no outcome, its address counts as not asked."""


class BudgetSpentError(CutError):
    """No call is left of `max_requests_per_run`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why no new call starts any more.

    Attributes:
        message: One line for the user.
        is_outage: Whether too many addresses failed; otherwise Gong itself refuses to go on.
    """

    message: str
    is_outage: bool = False


class Pacer:
    """Decides when each call starts, by the monotonic clock, in the order of the list."""

    def __init__(self, requests_per_second: float, max_pause: float, budget: int | None = None) -> None:
        """Initialize the pacer.

        Args:
            requests_per_second: Calls that may start in one second.
            max_pause: Seconds that Gong may impose before the run stops.
            budget: Calls that may be made in all; None for any number.
        """
        # Bounded, for no wait may be longer: far beyond what anybody waits for.
        self._interval = min(_MARGIN / requests_per_second, threading.TIMEOUT_MAX / 4)
        self._max_pause = max_pause
        self._budget = budget
        self._changed = threading.Condition()
        self._waiting: dict[int, float] = {}
        self._calls = 0
        self._next_call = 0.0
        self._last_start = float("-inf")
        self._resume_at = 0.0
        self._pause = 0
        self._limited_since: float | None = None
        self._steps = _steps()
        self._stop: Stop | None = None

    @property
    def calls(self) -> int:
        """How many calls were let through."""
        return self._calls

    @property
    def is_spent(self) -> bool:
        """Whether the budget is spent."""
        return self._budget is not None and self._calls >= self._budget

    @property
    def stopped(self) -> Stop | None:
        """Why no new call starts, if so."""
        return self._stop

    def stop(self, stop: Stop) -> None:
        """Let no new call start. The first reason stands."""
        with self._changed:
            self._stop = self._stop or stop
            self._changed.notify_all()

    def expect(self, place: int) -> None:
        """Take a place into the queue before its worker asks, so that no later place overtakes it."""
        with self._changed:
            self._waiting[place] = 0.0

    def admit(self, place: int, not_before: float = 0.0) -> None:
        """Wait until it is this place's turn to call.

        Args:
            place: The address's place in the list: lower ones go first.
            not_before: Monotonic time before which this place does not want to call.

        Raises:
            CutError: If the run stops first.
            BudgetSpentError: If no call is left.
        """
        with self._changed:
            self._waiting[place] = not_before
            try:
                while (wait := self._seconds_until_turn(place, not_before)) != 0:
                    self._changed.wait(wait and min(wait, threading.TIMEOUT_MAX))
                self._calls += 1
                self._next_call = time.monotonic() + self._interval
            finally:
                del self._waiting[place]
                if self._waiting:
                    self._changed.notify_all()

    def _seconds_until_turn(self, place: int, not_before: float) -> float | None:
        """Return 0 where it is this place's turn, None where it has to wait for another place."""
        if self._stop:
            raise CutError
        if self.is_spent:
            raise BudgetSpentError
        now = time.monotonic()
        earliest = max(not_before, self._next_call, self._resume_at)
        if now < earliest:
            return earliest - now
        is_first = all(place <= other for other, time_ in self._waiting.items() if time_ <= now)
        return 0 if is_first else None

    def start(self) -> int:
        """Wait, at the last moment before an admitted call is sent, until it is far enough from the call before.

        Connecting takes a while, now and then: without this two calls could reach Gong closer than they were admitted.

        Returns:
            The number of the pause that the call knows of, for `limit`.

        Raises:
            CutError: If the run stops first.
        """
        with self._changed:
            while True:
                if self._stop:
                    raise CutError
                now = time.monotonic()
                earliest = max(self._last_start + self._interval, self._resume_at)
                if now >= earliest:
                    break
                self._changed.wait(min(earliest - now, threading.TIMEOUT_MAX))
            self._last_start = now
            self._next_call = max(self._next_call, now + self._interval)
            return self._pause

    def answered(self) -> None:
        """Take note of an answer that is no 429."""
        with self._changed:
            if self._limited_since is not None:
                self._limited_since = None
                self._steps = _steps()

    def limit(self, pause: int, retry_after: float | None) -> bool:
        """Hold every worker after a 429.

        Args:
            pause: What `start` returned for the call: calls that were under way together make one step of backoff.
            retry_after: Seconds that Gong asks to wait; None where it does not say.

        Returns:
            Whether Gong can be waited for; if not, the run has to stop.
        """
        with self._changed:
            now = time.monotonic()
            if self._limited_since is None:
                self._limited_since = now
            if (retry_after or 0) > self._max_pause or now - self._limited_since >= self._max_pause:
                return False
            if retry_after is not None:
                self._resume_at = max(self._resume_at, now + retry_after)
            elif pause == self._pause:
                self._resume_at = max(self._resume_at, now + backoff.random_jitter(next(self._steps)))
            if pause == self._pause:
                self._pause += 1
            self._changed.notify_all()
            return True


def _steps() -> Generator[float, None, None]:
    steps = backoff.expo(max_value=_LONGEST_STEP)
    next(steps)  # backoff's generators begin with an empty step
    return steps
