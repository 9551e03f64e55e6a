"""How the page for a person begins: the first sentence, and what is not known or not on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import htpy as h

from tap_gong_privacy.report.model import ANSWERED, Result
from tap_gong_privacy.report.pages import html, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_gong_privacy.report.model import Standing
    from tap_gong_privacy.report.pages.html import Node
    from tap_gong_privacy.report.person import Kind, Person, Shortfall

_NAMED_AT_MOST: Final = 3
_LONGEST_NAME: Final = 80


def company(person: Person) -> str:
    """Return the name of the company that answers: the first line of its own text, if that can be a name."""
    name = person.notice.texts["controller"].partition("\n")[0].strip(" ,")
    return name if 0 < len(name) <= _LONGEST_NAME else "this company"


def lead(person: Person) -> str:
    """Say what Gong is, what was asked, how much is held, and how old that answer is."""
    standings = person.standings
    held = [one for one in standings if one.result is Result.DATA_HELD]
    nothing = [one for one in standings if one.result is Result.NOTHING_HELD]
    unknown = [one for one in standings if one.result not in ANSWERED]
    if not (held or nothing):
        return (
            f"Whether we hold anything about you under {_asked(unknown)} in Gong, a service for recording and "
            f"analysing calls, meetings and e-mails that {company(person)} uses, is not known."
        )
    sentences = [_held(person, held) if held else _nothing_held(person, nothing)]
    if held and nothing:
        sentences.append(f"Under {_asked(nothing)} we hold nothing there.")
    if unknown:
        sentences.append(f"What we hold there under {_asked(unknown)} is not known.")
    return " ".join(sentences)


def _nothing_held(person: Person, nothing: Sequence[Standing]) -> str:
    return (
        f"In Gong, a service for recording and analysing calls, meetings and e-mails that {company(person)} uses, we "
        f"searched for {_asked(nothing)} and hold nothing about you, as of {_when(person, nothing)}."
    )


def _held(person: Person, held: Sequence[Standing]) -> str:
    places = {"company": company(person), "asked": _asked(held), "when": _when(person, held)}
    is_whole = not any(kind.shortfalls for kind in person.kinds) and not any(map(person.is_deleted, held))
    if not (is_whole and all(one.is_certain for one in held)):
        return words.plural(
            person.entries,
            "In Gong, a service for recording and analysing calls, meetings and e-mails that {company} uses, we hold "
            "data about you under {asked}, as of {when}; {number} entry is on this page.",
            "In Gong, a service for recording and analysing calls, meetings and e-mails that {company} uses, we hold "
            "data about you under {asked}, as of {when}; {number} entries are on this page.",
            **places,
        )
    if not person.entries:
        return (
            "In Gong, a service for recording and analysing calls, meetings and e-mails that {company} uses, we hold "
            "data about you under {asked}, as of {when}, all of which is of kinds that Gong's documentation does not "
            "describe."
        ).format(**places)
    return words.plural(
        person.entries,
        "In Gong, a service for recording and analysing calls, meetings and e-mails that {company} uses, we hold "
        "{number} entry about you under {asked}, as of {when}.",
        "In Gong, a service for recording and analysing calls, meetings and e-mails that {company} uses, we hold "
        "{number} entries about you under {asked}, as of {when}.",
        **places,
    )


def _asked(standings: Sequence[Standing]) -> str:
    if len(standings) <= _NAMED_AT_MOST:
        return words.joined([standing.address for standing in standings])
    return f"{words.number(len(standings))} of the addresses below"


def _when(person: Person, standings: Sequence[Standing]) -> str:
    """Say of which day the oldest answer is, and how long ago that was."""
    oldest = min(at for one in standings if one.answer and (at := one.answer.at))
    return words.dated(oldest, person.assessment.made_at)


def draft(person: Person) -> Node:
    """Return the notes to the controller's staff, which only a draft shows."""
    missing = ", ".join(person.missing_texts)
    texts = [f"These texts of the notice are missing: {missing}."] if missing else []
    if not person.is_draft or not (texts or person.gaps):
        return None
    return h.aside(".alert")[
        h.p["Draft"], h.p["Please settle this before you send the page:"], html.bullets([*person.gaps, *texts])
    ]


def not_complete(person: Person) -> Node:
    """Return what is not known, or not on the page, in words for the person."""
    points = [html.own_text(point) for point in _points(person)]
    if not points:
        return None
    return h.aside(".alert")[h.p["This answer is not complete"], html.bullets(points)]


def _points(person: Person) -> Iterator[str]:
    if person.assessment.are_pseudonyms:
        yield (
            "Our copy of the data names people by pseudonyms, so it does not show what we hold under the addresses of "
            "this page."
        )
    for standing in person.standings:
        if not (person.assessment.are_pseudonyms and standing.result is Result.NEVER_ASKED):
            yield from _points_of(standing)
    for kind in person.kinds:
        yield from _points_of_kind(kind, person)
    if person.missing:
        yield _missing_columns(words.STREAMS["lookups"], person.missing)


def _points_of(standing: Standing) -> Iterator[str]:
    address, later = standing.address, standing.later
    if standing.doubts:
        yield f"{address}: {_DOUBTFUL_BEFORE if standing.is_certain else _DOUBTFUL}"
    elif standing.is_elsewhere_only:
        yield f"{address}: {_ELSEWHERE_ONLY}"
    elif meaning := _UNKNOWN.get(standing.result):
        yield f"{address}: {meaning}"
    if later and later.at:
        yield (
            f"{address}: a later search, on {words.time(later.at)}, gave no answer ({words.status(later.status)}). "
            "This page shows the earlier one."
        )
    if standing.is_deleted_or_not_loaded and standing.answer:
        yield _deleted(address, sum(count or 0 for count in standing.answer.counts.values()))


def _deleted(address: str, counted: int) -> str:
    if not counted:
        return f"{address}: Gong found data. It is not on this page, because we no longer have a record of it."
    return words.plural(
        counted,
        "{address}: Gong named {number} entry. It is not on this page, because we no longer have a copy of it, or "
        "never kept one.",
        "{address}: Gong named {number} entries. They are not on this page, because we no longer have a copy of "
        "them, or never kept one.",
        address=address,
    )


_UNKNOWN: Final = {
    Result.REFUSED: "Gong refused to answer. Whether we hold anything there under this address is not known.",
    Result.NO_ANSWER: "there is no usable answer. Whether we hold anything in Gong under this address is not known.",
    Result.MALFORMED: "this is not an e-mail address, so Gong was not searched for it.",
    Result.NEVER_ASKED: "Gong was not searched for it. Whether we hold anything there under this address is not known.",
}
_ELSEWHERE_ONLY: Final = (
    "only another of Gong's servers was searched for it. Whether we hold anything on the one of this page is not known."
)
_DOUBTFUL: Final = (
    "our records of the search are incomplete or contradict each other, so they do not show for certain what we hold "
    "in Gong under this address."
)
_DOUBTFUL_BEFORE: Final = (
    "records of earlier searches are incomplete or contradict each other. The answer on this page is newer."
)


def _points_of_kind(kind: Kind, person: Person) -> Iterator[str]:
    stream = words.STREAMS[kind.stream]
    for shortfall in kind.shortfalls:
        if not person.standings[shortfall.place - 1].is_deleted_or_not_loaded:
            yield _missing_entries(kind.stream, shortfall)
    if kind.lacking:
        yield _missing_columns(stream, kind.lacking)
    if kind.unreadable:
        yield f"{stream}: our copy of {_names(kind.unreadable)} cannot be read, so it is not on this page."


def _missing_entries(stream: str, shortfall: Shortfall) -> str:
    loaded, address = words.number(shortfall.loaded), shortfall.address
    if shortfall.counted is None:
        return f"{words.STREAMS[stream]}: how many there are under {address} is not known. This page shows {loaded}."
    return f"Gong named {words.amount(stream, shortfall.counted)} under {address}. This page shows {loaded}."


def _missing_columns(stream: str, columns: Sequence[str]) -> str:
    return words.plural(
        len(columns),
        "{stream}: our copy does not have {names}, so it is not on this page.",
        "{stream}: our copy does not have {names}, so they are not on this page.",
        stream=stream,
        names=_names(columns),
    )


def _names(columns: Sequence[str]) -> str:
    return words.joined([f"“{words.COLUMNS[column]}”" for column in columns])
