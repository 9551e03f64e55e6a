"""Every text of the pages and of the command's messages, in English. Another language is another module like this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_gong_privacy.report.coverage import Outcome
from tap_gong_privacy.report.erasure import Finding
from tap_gong_privacy.report.gaps import Gap, Reason
from tap_gong_privacy.report.model import Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tap_gong_privacy.report.person import Person

LANGUAGE: Final = "en"

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def time(moment: datetime) -> str:
    """Write a moment out, in UTC and to the second."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M:%S} UTC"


def number(value: int) -> str:
    """Write a whole number with its thousands apart."""
    return f"{value:,}"


def count(value: int, one: str, many: str = "") -> str:
    """Write a number with its noun."""
    return f"{number(value)} {one if value == 1 else many or f'{one}s'}"


def joined(parts: Sequence[str]) -> str:
    """Join the parts of an enumeration."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


# Names and values

YES: Final = "yes"
NO: Final = "no"
NO_VALUE: Final = "no value"
EMPTY_TEXT: Final = "empty text"
EMPTY_LIST: Final = "empty list"
DASH: Final = "\N{EN DASH}"
NOT_LOADED: Final = "not loaded"
UNKNOWN: Final = "not known"


def long_text(characters: int) -> str:
    """Say how long a folded text is."""
    return f"({number(characters)} characters: open to read them all)"


STREAMS: Final = {
    "emails": "E-mails",
    "calls": "Calls",
    "meetings": "Meetings",
    "customer_data": "Customer records",
    "customer_engagement": "Views and clicks",
    "lookups": "The answer itself",
}
STREAM_NOUNS: Final = {
    "emails": ("e-mail", "e-mails"),
    "calls": ("call", "calls"),
    "meetings": ("meeting", "meetings"),
    "customer_data": ("system with customer records", "systems with customer records"),
    "customer_engagement": ("view or click", "views and clicks"),
}
MEANINGS: Final = {
    "emails": "E-mails that refer to the address: who sent each, when, and in whose mailbox Gong found it.",
    "calls": "Recorded calls that Gong connects with the address, with their links to other systems.",
    "meetings": "Meetings in a calendar that Gong connects with the address.",
    "customer_data": "Systems such as a customer database (CRM) whose records about the address Gong has copied, with "
    "every field that Gong holds.",
    "customer_engagement": "What was done with content that was shared by Gong, such as viewing a recording.",
}
COLUMNS: Final = {
    "email_address": "Address asked about",
    "looked_up_at": "Looked up",
    "request_id": "Gong's request id",
    "undocumented": "Beside the documentation",
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
    "http_status": "HTTP status",
    "errors": "Messages",
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
    "ExternalCallViewing": "someone outside this company viewed a call",
}
"""What Gong's codes mean, by code; the documented ones, and those of its documentation's example."""

# Results

RESULTS: Final = {
    Result.DATA_HELD: "Data held",
    Result.NOTHING_HELD: "Nothing held",
    Result.REFUSED: "Refused",
    Result.NO_ANSWER: "No answer",
    Result.NEVER_ASKED: "Never asked",
}
RESULT_MEANINGS: Final = {
    Result.DATA_HELD: "Gong holds data about this address.",
    Result.NOTHING_HELD: "Gong answered that it holds nothing about this address.",
    Result.REFUSED: "Gong refused to answer about this address. Whether it holds anything is not known.",
    Result.NO_ANSWER: "Gong gave no usable answer. Whether it holds anything is not known.",
    Result.NEVER_ASKED: "Gong was not asked about this address. Whether it holds anything is not known.",
}
_STATUSES: Final = {
    "found": "data held",
    "not_found": "nothing held",
    "rejected": "refused by Gong",
    "failed": "no usable answer",
    "malformed": "not asked: no e-mail address",
}


def status(code: str) -> str:
    """Explain how a look-up ended."""
    return _STATUSES.get(code, code)


def later_outcome(code: str, moment: datetime) -> str:
    """Say that a later look-up brought no answer."""
    return f"A later look-up, on {time(moment)}, brought no new answer ({status(code)})."


# What is not complete

_SHOWN_AT_MOST: Final = 10
_GAPS: Final = {
    Reason.NEVER_ASKED: "never asked. Put it on the tap's list exactly as it is written here, and load again.",
    Reason.ASKED_ELSEWHERE: "asked at another Gong only. Give --config the api_url that was asked, or ask this one.",
    Reason.MALFORMED: "not asked, for it is no e-mail address. Correct it on the tap's list.",
    Reason.REFUSED: "refused by Gong, so that nothing is known about it. Ask Gong's support, with the request id.",
    Reason.NO_ANSWER: "no usable answer. Load again.",
    Reason.NOT_SINCE: "no answer since the erasure was asked for. Look it up again, and load.",
}


def gap(gap: Gap) -> str:
    """Say why a report is not complete, and what to do, without naming anybody."""
    if gap.reason is Reason.TEXTS_MISSING:
        return (
            f"Texts of the controller that are missing: {number(gap.counted)}. Give --notice, or accept it by --draft."
        )
    where, entries = _places(gap), count(gap.counted, "entry", "entries")
    match gap.reason:
        case Reason.STREAM_NOT_LOADED:
            return f"{where}: Gong holds {entries} of {gap.stream}, which was not loaded. Select it, and load again."
        case Reason.UNKNOWN_COUNT:
            return (
                f"{where}: lookups has no count of {gap.stream}, so that nothing shows whether all of it is here. "
                f"Select the column {gap.stream}_count, and load again."
            )
        case Reason.OTHER_COUNT:
            return (
                f"{where}: Gong's answer has {entries} of {gap.stream}, and {number(gap.loaded)} were loaded. If a "
                "load is under way, wait for its end; otherwise load again."
            )
        case _:
            return f"{where}: {_GAPS[gap.reason]}"


def _places(gap: Gap) -> str:
    places = [number(place) for place in gap.addresses[:_SHOWN_AT_MOST]]
    if len(gap.addresses) == 1:
        return f"Address {places[0]} of {number(gap.total)}"
    more = len(gap.addresses) - len(places)
    return f"Addresses {joined([*places, *([f'{number(more)} more'] if more else [])])} of {number(gap.total)}"


PSEUDONYMS: Final = (
    "The tables hold no e-mail address at all: they were probably loaded with pseudonyms. Give the pseudonym of each "
    "address in its place."
)


def other_spellings(number_of: int) -> str:
    """Say that the tables hold further spellings of the addresses."""
    spellings = "spelling that differs" if number_of == 1 else "spellings that differ"
    return (
        f"The tables hold {number(number_of)} more {spellings} from the given addresses in upper and lower case alone. "
        "Give every spelling of the person."
    )


# The page for a person

PERSON_KICKER: Final = "Answer to a request for access"


def person_title(addresses: Sequence[str]) -> str:
    """Return the title of the page for a person."""
    return f"What Gong holds about {joined(list(addresses))}"


MADE: Final = "Made on"
CONTENTS: Final = "On this page"


def lead(person: Person) -> str:
    """Say in one sentence what Gong is, what was asked, and how much it holds."""
    who = person.notice["controller"].partition("\n")[0].strip(" ,.") or "This company"
    spellings = len(person.addresses)
    asked = "this address" if spellings == 1 else f"these {number(spellings)} addresses"
    return (
        f"{who} uses Gong, a service that records and analyses sales calls, meetings and e-mails; Gong was asked what "
        f"it holds about {asked}, and {_held(person)}."
    )


def _held(person: Person) -> str:
    known = "" if person.is_known else "as far as it has answered, "
    if person.counted:
        part = "" if person.counted == person.entries else f", {number(person.entries)} of which are on this page"
        return f"{known}it holds {count(person.counted, 'entry', 'entries')}{part}"
    if person.holds_something:
        has_counts = all(kind.counted is not None for kind in person.kinds)
        kinds = "of kinds that its documentation does not name" if has_counts else "of which no entry was loaded"
        return f"{known}it holds data {kinds}"
    if person.is_known:
        return "it holds no entry"
    is_known_in_part = any(standing.answer for standing in person.standings)
    return "what it holds is not known in full" if is_known_in_part else "what it holds is not known"


NOT_COMPLETE: Final = "This answer is not complete"
DRAFT: Final = "Draft"
DO_NOT_SEND: Final = "Please settle this before you send the page:"


def missing_texts(number_of: int) -> str:
    """Say how many of the controller's texts are missing."""
    return f"{count(number_of, 'text')} that the law asks for {'is' if number_of == 1 else 'are'} still missing."


ASKED: Final = "What was asked"
ASKED_TEXT: Final = (
    "Whether Gong takes two spellings of an address for one is not known, so each spelling was asked about separately. "
    "Gong can find each question by its request id."
)
SPELLING: Final = "Address"
RESULT: Final = "Result"
ANSWERED: Final = "Answered"
REQUEST_ID: Final = "Gong's request id"
GONG: Final = "Which Gong"
NEVER: Final = "never"

SHORT: Final = "In short"
KIND: Final = "Kind"
ENTRIES: Final = "Entries"
MEANING: Final = "What it is"

HELD: Final = "What Gong holds, entry by entry"
NEWEST_FIRST: Final = "Newest first. All times are in Coordinated Universal Time (UTC)."
NOTHING_HERE: Final = "Gong answered that it holds none."
NOT_KNOWN_HERE: Final = "Whether Gong holds any is not known: see “What was asked”."


def stream_not_loaded(counted: int | None) -> str:
    """Say that a whole stream was not loaded."""
    known = {None: "How many Gong holds is not known.", 0: "Gong answered that it holds none."}
    text = known.get(counted, f"Gong holds {number(counted or 0)}, which are not in here.")
    return f"Not loaded: this kind was not selected when the data was fetched. {text}"


def columns_not_loaded(columns: Sequence[str]) -> str:
    """Say that columns were not loaded."""
    names = joined([f"“{COLUMNS.get(column) or _count_name(column)}”" for column in columns])
    return f"Not loaded: {names}. Gong may hold such values, but they were not selected when the data was fetched."


def _count_name(column: str) -> str:
    return f"Number of {STREAM_NOUNS[column.removesuffix('_count')][1]}"


def other_count(counted: int, loaded: int) -> str:
    """Say that an answer has other entries than those of the page."""
    return f"Gong's answer has {number(counted)}; this page has {number(loaded)}. It is not complete."


def span(first: datetime, last: datetime) -> str:
    """Say between which days something has happened."""
    days = [f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}" for moment in (first, last)]
    return f"On {days[0]}." if days[0] == days[1] else f"From {days[0]} to {days[1]}."


NO_DATES: Final = {
    "calls": "Gong's answer has no field that says when they took place.",
    "meetings": "Gong's answer has no field that says when they take place.",
}


def some_of(present: int, counted: int | None) -> str:
    """Write how many entries are in here, and of how many."""
    return f"{number(present)} of {UNKNOWN if counted is None else number(counted)}"


def masked(addresses: int, links: int) -> list[str]:
    """Say what was masked, and how often."""
    lines = []
    if addresses:
        lines.append(
            f"Addresses of other people are shortened, to protect them: {count(addresses, 'time')} on this page. "
            "“m…\N{WORD JOINER}@example.com” is an address at example.com that begins with m."
        )
    if links:
        lines.append(
            f"Links are shown without the part that would open a recording: {count(links, 'time')} on this page."
        )
    return lines or ["Nothing is masked on this page."]


NO_DATE: Final = "Without a date"
IDENTIFIERS: Final = "Identifiers"
CONTENT: Final = "Content"
SOURCE: Final = "Source"
FIELD: Final = "Field"
BESIDE: Final = "What Gong sent beside its documentation"
BESIDE_TEXT: Final = "Gong's documentation does not say what these values are. They are shown as Gong sent them."
BESIDE_NONE: Final = "Nothing."
BELONGS_TO: Final = "Sent with"

LAW: Final = "Your rights, and whom you can ask"
LAW_TEXT: Final = "Article 15 of the General Data Protection Regulation (GDPR) gives you a right to know this as well."
MISSING_TEXT: Final = "This text is missing. The controller has to write it."
NOTICE: Final = {
    "controller": ("Who answers", ""),
    "contact": ("Whom you can ask", ""),
    "purposes": ("Why we use this data", "Article 15(1)(a)"),
    "categories": ("Which kinds of data these are", "Article 15(1)(b)"),
    "recipients": ("Who receives it", "Article 15(1)(c)"),
    "storage_period": ("How long it is kept", "Article 15(1)(d)"),
    "rights": ("Your rights", "Article 15(1)(e)"),
    "complaint": ("Where you can complain", "Article 15(1)(f)"),
    "source": ("Where the data came from", "Article 15(1)(g)"),
    "automated_decisions": ("Decisions made by machines", "Article 15(1)(h)"),
    "transfers": ("Transfers to other countries", "Article 15(2)"),
}

NOT_SAID: Final = "What this page does not say"
NOT_SAID_LINES: Final = (
    (
        "It lists what Gong refers to, not the contents: the texts of e-mails, the recordings of calls and their "
        "transcripts are not in here."
    ),
    (
        "It covers the addresses named above, exactly as they are written there. Other addresses or spellings of yours "
        "are not in here unless they are listed."
    ),
    "It covers Gong alone. Other systems of this company may hold data about you, too.",
    "It shows what Gong held when it was asked. What has changed since then is not in here.",
)


def not_said_other_spellings(number_of: int) -> str:
    """Say that further spellings were looked up."""
    spellings = "spelling that differs" if number_of == 1 else "spellings that differ"
    return (
        f"Gong was also asked about {number(number_of)} {spellings} from these addresses in upper and lower case "
        "alone. What it answered to that is not in here."
    )


# The page about an erasure

ERASURE_KICKER: Final = "Evidence of an erasure"
ERASURE_TITLE: Final = "Was the data erased at Gong?"
FINDINGS: Final = {
    Finding.ERASED: "Erased",
    Finding.STILL_HELD: "Still held",
    Finding.NOT_LOOKED_UP_SINCE: "Not looked up since",
    Finding.NOTHING_KNOWN_BEFORE: "Nothing known from before",
}
_FINDING_SENTENCES: Final = {
    Finding.ERASED: "Gong held data about this address before the erasure was asked for, and answered since that it "
    "holds nothing.",
    Finding.NOT_LOOKED_UP_SINCE: "Gong has not answered about this address since the erasure was asked for, so that "
    "nothing is proven.",
    Finding.NOTHING_KNOWN_BEFORE: "Gong answered that it holds nothing about this address. Its latest answer from "
    "before the erasure was asked for, if there is one, does not show that it held anything either.",
}


def finding(finding: Finding, held: Sequence[str]) -> str:
    """Say in one sentence what the look-ups show."""
    if finding is Finding.STILL_HELD:
        return f"Gong answered after the erasure was asked for that it still holds {joined(list(held))}."
    return _FINDING_SENTENCES[finding]


def overall(number_of: int) -> str:
    """Say how the finding over several addresses was made."""
    return f"This is the finding furthest from a proof among {number(number_of)} addresses. Each has its own below."


STILL_BESIDE: Final = "undocumented data"
STILL_UNCOUNTED: Final = "data of kinds whose number was not loaded"
ERASURE_ADDRESS: Final = "Address"
ASKED_AT: Final = "Erasure asked for"
BEFORE_AND_AFTER: Final = "Before and after"
BEFORE: Final = "Latest answer before"
AFTER: Final = "Latest answer since"
NO_ANSWER_HERE: Final = "no answer"
LOOK_UP: Final = "Look-up"
LOOKED_UP: Final = "Looked up"
STATUS: Final = "Outcome"
HTTP_STATUS: Final = "HTTP status"
ATTEMPTS: Final = "Calls made"
UNDOCUMENTED_FIELDS: Final = "Undocumented fields"
EVERY_LOOK_UP: Final = "Every look-up of this address"
NO_LOOK_UP: Final = "There is none: this address was never looked up."
ELSEWHERE: Final = "Look-ups at another Gong"
ELSEWHERE_TEXT: Final = (
    "They asked another Gong than the one above, or do not say which Gong they asked, so that they are no evidence "
    "about it."
)
URL_NOT_RECORDED: Final = "not recorded"


def fields_beside(names: Sequence[str], hidden: int) -> str:
    """Name the undocumented fields of an answer."""
    shown = [*names, *([f"{number(hidden)} whose name is not shown"] if hidden else [])]
    return joined(shown) or "none"


PROVES: Final = "What this proves, and what it does not"
PROVES_LINES: Final = (
    "The answers are Gong's own. Gong can find each one by its request id.",
    (
        "Gong erases in the background, which can take hours. “Still held” soon after the request does not mean that "
        "the erasure has failed: look the address up again later."
    ),
    (
        "Gong's documentation names calls, e-mails, leads and contacts as erased. It does not name meetings and events "
        "of customer engagement."
    ),
    "The answers say nothing about Gong's backups.",
    (
        "If a connected system such as the customer database still holds the person, it can send the data to Gong "
        "again. Look the address up again after its next synchronization."
    ),
    "Whether Gong takes two spellings of an address for one is not known. Look each spelling up separately.",
)
THE_FILE: Final = "The rows behind this page"
THE_FILE_TEXT: Final = (
    "erasure.json, which was made together with this page, holds the same look-ups. This is its SHA-256: if it still "
    "matches, the file has not been changed."
)

# The page about the list

COVERAGE_KICKER: Final = "Coverage of the list"


def coverage_title(answered: int, total: int) -> str:
    """Return the title of the page about the list."""
    return (
        f"{number(answered)} of {count(total, 'address', 'addresses')} {'has' if answered == 1 else 'have'} an answer"
    )


def coverage_lead(answered: int, total: int) -> str:
    """Say in one sentence how far the list is covered."""
    if not total:
        return "The tap's list holds no address, so that nobody is asked."
    if answered == total:
        return "Gong has answered about every address on the tap's list."
    without = count(total - answered, "address", "addresses")
    return f"What Gong holds about {without} on the tap's list is not known. Each is listed below."


OUTCOMES_TITLE: Final = "Outcomes"
OUTCOME: Final = "Outcome"
ADDRESSES: Final = "Addresses"
OUTCOMES: Final = {
    Outcome.FOUND: "Data held",
    Outcome.NOT_FOUND: "Nothing held",
    Outcome.REJECTED: "Refused",
    Outcome.FAILED: "No answer",
    Outcome.MALFORMED: "Malformed",
    Outcome.NEVER_ASKED: "Never asked",
}
OUTCOME_MEANINGS: Final = {
    Outcome.FOUND: "Gong's latest answer: it holds data.",
    Outcome.NOT_FOUND: "Gong's latest answer: it holds nothing.",
    Outcome.REJECTED: "Gong refused to answer. Ask Gong's support, with the request id.",
    Outcome.FAILED: "No usable answer after all tries. Run the tap again.",
    Outcome.MALFORMED: "The entry is no e-mail address. Correct it on the list.",
    Outcome.NEVER_ASKED: "No look-up at this Gong was loaded. Run the tap, and see how its run ends.",
}
AGES_TITLE: Final = "How old the answers are"
AGES: Final = (
    "a day or less",
    "up to 7 days",
    "up to 30 days",
    "up to 90 days",
    "up to a year",
    "more than a year",
)
OPEN_TITLE: Final = "Addresses without an answer"
OPEN_NONE: Final = "There is none."
PLACE: Final = "Place on the list"
LATEST: Final = "Latest look-up"
LATER_TITLE: Final = "Answers that a later look-up did not renew"
LATER_TEXT: Final = "The answer still counts; the latest look-up brought no new one."
NO_LONGER_TITLE: Final = "In the tables, but no longer on the list"
NO_LONGER_TEXT: Final = "Nobody looks these addresses up any more. Their rows stay until you delete them."


def elsewhere(number_of: int, api_url: str) -> str:
    """Say that look-ups at another Gong do not count."""
    listed = count(number_of, "address", "addresses")
    return f"Look-ups at another Gong than {api_url} do not count here. There are some of {listed} of the list."


def streams_not_loaded(streams: Sequence[str]) -> str:
    """Say which streams were not loaded."""
    return f"Not loaded: {joined([STREAMS[stream] for stream in streams])}. The look-ups count them all the same."


# The command


def done(path: str) -> str:
    """Say where a report lies."""
    return f"Made {path}"
