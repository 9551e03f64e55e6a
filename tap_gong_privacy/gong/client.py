"""Gong over HTTP: one look-up of one address, and what each answer means.

Nothing here raises or logs an address, a URL with its query, or a body.
"""

from __future__ import annotations

import enum
import re
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NoReturn

import backoff
from requests import codes

from tap_gong_privacy.gong import answers, times
from tap_gong_privacy.gong.answers import Answer, UnusableError
from tap_gong_privacy.gong.pacing import BudgetSpentError, CutError, Pacer, Stop
from tap_gong_privacy.gong.transport import Credentials, Response, Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_gong_privacy.gong.json_text import JSON

PATH = "/v2/data-privacy/data-for-email-address"
SCOPE = "api:data-privacy:read"

_LONGEST_BACKOFF = 60.0
_REFUSALS = range(300, 500)
_SHOWN_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECONDS = re.compile(r"\d+(\.\d+)?")


class Status(enum.StrEnum):
    """How a look-up ended."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question to Gong about one address, with its outcome.

    Attributes:
        status: How it ended.
        looked_up_at: When Gong's answer arrived, or the last try ended (UTC).
        http_status: The last one; None where there was none.
        request_id: Gong's `requestId`, as it came; None where there was none.
        errors: Gong's messages, or the reason of a failure.
        undocumented: What else came on the top level of Gong's answer, verbatim.
        is_repaired: Whether characters of it that no target can store were replaced.
        answer: What Gong holds, where it answered.
        is_refusal: Whether Gong refused in a way that a wrong configuration brings about (403, 404, a redirect, …).
    """

    status: Status
    looked_up_at: datetime
    http_status: int | None = None
    request_id: JSON = None
    errors: tuple[str, ...] = ()
    undocumented: Mapping[str, JSON] = field(default_factory=dict)
    is_repaired: bool = False
    answer: Answer | None = None
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class _Fault:
    """A try that may be made again, and what becomes of the address if it is not."""

    outcome: Lookup
    retry_after: float | None = None

    def behind(self, earlier: _Fault | None) -> _Fault:
        """Return this fault with the HTTP status of an earlier one, where it has none itself."""
        if earlier is None or self.outcome.http_status is not None:
            return self
        return replace(self, outcome=replace(self.outcome, http_status=earlier.outcome.http_status))


class _Limited:
    """A try that met Gong's limit of calls."""


class Client:
    """Asks Gong about addresses. Safe to share between threads."""

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        pacer: Pacer,
        *,
        request_timeout: float,
        max_retries: int,
        max_retry_wait: float,
    ) -> None:
        """Initialize the client.

        Args:
            api_url: Gong's base URL, without a trailing slash.
            credentials: The Authorization header.
            pacer: Decides when each call starts, and is told to stop.
            request_timeout: Seconds that connecting, and each wait for data, may take.
            max_retries: Further tries of one address after a fault.
            max_retry_wait: Seconds that Gong may impose before a further try.
        """
        self._pacer = pacer
        self._max_retries = max_retries
        self._max_retry_wait = max_retry_wait
        self._transport = Transport(api_url + PATH, credentials, request_timeout, pacer.start)

    def look_up(self, address: str, place: int) -> Lookup:
        """Ask Gong about one address, until there is an outcome.

        Args:
            address: The address, asked exactly as it is.
            place: Its place in the list: lower ones are served first.

        Returns:
            The outcome.

        Raises:
            CutError: If the run stops before there is one.
        """
        waits = backoff.expo(max_value=_LONGEST_BACKOFF)
        next(waits)  # backoff's generators begin with an empty step
        retries = 0
        not_before = 0.0
        fault: _Fault | None = None
        while True:
            try:
                self._pacer.admit(place, not_before)
                result = self._try(address)
            except BudgetSpentError:
                if fault is None:
                    raise
                return fault.outcome
            if isinstance(result, Lookup):
                return result
            if isinstance(result, _Fault):
                fault = result.behind(fault)
                if retries == self._max_retries or (fault.retry_after or 0) > self._max_retry_wait:
                    return fault.outcome
                retries += 1
                wait = backoff.full_jitter(next(waits)) if fault.retry_after is None else fault.retry_after
                not_before = time.monotonic() + wait

    def _try(self, address: str) -> Lookup | _Fault | _Limited:
        try:
            response = self._transport.get({"emailAddress": address})
        except TransportError as error:
            reason = f"Gong gave no answer: {error}"
            return _Fault(Lookup(Status.FAILED, datetime.now(UTC), error.status, errors=(reason,)))
        if response.status == codes.too_many_requests:
            return self._limited(response)
        self._pacer.answered()
        if response.status == codes.unauthorized:
            self._stop(_credentials_refused(response))
        if response.status == codes.ok:
            return _answer(response)
        if response.status == codes.bad_request:
            return _outcome(response, Status.REJECTED, "Gong answered 400 without a message")
        if response.status in _REFUSALS and response.status != codes.request_timeout:
            return _outcome(response, Status.FAILED, f"Gong answered {response.status}", is_refusal=True)
        return _fault(response)

    def _limited(self, response: Response) -> _Limited:
        retry_after = _retry_after(response)
        if not self._pacer.limit(response.ticket, retry_after):
            self._stop(_limit_reached(response, retry_after))
        return _Limited()

    def _stop(self, message: str) -> NoReturn:
        self._pacer.stop(Stop(message))
        raise CutError


def _answer(response: Response) -> Lookup | _Fault:
    try:
        answer = answers.read(response.body)
    except UnusableError as error:
        reason = f"Gong answered 200, but {error}"
        request_id = answers.read_refusal(response.body).request_id
        return _Fault(Lookup(Status.FAILED, response.arrived, response.status, request_id, (reason,)))
    return Lookup(
        Status.FOUND if answer.holds_something else Status.NOT_FOUND,
        response.arrived,
        response.status,
        answer.request_id,
        undocumented=answer.undocumented,
        is_repaired=answer.is_repaired,
        answer=answer,
    )


def _fault(response: Response) -> _Fault:
    outcome = _outcome(response, Status.FAILED, f"Gong answered {response.status}")
    return _Fault(outcome, _retry_after(response))


def _outcome(response: Response, status: Status, reason: str, *, is_refusal: bool = False) -> Lookup:
    refusal = answers.read_refusal(response.body)
    return Lookup(
        status,
        response.arrived,
        response.status,
        refusal.request_id,
        refusal.messages or (reason,),
        refusal.undocumented,
        refusal.is_repaired,
        is_refusal=is_refusal,
    )


def _retry_after(response: Response) -> float | None:
    """Return the seconds that Gong asks to wait, at least 0; None where it does not say, or not readably."""
    value = response.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value, 0):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    try:
        # Gong's own clock: ours may be off.
        now = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, OverflowError):
        now = response.arrived
    return max(0.0, (_aware(until) - _aware(now)).total_seconds())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _credentials_refused(response: Response) -> str:
    request_id = answers.read_refusal(response.body).request_id
    shown = request_id if isinstance(request_id, str) and _SHOWN_REQUEST_ID.fullmatch(request_id) else "not given"
    return (
        f"Gong answered 401 (requestId {shown}): check the credentials, that they have the scope {SCOPE}, and api_url "
        "(Gong answers 401 to unknown paths too)."
    )


def refusals(http_status: int | None) -> str:
    """Say what to check where Gong refuses every address with a status such as 403.

    Args:
        http_status: The status of the last refusal.

    Returns:
        One line for the user.
    """
    return (
        f"Gong answered {http_status} to every address so far: check api_url, that the credentials have the scope "
        f"{SCOPE}, and that Gong lets this machine's IP address in."
    )


def _limit_reached(response: Response, retry_after: float | None) -> str:
    message = "Gong's limit of calls is reached (429)"
    if retry_after is None:
        return f"{message}, and Gong did not say for how long; run again later, the run goes on where it was."
    try:
        come_back = times.format_utc((response.arrived + timedelta(seconds=retry_after)).replace(microsecond=0))
    except OverflowError:
        return f"{message}; run again later, the run goes on where it was."
    return f"{message}; run again after {come_back}, the run goes on where it was."
