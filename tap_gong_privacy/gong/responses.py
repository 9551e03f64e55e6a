"""What a response of Gong means for the address that was asked about. Pure functions: no HTTP, no clock, no pace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from requests import codes

from tap_gong_privacy.gong import answers, times
from tap_gong_privacy.gong.answers import UnusableError
from tap_gong_privacy.gong.json_text import is_plain
from tap_gong_privacy.gong.outcomes import Outcome, Reason, Status

if TYPE_CHECKING:
    from tap_gong_privacy.gong.transport import Response

SCOPE = "api:data-privacy:read"

_REFUSALS = range(300, 500)
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)
_LATER = "Run again later; the next run resumes where this one stopped."


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed try that may be made again.

    Attributes:
        outcome: How the look-up ends if it is not tried again.
        retry_after: The seconds that Gong asks to wait before the next try; None if it does not say.
    """

    outcome: Outcome
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Limited:
    """Gong's limit of calls is reached (429).

    Attributes:
        outcome: How the look-up ends if this address alone keeps meeting the limit.
        retry_after: The seconds that Gong asks to wait; None if it does not say.
    """

    outcome: Outcome
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Gong refuses the credentials (401), so the run has to stop.

    Attributes:
        reason: Why, for the user.
    """

    reason: Reason


def judge(response: Response) -> Outcome | Fault | Limited | Refused:
    """Say what a response means.

    Args:
        response: The response to the question about one address.

    Returns:
        The outcome of the look-up, or what prevents one for now.
    """
    status = response.status
    if status == codes.ok:
        return _answer(response)
    if status == codes.bad_request:
        return _error(response, Status.REJECTED, None, "Gong answered 400 without a message")
    if status == codes.unauthorized:
        return Refused(_credentials_refused(response))
    reason = Reason(f"Gong answered {status}", _advice(status))
    outcome = _error(response, Status.FAILED, reason, reason.text, is_refusal=_is_refusal(status))
    if status == codes.too_many_requests:
        return Limited(outcome, retry_after(response))
    return outcome if outcome.is_refusal else Fault(outcome, retry_after(response))


def _is_refusal(status: int) -> bool:
    return status in _REFUSALS and status not in {codes.request_timeout, codes.too_many_requests}


def _advice(status: int) -> str:
    if _is_refusal(status):
        return f"Check api_url, that the credentials have the scope {SCOPE}, and Gong's list of allowed IP addresses."
    return "Gong may be out of order: run again later."


def _answer(response: Response) -> Outcome | Fault:
    try:
        answer = answers.read(response.body)
    except UnusableError as error:
        reason = Reason(f"Gong answered 200, but {error}", "Report it to Gong if it persists.")
        request_id = answers.read_refusal(response.body).request_id
        return Fault(
            Outcome(Status.FAILED, response.arrived, response.status, request_id, (reason.text,), reason=reason),
        )
    return Outcome(
        Status.FOUND if answer.holds_something else Status.NOT_FOUND,
        response.arrived,
        response.status,
        answer.request_id,
        undocumented=answer.undocumented,
        is_repaired=answer.is_repaired,
        answer=answer,
    )


def _error(
    response: Response,
    status: Status,
    reason: Reason | None,
    without_message: str,
    *,
    is_refusal: bool = False,
) -> Outcome:
    refusal = answers.read_refusal(response.body)
    return Outcome(
        status,
        response.arrived,
        response.status,
        refusal.request_id,
        refusal.messages or (without_message,),
        refusal.undocumented,
        refusal.is_repaired,
        reason=reason,
        is_refusal=is_refusal,
    )


def retry_after(response: Response) -> float | None:
    """Return the seconds that Gong asks to wait, at least 0; None if it does not say, or not readably.

    An HTTP date is compared with the response's own `Date`, because this machine's clock may be wrong.
    """
    value = response.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _http_date(value)
    if until is None:
        return None
    now = _http_date(response.headers.get("Date", "")) or response.arrived
    return max(0.0, (until - now).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _credentials_refused(response: Response) -> Reason:
    request_id = answers.read_refusal(response.body).request_id
    is_harmless = isinstance(request_id, str) and is_plain(request_id)
    return Reason(
        f"Gong answered 401 (requestId {request_id if is_harmless else 'not given'})",
        f"Check the credentials, their scope {SCOPE}, and api_url (Gong answers 401 to unknown paths too).",
    )


def refused_everything(http_status: int | None) -> str:
    """Say what to check if Gong refuses every address with a status such as 403.

    Args:
        http_status: The status of the last refusal.

    Returns:
        One line for the user.
    """
    return f"Gong answered {http_status} to every address so far. {_advice(http_status or codes.forbidden)}"


def limit_reached(limited: Limited) -> Reason:
    """Say that the run cannot wait for Gong's limit of calls, and when to come back if Gong said so."""
    text = "Gong's limit of calls is reached (429)"
    if limited.retry_after is None:
        return Reason(f"{text} and Gong did not say for how long", _LATER)
    try:
        come_back = limited.outcome.looked_up_at + timedelta(seconds=limited.retry_after)
        moment = times.format_utc(come_back.replace(microsecond=0))
    except OverflowError:
        return Reason(text, _LATER)
    return Reason(text, f"Run again after {moment}; the next run resumes where this one stopped.")
