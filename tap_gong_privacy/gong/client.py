"""One look-up of one address: its tries, one after the other, until there is an outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, Protocol

import backoff
from requests import codes

from tap_gong_privacy.gong.outcomes import Outcome, Reason, Status
from tap_gong_privacy.gong.pacing import BudgetSpentError, CutError, Pacer, Stop, Ticket
from tap_gong_privacy.gong.responses import Fault, Limited, Refused, judge, limit_reached
from tap_gong_privacy.gong.transport import Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/v2/data-privacy/data-for-email-address"

_LONGEST_BACKOFF = 60.0


class Listener(Protocol):
    """Receives the events of calls as they happen, on the threads that make the calls."""

    def called(self, status: int | None, seconds: float, *, is_further_try: bool) -> None:
        """A call ended after so many seconds, with an HTTP status or without one."""

    def failed(self, rank: int, reason: Reason, tries_left: int) -> None:
        """A try of an address failed; it has so many further tries left."""

    def paused(self, seconds: float, *, is_asked: bool) -> None:
        """All calls pause for so many seconds after a 429; `is_asked` if Gong asked for that time."""


@dataclass(frozen=True, slots=True)
class Client:
    """Asks Gong about addresses. It is safe to share between threads.

    Attributes:
        transport: Makes one call.
        pacer: Decides when each call starts, and can be stopped.
        listener: Receives the events.
        max_retries: Further tries of one address after a fault.
        max_retry_wait: The longest wait, in seconds, that Gong may impose before a further try.
        jitter: Returns the seconds to wait before a further try, given a step of the exponential backoff.
    """

    transport: Transport
    pacer: Pacer
    listener: Listener
    max_retries: int
    max_retry_wait: float
    jitter: Callable[[float], float] = backoff.full_jitter

    def look_up(self, address: str, rank: int) -> Outcome:
        """Ask Gong about one address until there is an outcome.

        Args:
            address: The address, asked exactly as it is written.
            rank: Its position among the addresses of this run. Lower ones are served first.

        Returns:
            The outcome.

        Raises:
            CutError: If the run stops before there is one.
        """
        return _LookUp(self, address, rank).run()

    def close(self) -> None:
        """End every wait for a turn, and close all connections."""
        self.pacer.close()
        self.transport.close()


class _LookUp:
    """The tries of one address."""

    def __init__(self, client: Client, address: str, rank: int) -> None:
        self._client = client
        self._address = address
        self._rank = rank
        self._attempts = 0
        self._retries = 0
        self._http_status: int | None = None
        self._delay = 0.0
        self._fault: Outcome | None = None
        self._first_limited: Ticket | None = None
        self._limits = 0
        self._steps = backoff.expo(max_value=_LONGEST_BACKOFF)
        next(self._steps)  # The generators of backoff begin with an empty step.

    def run(self) -> Outcome:
        outcome: Outcome | None = None
        while outcome is None:
            try:
                ticket = self._client.pacer.wait_for_turn(self._rank, self._delay, self._limits)
            except BudgetSpentError:
                if self._fault is None:
                    raise
                outcome = self._fault
            else:
                outcome = self._try(ticket)
        return replace(outcome, attempts=self._attempts, http_status=self._http_status)

    def _try(self, ticket: Ticket) -> Outcome | None:
        """Make one call. Return the outcome, or None if the address has to be asked again."""
        result = self._call()
        if isinstance(result, Refused):
            self._stop(result.reason)
        if isinstance(result, Limited):
            return self._after_limit(result, ticket)
        if isinstance(result, Fault):
            return self._after_fault(result)
        if result.reason:
            self._client.listener.failed(self._rank, result.reason, 0)
        return result

    def _call(self) -> Outcome | Fault | Limited | Refused:
        self._attempts += 1
        began = time.monotonic()
        try:
            response = self._client.transport.get({"emailAddress": self._address})
        except TransportError as error:
            self._note_call(error.status, began)
            errors = (f"Gong gave no answer: {error.reason.text}",)
            return Fault(Outcome(Status.FAILED, datetime.now(UTC), errors=errors, reason=error.reason))
        self._note_call(response.status, began)
        if response.status != codes.too_many_requests:
            self._client.pacer.note_answer()
        return judge(response)

    def _note_call(self, status: int | None, began: float) -> None:
        self._http_status = self._http_status if status is None else status
        self._client.listener.called(status, time.monotonic() - began, is_further_try=self._attempts > 1)

    def _after_fault(self, fault: Fault) -> Outcome | None:
        self._fault = fault.outcome
        # This address got another answer in between, so it does not always meet the limit.
        self._first_limited, self._limits = None, 0
        left = self._client.max_retries - self._retries
        if (fault.retry_after or 0) > self._client.max_retry_wait:
            left = 0
        if fault.outcome.reason:
            self._client.listener.failed(self._rank, fault.outcome.reason, left)
        if not left:
            return fault.outcome
        self._retries += 1
        step = self._client.jitter(next(self._steps))
        self._delay = step if fault.retry_after is None else fault.retry_after
        return None

    def _after_limit(self, limited: Limited, ticket: Ticket) -> Outcome | None:
        self._delay = 0.0
        pause = self._client.pacer.pause_after_429(ticket, limited.retry_after)
        if pause is None:
            self._stop(limit_reached(limited))
        if pause.is_new:
            self._client.listener.paused(pause.seconds, is_asked=pause.is_asked)
        if self._first_limited is None or self._client.pacer.has_limited_others(self._first_limited, self._limits + 1):
            # Other addresses meet the limit too, so it is the company's.
            self._first_limited = ticket
            self._limits = 0
        self._limits += 1
        # Unless others were answered meanwhile, the limit may be the whole company's, not this address's alone.
        if self._limits <= max(self._client.max_retries, 1) or not self._client.pacer.has_answered_since(
            self._first_limited
        ):
            return None
        reason = Reason("Gong answered 429 to this address alone")
        self._client.listener.failed(self._rank, reason, 0)
        return replace(limited.outcome, reason=reason)

    def _stop(self, reason: Reason) -> NoReturn:
        self._client.pacer.stop(Stop(f"{reason.text}. {reason.advice}"))
        raise CutError
