"""One run of a round: which addresses it asks about, when it stops early, and what it logs."""

from __future__ import annotations

import enum
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tap_gong_privacy.gong.client import PATH, Client
from tap_gong_privacy.gong.outcomes import Outcome, Status
from tap_gong_privacy.gong.pacing import CutError, Pacer, Stop
from tap_gong_privacy.gong.prefetch import Prefetcher
from tap_gong_privacy.gong.responses import refused_everything
from tap_gong_privacy.gong.transport import Credentials, Transport
from tap_gong_privacy.round.progress import Calls, Progress, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from tap_gong_privacy.round.addresses import Entry
    from tap_gong_privacy.round.checkpoint import Round
    from tap_gong_privacy.settings import Settings

GONG_DAILY_LIMIT = 10_000
"""Gong's default limit of calls a day, for the whole company."""

logger = logging.getLogger("tap-gong-privacy")

_OUTAGE = 3
_NOT_ASKED = "Not asked: the entry is not an e-mail address"


class Mode(enum.Enum):
    """What a run is for."""

    SYNC = enum.auto()
    TEST = enum.auto()
    """`--test`: asks about the first address once, waits for nothing, and does not change the state."""


def build(settings: Settings, round_: Round, mode: Mode) -> Run:
    """Put a run together.

    Args:
        settings: The tap's settings.
        round_: The round that the run goes on with.
        mode: What the run is for.

    Returns:
        The run.
    """
    is_test = mode is Mode.TEST
    # A test does not wait for even the shortest pause.
    longest_wait = -1.0 if is_test else settings.max_retry_wait
    to_do = round_.to_do
    if is_test:
        to_do = tuple(entry for entry in to_do if not entry.is_malformed)[:1]
    places = [round_.place_of(entry) for entry in to_do if not entry.is_malformed]
    progress = Progress(logger, places, round_.total)
    client = Client(
        Transport(settings.api_url + PATH, Credentials(settings.authorization), settings.request_timeout),
        Pacer(settings.requests_per_second, longest_wait, settings.max_requests_per_run),
        progress,
        max_retries=0 if is_test else settings.max_retries,
        max_retry_wait=longest_wait,
    )
    return Run(settings, round_, client, progress, to_do)


class Run:
    """Looks up the addresses of a round, as far as this run comes.

    An address has a rank, its position among the addresses that this run asks about, from 0. It also has a place in the
    whole list, from 1, which logs show.
    """

    def __init__(
        self,
        settings: Settings,
        round_: Round,
        client: Client,
        progress: Progress,
        to_do: Sequence[Entry],
    ) -> None:
        """Initialize the run. See `build`.

        Args:
            settings: The tap's settings.
            round_: Where outcomes are recorded.
            client: Asks Gong.
            progress: Logs what happens.
            to_do: The entries that the run takes, in order.
        """
        self.api_url = settings.api_url
        self.round = round_
        self.progress = progress
        self.first_outcome: Outcome | None = None
        self._client = client
        self._to_do = to_do
        self._asked = [entry.text for entry in to_do if not entry.is_malformed]
        self._prefetcher = Prefetcher(client.look_up, settings.max_concurrency)
        self._pace = settings.requests_per_second
        self._budget = settings.max_requests_per_run
        self._expected = len(self._asked) if self._budget is None else min(self._budget, len(self._asked))
        self._done = 0
        self._failures: list[Outcome] = []
        self._is_outage = False

    @property
    def stopped(self) -> Stop | None:
        """Why the run stopped early, other than by a spent budget."""
        return self._client.pacer.stopped

    @property
    def has_spent_budget(self) -> bool:
        """Whether the run has spent `max_requests_per_run`."""
        return self._client.pacer.is_spent

    @property
    def calls(self) -> Calls:
        """The calls of this run."""
        return replace(self.progress.calls, started=self._client.pacer.calls)

    def outcomes(self, *ticks: Callable[[], None]) -> Generator[tuple[Entry, Outcome], None, None]:
        """Look up the addresses. The caller records each outcome with `record` once its records are written.

        Args:
            ticks: Are called about twice a second while waiting. What one raises ends the run.

        Yields:
            Each entry with its outcome, in order.
        """
        self._say_start()
        answers = self._prefetcher.in_order(self._asked, self._client.pacer.reserve, lambda: self._tick(ticks))
        try:
            for index, entry in enumerate(self._to_do):
                if index == self.round.first_owed:
                    self._failures.clear()
                yield entry, _malformed() if entry.is_malformed else next(answers)
                if self._is_outage:
                    break
        except CutError:
            # The pacer knows why, unless the budget is spent.
            pass
        finally:
            answers.close()
            self._client.close()
            self.progress.say_trouble()
        if self.stopped:
            logger.error("Stopped: %s", self.stopped.message)

    def record(self, entry: Entry, outcome: Outcome) -> None:
        """Record an outcome in the round, once its records are written."""
        self.round.record(entry, outcome.status)
        if entry.is_malformed:
            return
        self._done += 1
        self.first_outcome = self.first_outcome or outcome
        if stop := self._outage(outcome):
            self._is_outage = True
            self._client.pacer.stop(stop)

    def _outage(self, outcome: Outcome) -> Stop | None:
        """Return why the run has to stop, if so many addresses in a row failed."""
        if outcome.status is not Status.FAILED:
            self._failures.clear()
            return None
        self._failures.append(outcome)
        count = len(self._failures)
        are_refusals = not self.round.is_answered and all(failure.is_refusal for failure in self._failures)
        if are_refusals and count in {self.round.total, _OUTAGE}:
            return Stop(refused_everything(outcome.http_status), is_outage=True)
        if count < _OUTAGE or outcome.reason is None:
            return None
        reason = outcome.reason
        return Stop(
            f"{count} addresses in a row failed (the last one: {reason.text}). {reason.advice} The next run with the "
            "same state resumes after them.",
            is_outage=True,
        )

    def _tick(self, ticks: Iterable[Callable[[], None]]) -> None:
        for tick in ticks:
            tick()
        self.progress.tick(self._done, self._expected)

    def _say_start(self) -> None:
        round_ = self.round
        if round_.started_over:
            logger.warning(
                "Starting over, because api_url, the selection, the stream maps or the flattening changed: %d look-ups "
                "of this round are made again",
                round_.lost_outcomes,
            )
        if round_.is_resumed:
            logger.info(
                "asking %d of %d addresses; %d were answered by earlier runs since %s; run without state (Meltano: "
                "--full-refresh) to ask all",
                len(self._asked),
                round_.total,
                round_.total - len(self._asked),
                round_.began,
            )
        if not round_.total:
            logger.warning("The list holds no address, so Gong is not asked")
        if self._asked:
            self._say_estimate()
        if round_.total > GONG_DAILY_LIMIT and self._asked:
            logger.warning(
                "%d addresses are more than Gong's default of %d calls a day, which the whole company shares%s",
                round_.total,
                GONG_DAILY_LIMIT,
                "" if self._budget else "; consider max_requests_per_run",
            )

    def _say_estimate(self) -> None:
        cut = ""
        if self._expected < len(self._asked):
            cut = f", {self._expected} of them in this run (max_requests_per_run)"
        logger.info(
            "Looking up %d addresses%s, at %g calls a second at most: about %s",
            len(self._asked),
            cut,
            self._pace,
            duration(self._expected / self._pace),
        )


def _malformed() -> Outcome:
    return Outcome(Status.MALFORMED, datetime.now(UTC), errors=(_NOT_ASKED,))
