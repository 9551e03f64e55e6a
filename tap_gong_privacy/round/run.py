"""One run: which addresses are asked, when it stops early, and what it says."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_gong_privacy.gong.client import Status, refusals
from tap_gong_privacy.gong.pacing import CutError, Stop
from tap_gong_privacy.gong.prefetch import Lookups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_gong_privacy.gong.client import Client, Lookup
    from tap_gong_privacy.gong.pacing import Pacer
    from tap_gong_privacy.round.checkpoint import Round

GONG_DAILY_LIMIT = 10_000
"""Gong's default limit of calls a day, for the whole company."""

logger = logging.getLogger("tap-gong-privacy")

_OUTAGE = 3
_PROGRESS_SECONDS = 30.0


class Run:
    """Looks up the addresses of a round, as far as this run comes."""

    def __init__(
        self,
        round_: Round,
        client: Client,
        pacer: Pacer,
        *,
        max_concurrency: int,
        requests_per_second: float,
        limit: int | None = None,
    ) -> None:
        """Initialize the run.

        Args:
            round_: What is asked, and where outcomes are taken down.
            client: Asks Gong.
            pacer: Knows why the client stopped.
            max_concurrency: Look-ups in flight at once.
            requests_per_second: The pace, for the expected time.
            limit: Addresses asked at most (`--test`); None for all.
        """
        self._round = round_
        self._pacer = pacer
        self._to_ask = round_.to_ask[:limit]
        self._lookups = Lookups(client.look_up, max_concurrency)
        self._pace = requests_per_second
        self._asked = 0
        self._began = self._last_progress = time.monotonic()
        self._failures: list[Lookup] = []
        self._is_outage = False
        self.first_status: Status | None = None

    @property
    def round(self) -> Round:
        """The round that this run is of."""
        return self._round

    @property
    def is_stopped(self) -> bool:
        """Whether the run stopped early, other than by a spent budget."""
        return self._pacer.stopped is not None

    @property
    def is_stopped_by_gong(self) -> bool:
        """Whether Gong stopped the run: refused credentials, or a limit of calls that is too long to wait for."""
        return self._pacer.stopped is not None and not self._pacer.stopped.is_outage

    @property
    def has_spent_budget(self) -> bool:
        """Whether the run has spent `max_requests_per_run`."""
        return self._pacer.is_spent

    def lookups(self, tick: Callable[[], None]) -> Iterator[tuple[str, Lookup]]:
        """Look up the addresses. Whoever consumes an outcome calls `take_down` with it.

        Args:
            tick: Called about twice a second while waiting; what it raises ends the run.

        Yields:
            Each address with its outcome, in order.
        """
        self._say_start()
        not_asked = self._round.not_asked
        outcomes = self._lookups.in_order(self._to_ask, self._pacer.expect, lambda: self._tick(tick))
        try:
            for address, lookup in zip(self._to_ask, outcomes, strict=False):
                if self._asked == not_asked:
                    self._failures.clear()  # here the pass over what is owed begins
                yield address, lookup
                if self._is_outage:
                    break
        except CutError:
            # The pacer knows why, unless it is the budget that is spent.
            pass
        if self._pacer.stopped:
            logger.error("Stopped: %s", self._pacer.stopped.message)

    def take_down(self, lookup: Lookup) -> None:
        """Take down an outcome in the round, once its records are out."""
        self._asked += 1
        self.first_status = self.first_status or lookup.status
        self._round.record(lookup.status)
        if stop := self._outage(lookup):
            self._is_outage = True
            self._pacer.stop(stop)

    def _outage(self, lookup: Lookup) -> Stop | None:
        """Return why the run has to stop, if so many addresses in a row failed."""
        if lookup.status is not Status.FAILED:
            self._failures.clear()
            return None
        self._failures.append(lookup)
        count = len(self._failures)
        are_refusals = not self._round.is_answered and all(failure.is_refusal for failure in self._failures)
        if are_refusals and count in {self._round.total, _OUTAGE}:
            return Stop(refusals(lookup.http_status), is_outage=True)
        if count < _OUTAGE:
            return None
        reason = "no answer" if lookup.http_status is None else f"HTTP {lookup.http_status}"
        return Stop(
            f"{count} addresses in a row failed (the last one: {reason}). Run again later, with the same state.",
            is_outage=True,
        )

    def _tick(self, tick: Callable[[], None]) -> None:
        tick()
        now = time.monotonic()
        if now - self._last_progress < _PROGRESS_SECONDS:
            return
        self._last_progress = now
        rate = self._asked / (now - self._began)
        left = (len(self._to_ask) - self._asked) / rate if rate else 0
        logger.info(
            "%d of %d addresses done, %.2f a second, %s left",
            self._asked,
            len(self._to_ask),
            rate,
            _duration(left) if rate else "unknown time",
        )

    def _say_start(self) -> None:
        round_ = self._round
        count = len(self._to_ask)
        if round_.started_over_for:
            logger.warning("Starting over: the state is of a run with other settings (%s).", round_.started_over_for)
        if round_.is_resumed:
            logger.info(
                "asking %d of %d addresses; %d were answered by earlier runs since %s; run without state (Meltano: "
                "--full-refresh) to ask all",
                count,
                round_.total,
                round_.total - count,
                round_.began,
            )
        logger.info(
            "Looking up %d addresses at %g calls a second at most: about %s",
            count,
            self._pace,
            _duration(count / self._pace),
        )
        if count > GONG_DAILY_LIMIT:
            logger.warning(
                "%d addresses are more than Gong's default of %d calls a day, which the whole company shares; consider "
                "max_requests_per_run",
                count,
                GONG_DAILY_LIMIT,
            )


def _duration(seconds: float) -> str:
    try:
        return str(timedelta(seconds=max(1, round(seconds))))
    except OverflowError:
        return "for ever"
