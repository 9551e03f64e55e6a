"""Converts times to the form that targets need: UTC, with a `Z`, to the microsecond."""

from __future__ import annotations

import decimal
import re
from datetime import UTC, datetime, timedelta

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 10**11
# Any larger number is beyond the year 9999. Much larger ones would be too long to compute with.
_LARGEST_EPOCH = 10**18
_EXACT = decimal.Context(prec=60, rounding=decimal.ROUND_DOWN)
_FINER_THAN_MICROSECONDS = re.compile(r"[.,]\d{7}")
# Python 3.13 and later read hour 24 as 00 of the next day. Earlier versions and databases refuse it.
_HOUR_24 = re.compile(r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d(-?\d)?).24")


def format_utc(moment: datetime) -> str:
    """Return a time as `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`.

    Args:
        moment: A time with an offset.

    Returns:
        The time in UTC.

    Raises:
        OverflowError: If it is not in the years 1 to 9999 in UTC.
    """
    # msgspec writes UTC as `Z`; `isoformat` would write `+00:00`.
    text: str = msgspec.to_builtins(moment.astimezone(UTC))
    return text


def from_text(text: str) -> tuple[str, bool] | None:
    """Read an ISO 8601 time.

    Args:
        text: A date and time with an offset.

    Returns:
        The time in UTC, and whether a finer fraction was cut to microseconds. None if the text cannot be read.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or (not moment.hour and _HOUR_24.match(text)):
            return None
        return format_utc(moment), _FINER_THAN_MICROSECONDS.search(text) is not None
    except (ValueError, OverflowError):
        return None


def from_epoch(number: decimal.Decimal) -> tuple[str, bool] | None:
    """Read an epoch number. It counts seconds, or milliseconds if it is 10^11 or more.

    Args:
        number: Seconds or milliseconds since 1970-01-01T00:00:00Z; may be negative.

    Returns:
        The time in UTC, and whether a finer fraction was cut to microseconds. None if it is out of range.
    """
    # `abs` would round the number, and overflow if the exponent is large.
    size = number.copy_abs()
    if size > _LARGEST_EPOCH:
        return None
    exponent = 3 if size >= _MILLISECONDS_FROM else 6
    microseconds = _EXACT.to_integral_value(_EXACT.scaleb(number, exponent))
    try:
        # The number itself may have more digits than the context.
        is_cut = _EXACT.scaleb(microseconds, -exponent) != number
        return format_utc(_EPOCH + timedelta(microseconds=int(microseconds))), is_cut
    except OverflowError:
        return None
