"""When the next call may start: the pace, Gong's pauses, the budget and the stop, for all workers together."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


# Leaves room for the jitter of threads and networks, so that Gong never counts a call too many in one second.
_MARGIN = 1.02
_LONGEST_STEP = 60.0


class CutError(Exception):
    """The run stopped before the look-up had an outcome, so its address counts as not asked."""


class BudgetSpentError(CutError):
    """No call is left of `max_requests_per_run`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why no new call starts.

    Attributes:
        message: One line for the user.
        is_outage: Whether too many addresses failed. Otherwise Gong itself refuses to continue.
    """

    message: str
    is_outage: bool = False


class Pause(NamedTuple):
    """A pause that Gong imposes on all calls.

    Attributes:
        seconds: How long no call starts.
        is_new: Whether this 429 began the pause. Calls that were already under way belong to the same pause.
        is_asked: Whether Gong asked for that time. Otherwise it is a step of the backoff.
    """

    seconds: float
    is_new: bool
    is_asked: bool


class _Turn(NamedTuple):
    """Who waits for a call. The lowest one goes first: an address that has met fewer 429s, then the list's order."""

    limits: int
    rank: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a call knows of the other calls when it starts.

    Attributes:
        pauses: How many pauses there have been.
        answers: How many calls have had an answer other than 429.
        limits: How many calls have been answered with 429.
    """

    pauses: int
    answers: int
    limits: int


class Pacer:
    """Decides when each call starts, by the monotonic clock, in the order of the list."""

    def __init__(
        self,
        requests_per_second: float,
        max_pause: float,
        budget: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float], float] = backoff.random_jitter,
        changed: threading.Condition | None = None,
    ) -> None:
        """Initialize the pacer.

        Args:
            requests_per_second: Calls that may start in one second.
            max_pause: The longest pause, in seconds, that Gong may impose before the run stops; below 0 for none.
            budget: Calls that may be made in all; None for any number.
            clock: Returns monotonic seconds.
            jitter: Returns the seconds to wait, given a step of the exponential backoff.
            changed: The condition that workers wait on. It must use the same clock.
        """
        # Bounded because `threading` cannot wait longer than TIMEOUT_MAX.
        self._interval = min(_MARGIN / requests_per_second, threading.TIMEOUT_MAX / 4)
        self._max_pause = max_pause
        self._budget = budget
        self._clock = clock
        self._jitter = jitter
        self._changed = changed or threading.Condition()
        self._waiting: dict[int, tuple[_Turn, float]] = {}
        self._calls = 0
        self._next_call = float("-inf")
        self._resume_at = float("-inf")
        self._pauses = self._answers = self._limits = 0
        self._limited_since: float | None = None
        self._steps = _steps()
        self._stop: Stop | None = None
        self._is_closed = False

    @property
    def is_spent(self) -> bool:
        """Whether the budget is spent."""
        return self._budget is not None and self._calls >= self._budget

    @property
    def calls(self) -> int:
        """How many calls have started."""
        return self._calls

    @property
    def stopped(self) -> Stop | None:
        """Why no new call starts, if so."""
        return self._stop

    def stop(self, stop: Stop) -> None:
        """Stop starting calls. Only the first reason is kept."""
        with self._changed:
            self._stop = self._stop or stop
            self._changed.notify_all()

    def close(self) -> None:
        """End every wait, because the run is over."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def reserve(self, rank: int) -> None:
        """Put an address into the queue before its worker asks, so that no later one overtakes it.

        Args:
            rank: The address's position among those of this run. Lower ones are served first.
        """
        with self._changed:
            self._waiting[rank] = _Turn(0, rank), float("-inf")

    def wait_for_turn(self, rank: int, delay: float = 0.0, limits: int = 0) -> Ticket:
        """Wait until a call about this address may start.

        Args:
            rank: The address's position among those of this run.
            delay: Seconds that must pass before it calls.
            limits: How many 429s it has met. An address that alone meets them must not block the others, so those
                that have met fewer go first.

        Returns:
            The call's ticket.

        Raises:
            CutError: If the run stops first.
            BudgetSpentError: If no call is left.
        """
        turn = _Turn(limits, rank)
        with self._changed:
            not_before = self._clock() + delay
            self._waiting[rank] = turn, not_before
            try:
                while (wait := self._seconds_until_turn(turn, not_before)) != 0:
                    self._changed.wait(wait and min(wait, threading.TIMEOUT_MAX))
                self._calls += 1
                self._next_call = self._clock() + self._interval
                return Ticket(self._pauses, self._answers, self._limits)
            finally:
                del self._waiting[rank]
                if self._waiting:
                    self._changed.notify_all()

    def _seconds_until_turn(self, turn: _Turn, not_before: float) -> float | None:
        """Return 0 if it is this turn's time, None if it has to wait for another one."""
        if self._stop or self._is_closed:
            raise CutError
        if self.is_spent:
            raise BudgetSpentError
        now = self._clock()
        earliest = max(not_before, self._next_call, self._resume_at)
        if now < earliest:
            return earliest - now
        is_first = all(turn <= other for other, time_ in self._waiting.values() if time_ <= now)
        return 0 if is_first else None

    def note_answer(self) -> None:
        """Note that a call had an answer other than 429."""
        with self._changed:
            self._answers += 1
            if self._limited_since is not None:
                self._limited_since = None
                self._steps = _steps()

    def has_answered_since(self, ticket: Ticket) -> bool:
        """Whether any call has had an answer other than 429 since the call of this ticket started."""
        return self._answers > ticket.answers

    def has_limited_others(self, ticket: Ticket, own: int) -> bool:
        """Whether more calls than so many have met 429 since the call of this ticket started."""
        return self._limits - ticket.limits > own

    def pause_after_429(self, ticket: Ticket, retry_after: float | None) -> Pause | None:
        """Hold every worker after a 429.

        Args:
            ticket: The ticket of the call. Calls that were under way together count as one step of the backoff.
            retry_after: The seconds that Gong asks to wait; None if it does not say. 0 counts as None if only 429s
                have come since an earlier one.

        Returns:
            The pause; None if the run cannot wait so long and has to stop.
        """
        with self._changed:
            now = self._clock()
            self._limits += 1
            if self._limited_since is None:
                self._limited_since = now
            elif not retry_after:
                # To ask again at once did not help. To keep doing so would spend Gong's quota.
                retry_after = None
            if (retry_after or 0) > self._max_pause or now - self._limited_since >= self._max_pause:
                return None
            is_new = ticket.pauses == self._pauses
            if retry_after is not None:
                self._resume_at = max(self._resume_at, now + retry_after)
            elif is_new:
                self._resume_at = max(self._resume_at, now + self._jitter(next(self._steps)))
            self._pauses += is_new
            self._changed.notify_all()
            return Pause(max(0.0, self._resume_at - now), is_new, retry_after is not None)


def _steps() -> Generator[float, None, None]:
    steps = backoff.expo(max_value=_LONGEST_STEP)
    next(steps)  # The generators of backoff begin with an empty step.
    return steps
