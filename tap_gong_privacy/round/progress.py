"""Logs how a run proceeds and what goes wrong, in a bounded number of lines, and counts its calls."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_gong_privacy.gong.client import Listener

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from tap_gong_privacy.gong.outcomes import Reason

# Reasons are fixed words, but a status is part of some, and a broken server may send any.
_MOST_REASONS = 20
_SECONDS_BETWEEN_LINES = 30.0


@dataclass(slots=True)
class Calls:
    """The calls of a run.

    Attributes:
        by_status: How many calls ended with each HTTP status; None is the status of those without one.
        seconds: How long they took in all.
        further_tries: How many of them asked about an address again.
        started: How many calls have started. A run that stops does not wait for those in flight.
    """

    by_status: Counter[int | None] = field(default_factory=Counter)
    seconds: float = 0.0
    further_tries: int = 0
    started: int = 0

    @property
    def total(self) -> int:
        """How many calls have ended."""
        return self.by_status.total()

    @property
    def limited(self) -> int:
        """How many calls Gong answered with 429."""
        return self.by_status[HTTPStatus.TOO_MANY_REQUESTS]


class Progress(Listener):
    """Logs what happens to the calls of a run. Its methods are called on several threads.

    A kind of trouble is logged when it first occurs. After that, at most one line in 30 seconds says how often each
    kind has occurred.

    Attributes:
        calls: The calls so far.
    """

    def __init__(
        self,
        logger: logging.Logger,
        places: Sequence[int],
        total: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize the progress.

        Args:
            logger: The logger.
            places: The place in the list of each address that the run asks about, counted from 1.
            total: How many addresses the list has.
            clock: Returns monotonic seconds.
        """
        self.calls = Calls()
        self._logger = logger
        self._places = places
        self._total = total
        self._clock = clock
        self._began = self._last_progress = self._last_trouble = clock()
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._unsaid: Counter[str] = Counter()
        self._pauses = 0

    def snapshot(self) -> Calls:
        """Return a copy of the calls so far."""
        with self._lock:
            return replace(self.calls, by_status=self.calls.by_status.copy())

    @override
    def called(self, status: int | None, seconds: float, *, is_further_try: bool) -> None:
        """Count a call."""
        with self._lock:
            self.calls.by_status[status] += 1
            self.calls.seconds += seconds
            self.calls.further_tries += is_further_try

    @override
    def failed(self, rank: int, reason: Reason, tries_left: int) -> None:
        """Log that a try failed, if its reason is new."""
        tries = (
            f"up to {tries_left} further {'try' if tries_left == 1 else 'tries'}" if tries_left else "no further tries"
        )
        line = f"address {self._places[rank]} of {self._total}: {reason.text}; {tries}"
        self._trouble(reason.text, line)

    @override
    def paused(self, seconds: float, *, is_asked: bool) -> None:
        """Log that all calls pause, if this is the first pause."""
        with self._lock:
            self._pauses += 1
        length = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}".removesuffix(".0")  # noqa: PLR2004
        line = f"Gong asks to wait {length} s (429)"
        if not is_asked:
            line = f"Gong answered 429 without a time to wait; waiting {length} s"
        self._trouble("pauses imposed by Gong (429)", line)

    def _trouble(self, kind: str, line: str) -> None:
        with self._lock:
            if kind in self._said or len(self._said) == _MOST_REASONS:
                self._unsaid[kind if kind in self._said else "other reasons"] += 1
                return
            self._said.add(kind)
            self._logger.warning("%s", line)

    def tick(self, done: int, to_do: int) -> None:
        """Log how far the run has come, and what trouble there was, if it is time to.

        Args:
            done: How many look-ups of this run have an outcome.
            to_do: How many look-ups this run expects to make.
        """
        now = self._clock()
        if now - self._last_trouble >= _SECONDS_BETWEEN_LINES:
            self.say_trouble()
        if now - self._last_progress < _SECONDS_BETWEEN_LINES:
            return
        self._last_progress = now
        rate = done / (now - self._began)
        left = f"about {duration((to_do - done) / rate)}" if rate else "unknown time"
        with self._lock:
            trouble = f"; {self.calls.further_tries} further tries" if self.calls.further_tries else ""
            trouble += f", {self._pauses} pauses imposed by Gong" if self._pauses else ""
        self._logger.info("%d of %d addresses done, %.2f a second, %s left%s", done, to_do, rate, left, trouble)

    def say_trouble(self) -> None:
        """Log how often each kind of trouble has occurred since the last such line."""
        with self._lock:
            if self._unsaid:
                self._last_trouble = self._clock()
                counts = ", ".join(f"{count} x {kind}" for kind, count in self._unsaid.most_common(_MOST_REASONS))
                self._unsaid.clear()
                self._logger.warning("Since the last such line: %s", counts)


def duration(seconds: float) -> str:
    """Return a duration as text: `1:23:45`, or `2 days, 1:23:45`."""
    try:
        return str(timedelta(seconds=max(1, round(seconds))))
    except OverflowError:
        return "more than 10,000 years"
