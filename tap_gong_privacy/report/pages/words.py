"""What the pages have in common in words: numbers, times, and the names of streams, columns, codes and results."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.report.model import Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

LANGUAGE: Final = "en"
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def day(moment: date) -> str:
    """Write a day out; of a moment, its day in UTC."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def time(moment: datetime) -> str:
    """Write a moment out, in UTC and to the second."""
    return f"{day(moment)}, {moment:%H:%M:%S} UTC"


def number(value: int) -> str:
    """Write a whole number, its thousands separated."""
    return f"{value:,}"


def plural(value: int, one: str, many: str, **places: str) -> str:
    """Choose the sentence that fits a number, and fill in its places.

    Args:
        value: The number, for the place `{number}`.
        one: The sentence for 1.
        many: The sentence for any other number.
        places: The texts for other places.
    """
    return (one if value == 1 else many).format(number=number(value), **places)


def joined(parts: Sequence[str]) -> str:
    """Join the parts of an enumeration."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def span(length: timedelta) -> str:
    """Write how long something takes, in its largest unit."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 1:
        return "less than a second"
    if seconds < _MINUTE:
        return plural(seconds, "{number} second", "{number} seconds")
    if seconds < _HOUR:
        return plural(seconds // _MINUTE, "{number} minute", "{number} minutes")
    if seconds < _DAY:
        return plural(seconds // _HOUR, "{number} hour", "{number} hours")
    return plural(seconds // _DAY, "{number} day", "{number} days")


def days(length: timedelta) -> str:
    """Write a length in days, as it was given."""
    value = length / timedelta(days=1)
    return "day" if value == 1 else f"{value:,.6g} days"


def dated(moment: datetime, made_at: datetime) -> str:
    """Write out the day of an answer, and how many days before the page was made that was."""
    days = (made_at.date() - moment.date()).days
    if days <= 0:
        return f"{day(moment)}, the day on which this page was made"
    return plural(
        days,
        "{day}, {number} day before this page was made",
        "{day}, {number} days before this page was made",
        day=day(moment),
    )


STREAMS: Final = {
    "emails": "E-mails",
    "calls": "Calls",
    "meetings": "Meetings",
    "customer_data": "Customer records",
    "customer_engagement": "Views and clicks",
    "lookups": "The answer itself",
}
AMOUNTS: Final = {
    "emails": ("{number} e-mail", "{number} e-mails"),
    "calls": ("{number} call", "{number} calls"),
    "meetings": ("{number} meeting", "{number} meetings"),
    "customer_data": ("{number} system with customer records", "{number} systems with customer records"),
    "customer_engagement": ("{number} view or click", "{number} views and clicks"),
}
COLUMNS: Final = {
    "found_under": "Found under",
    "looked_up_at": "Looked up",
    "request_id": "Gong's request id",
    "undocumented": "Not in the documentation",
    "from": "Sent by",
    "id": "Gong's number",
    "sent_time": "Sent",
    "mailbox": "Found in the mailbox of",
    "message_hash": "Check number (hash)",
    "status": "Status",
    "external_systems": "Linked records in other systems",
    "system": "System",
    "objects": "Records",
    "object_type": "Type",
    "external_id": "Number in that system",
    "mirror_id": "Gong's reference to it (mirror id)",
    "fields": "Fields",
    "name": "Name",
    "value": "Value",
    "event_hash": "Key of this entry",
    "event_type": "Kind",
    "timestamp": "When",
    "content_id": "Content number",
    "content_url": "Content address",
    "reporting_system": "Reported by",
    "event_name": "Event",
    "source_event_id": "Number of the event",
}
CODES: Final = {
    "COMPLETED": "the call has taken place",
    "SCHEDULED": "the call is planned",
    "CANCELED": "the call was cancelled",
    "Conversation": "a conversation",
    "Task": "a task",
    "Lead": "a possible customer",
    "Contact": "a person at a customer",
    "Salesforce": "a customer database",
    "HubSpot": "a customer database",
    "MicrosoftDynamic": "Microsoft Dynamics, a customer database",
    "Generic": "another system, which Gong does not name",
    "contentShared": "content was shared with someone",
    "contentViewed": "shared content was viewed",
    "customEvent": "an event that this company or another system has defined",
    "digitalInteraction": "an interaction on the web or by e-mail",
    "ExternalCallViewing": "a call was viewed from outside this company",
}
"""What Gong's codes mean, by code; the documented ones, and those of its documentation's example."""
RESULTS: Final = {
    Result.DATA_HELD: "Data held",
    Result.NOTHING_HELD: "Nothing held",
    Result.REFUSED: "Refused",
    Result.NO_ANSWER: "No answer",
    Result.MALFORMED: "Malformed",
    Result.NEVER_ASKED: "Never asked",
}
_STATUSES: Final = {
    "found": "data held",
    "not_found": "nothing held",
    "rejected": "refused by Gong",
    "failed": "no usable answer",
    "malformed": "not asked, because it is not an e-mail address",
}
REQUEST_ID: Final = "Gong's request id"
REFERENCE: Final = "Reference"
RECEIVED: Final = "Request received"
MADE: Final = "Made on"
NOT_KNOWN: Final = "not known"
NOT_IN_COPY: Final = "not in our copy"
NO_ANSWER: Final = "no answer"


def amount(stream: str, value: int) -> str:
    """Write how many entries of a stream there are."""
    return plural(value, *AMOUNTS[stream])


def status(code: str | None) -> str:
    """Explain how a look-up ended."""
    return "no status" if code is None else _STATUSES.get(code, code)


def other_spellings(value: int) -> str:
    """Say how many other spellings of the addresses there are in the tables."""
    return plural(
        value,
        "The tables hold {number} other spelling of these addresses, which this page does not cover.",
        "The tables hold {number} other spellings of these addresses, which this page does not cover.",
    )


NO_ZONES: Final = (
    "The database stores the times without a time zone. They are read as Coordinated Universal Time (UTC)."
)


def day_of(text: str) -> str:
    """Write out a day that is given in the form of ISO 8601."""
    return day(date.fromisoformat(text))
