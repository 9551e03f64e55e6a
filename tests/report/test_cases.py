"""What is said of an address: "nothing held" only where Gong has said so, and no answer hides behind a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.report.gaps import Gap, Reason
from tap_gong_privacy.report.model import Result
from tap_gong_privacy.report.rows.tables import STREAMS
from tests.report.building import ALL_TEXTS, GONG, JANE, Record, answer, at, entry, found, look_up, page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

OTHER_GONG = "https://us-2.api.gong.io"
OTHER = "Jane.Doe@example.com"
SOMEBODY = look_up("somebody@example.com", "not_found")
HASH = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"

CASES: dict[str, tuple[list[tuple[str, Record]], list[str], list[Result], list[Reason]]] = {
    "never asked": ([SOMEBODY], [JANE], [Result.NEVER_ASKED], [Reason.NEVER_ASKED]),
    "nothing held": ([look_up(JANE, "not_found")], [JANE], [Result.NOTHING_HELD], []),
    "data held": (found(JANE, emails=2), [JANE], [Result.DATA_HELD], []),
    "refused": ([look_up(JANE, "rejected")], [JANE], [Result.REFUSED], [Reason.REFUSED]),
    "failed": ([look_up(JANE, "failed")], [JANE], [Result.NO_ANSWER], [Reason.NO_ANSWER]),
    "malformed": ([look_up(JANE, "malformed")], [JANE], [Result.NEVER_ASKED], [Reason.MALFORMED]),
    "an unknown status": ([look_up(JANE, "parked")], [JANE], [Result.NO_ANSWER], [Reason.NO_ANSWER]),
    "failed after found": ([*found(JANE, emails=1), look_up(JANE, "failed", 1)], [JANE], [Result.DATA_HELD], []),
    "refused after nothing": (
        [look_up(JANE, "not_found"), look_up(JANE, "rejected", 1)],
        [JANE],
        [Result.NOTHING_HELD],
        [],
    ),
    "found, then not found": (
        [*found(JANE, emails=1), look_up(JANE, "not_found", 1)],
        [JANE],
        [Result.NOTHING_HELD],
        [],
    ),
    "not found, then found": (
        [look_up(JANE, "not_found"), *found(JANE, 1, emails=1)],
        [JANE],
        [Result.DATA_HELD],
        [],
    ),
    "two spellings, one never asked": (
        [look_up(JANE, "not_found")],
        [JANE, OTHER],
        [Result.NOTHING_HELD, Result.NEVER_ASKED],
        [Reason.NEVER_ASKED],
    ),
    "another case only": ([look_up(OTHER, "not_found")], [JANE], [Result.NEVER_ASKED], [Reason.NEVER_ASKED]),
    "rows deleted": ([look_up(JANE, "found", emails_count=3)], [JANE], [Result.DATA_HELD], [Reason.OTHER_COUNT]),
    "rows of an answer that has not been loaded": (
        [entry("emails", JANE, "1", 5), look_up(JANE, "not_found")],
        [JANE],
        [Result.NOTHING_HELD],
        [],
    ),
    "pseudonyms": ([look_up(HASH, "not_found")], [JANE], [Result.NEVER_ASKED], [Reason.NEVER_ASKED]),
    "two Gongs, held at the one asked first": (
        [*found(JANE, emails=1), look_up(JANE, "not_found", 1, api_url=OTHER_GONG)],
        [JANE],
        [Result.DATA_HELD, Result.NOTHING_HELD],
        [],
    ),
    "two Gongs, the second of which has failed": (
        [look_up(JANE, "not_found"), look_up(JANE, "failed", 1, api_url=OTHER_GONG)],
        [JANE],
        [Result.NOTHING_HELD, Result.NO_ANSWER],
        [Reason.NO_ANSWER],
    ),
    "a Gong that earlier versions did not name": (
        [
            *found(JANE, emails=1)[:-1],
            look_up(JANE, "found", api_url=None, emails_count=1),
            look_up(JANE, "not_found", 1),
        ],
        [JANE],
        [Result.NOTHING_HELD],
        [],
    ),
}


@pytest.mark.parametrize("records, addresses, results, reasons", CASES.values(), ids=CASES)
def test_each_case_has_its_result(
    records: list[tuple[str, Record]], addresses: Sequence[str], results: list[Result], reasons: list[Reason]
) -> None:
    """The result of each spelling, and why the answer is not complete where it is not."""
    answered = answer(records, addresses)

    assert [standing.result for standing in answered.standings] == results
    assert [gap.reason for gap in answered.gaps] == reasons


@pytest.mark.parametrize("records, addresses, results, reasons", CASES.values(), ids=CASES)
def test_the_page_says_nothing_held_only_where_gong_did(
    records: list[tuple[str, Record]], addresses: Sequence[str], results: list[Result], reasons: list[Reason]
) -> None:
    """What is not known is called so in the lead, in the overview and under each kind."""
    page = page_of(answer(records, addresses))
    in_short = page.tables[1][1:]

    assert ("Nothing held" in page.text) == (Result.NOTHING_HELD in results)
    assert ("This answer is not complete" in page.text) == bool(reasons)
    is_all_nothing = set(results) == {Result.NOTHING_HELD}
    assert ("it holds no entry" in page.text) == is_all_nothing
    if not set(results) <= {Result.NOTHING_HELD, Result.DATA_HELD}:
        assert "0" not in [row[1] for row in in_short]
        assert "Gong answered that it holds none." not in page.text


@pytest.mark.parametrize("status, words", [("failed", "no usable answer"), ("rejected", "refused by Gong")])
def test_both_outcomes_are_named(status: str, words: str) -> None:
    """The earlier answer with its time and request id, and the later outcome with its own."""
    page = page_of(answer([*found(JANE, emails=1), look_up(JANE, status, 1)]))
    line = " ".join(page.tables[0][1])

    assert "Data held" in line
    assert "1 March 2026, 09:00:00 UTC" in line
    assert "request-0" in line
    assert f"on 2 March 2026, 09:00:00 UTC, brought no new answer ({words})" in line


def test_only_rows_of_the_answer_that_counts_are_shown() -> None:
    """The page has neither rows that a later answer no longer reports nor those of other people."""
    records = [
        entry("emails", JANE, "gone", 0),
        entry("emails", "else@example.com", "not-hers", 1),
        entry("emails", JANE, "kept", 1),
        look_up(JANE, "found", 0, emails_count=2),
        look_up(JANE, "found", 1, emails_count=1),
    ]
    answered = answer(records)

    assert [row["id"] for row in answered.kinds[0].rows] == ["kept"]
    assert answered.gaps == []


def test_counts_that_do_not_reconcile_are_said_on_the_page() -> None:
    """By kind, with both numbers."""
    answered = answer([entry("calls", JANE, "1"), look_up(JANE, "found", calls_count=3)])

    assert answered.gaps == [Gap(Reason.OTHER_COUNT, (1,), 1, "calls", 3, 1)]
    page = page_of(answered)
    assert "Gong's answer has 3; this page has 1. It is not complete." in page.text
    assert "it holds 3 entries, 1 of which are on this page" in page.text
    assert ["Calls", "1 of 3"] in [row[:2] for row in page.tables[1]]


def test_an_answer_of_undocumented_data_alone_is_no_nothing() -> None:
    """The status is `found` although no kind has an entry."""
    page = page_of(answer([look_up(JANE, "found", undocumented={"voicemails": [1]})]))

    assert "it holds data of kinds that its documentation does not name" in page.text
    assert "Nothing held" not in page.text


def test_entries_that_were_not_counted_are_not_called_undocumented() -> None:
    """Without the counts, nothing says of which kind the data is."""
    counts = [f"{stream}_count" for stream in STREAMS]
    page = page_of(answer([look_up(JANE, "found", emails_count=2)], columns={"lookups": counts}))

    assert "it holds data of which no entry was loaded" in page.text
    assert "that its documentation does not name" not in page.text


@pytest.mark.parametrize(
    "others, sentence",
    [([], "and what it holds is not known."), ([OTHER], "and what it holds is not known in full.")],
)
def test_without_any_answer_nothing_is_known_even_in_part(others: list[str], sentence: str) -> None:
    """The first sentence says how much is known."""
    page = page_of(answer([look_up(JANE, "failed"), look_up(OTHER, "not_found")], [JANE, *others]))

    assert sentence in page.text


def test_kinds_without_a_time_say_so() -> None:
    """A reader who asks since when finds the days, or that Gong does not tell."""
    records = [
        entry("emails", JANE, "1", sent_time=at(2)),
        entry("calls", JANE, "1"),
        look_up(JANE, "found", emails_count=1, calls_count=1),
    ]
    emails, calls, meetings, *_ = page_of(answer(records)).tables[1][1:]

    assert emails[2].endswith("On 3 March 2026.")
    assert calls[2].endswith("Gong's answer has no field that says when they took place.")
    assert "no field" not in meetings[2]


@pytest.mark.parametrize("count, reasons", [(2, [Reason.STREAM_NOT_LOADED]), (0, []), (None, [Reason.UNKNOWN_COUNT])])
def test_a_deselected_stream_is_not_loaded_and_never_nothing(count: int | None, reasons: list[Reason]) -> None:
    """The page says so, with the number where `lookups` has it; only a counted zero is a zero."""
    answered = answer([look_up(JANE, "found", meetings_count=count)], without=["meetings"])
    page = page_of(answered)

    assert [gap.reason for gap in answered.gaps] == reasons
    assert "Not loaded: this kind was not selected when the data was fetched." in page.text
    assert ["Meetings", "not loaded"] in [row[:2] for row in page.tables[1]]
    assert ("Gong holds 2, which are not in here." in page.text) == (count == 2)


def test_a_deselected_column_is_not_loaded() -> None:
    """It is named, and its cells say so, not that there is no value."""
    page = page_of(answer(found(JANE, emails=1), columns={"emails": ["mailbox"]}))

    assert "Not loaded: “Found in the mailbox of”." in page.text
    assert page.tables[2][1][2] == "not loaded"


def test_a_deselected_column_of_the_look_ups_is_not_loaded() -> None:
    """What it would say is not known: no undocumented data is not nothing."""
    page = page_of(answer(found(JANE, emails=1), columns={"lookups": ["undocumented", "request_id", "emails_count"]}))

    assert "Not loaded: “Number of e-mails”, “Gong's request id” and “Beside the documentation”." in page.text
    assert "documentationWhether Gong holds any is not known" in page.text


def test_a_deselected_count_is_no_proof() -> None:
    """What cannot be compared does not count as complete."""
    answered = answer(found(JANE, emails=1), columns={"lookups": ["emails_count"]})

    assert [gap.reason for gap in answered.gaps] == [Reason.UNKNOWN_COUNT]


def test_tables_of_an_earlier_version_are_read() -> None:
    """Without `api_url` and `attempts` all else is as it was."""
    answered = answer(found(JANE, emails=1), columns={"lookups": ["api_url", "attempts"]})

    assert [standing.result for standing in answered.standings] == [Result.DATA_HELD]
    assert answered.gaps == []


def test_other_spellings_are_told() -> None:
    """Spellings that differ in case alone are counted, on the page too, and not taken for the one asked for."""
    answered = answer([*found(OTHER, emails=1), look_up(JANE, "not_found")])

    assert answered.other_spellings == 1
    assert "Gong was also asked about 1 spelling that differs" in page_of(answered).text


def test_pseudonyms_are_told() -> None:
    """The page says what to do, and the pseudonym itself finds the rows."""
    records = found(HASH, emails=1)

    assert "Give the pseudonym of each address in its place." in page_of(answer(records)).text
    by_pseudonym = answer(records, [HASH])
    assert by_pseudonym.entries == 1
    assert by_pseudonym.gaps == []
    assert "This answer is not complete" not in page_of(by_pseudonym).text


def test_two_gongs_are_named() -> None:
    """Each with its own line."""
    records, addresses, *_ = CASES["two Gongs, held at the one asked first"]
    page = page_of(answer(records, addresses))

    assert [row[-1] for row in page.tables[0]] == ["Which Gong", GONG, OTHER_GONG]


def test_a_spelling_that_was_asked_at_one_of_two_gongs_is_open_at_the_other() -> None:
    """Nobody has asked there."""
    records = [
        look_up(JANE, "not_found"),
        look_up(JANE, "not_found", 1, api_url=OTHER_GONG),
        look_up(OTHER, "not_found", 1),
    ]
    answered = answer(records, [JANE, OTHER])

    assert [gap.reason for gap in answered.gaps] == [Reason.NEVER_ASKED]


def test_missing_texts_stand_out() -> None:
    """Each on the page, and as a reason why it is not complete."""
    answered = answer([look_up(JANE, "not_found")], texts=ALL_TEXTS | {"purposes": "", "contact": ""})
    page = page_of(answered)

    assert answered.gaps == [Gap(Reason.TEXTS_MISSING, counted=2)]
    assert page.text.count("This text is missing.") == 2


def test_what_gong_sent_beside_its_documentation_is_an_entry_of_its_own() -> None:
    """That of the answer, and that of each record, with what it came with."""
    records = [
        entry("calls", JANE, "call-7", undocumented={"mood": "sunny"}),
        look_up(JANE, "found", calls_count=1, undocumented={"score": {"value": [1, 2]}}),
    ]
    page = page_of(answer(records))

    assert [[cell.split() for cell in row] for row in page.tables[-1][1:]] == [
        [["The", "answer", f"itself{JANE}"], ["scoreValue12"]],
        [["Callscall-7"], ["moodsunny"]],
    ]


def test_undocumented_content_that_is_no_object_is_shown() -> None:
    """Whatever a target or a map has made of the column."""
    records = [
        entry("calls", JANE, "call-7", undocumented="mood: sunny"),
        look_up(JANE, "found", calls_count=1, undocumented=["score", 7]),
    ]
    page = page_of(answer(records))

    assert [" ".join(row) for row in page.tables[-1][1:]] == [
        f"The answer itself{JANE} Beside the documentationscore7",
        "Callscall-7 Beside the documentationmood: sunny",
    ]


def test_newest_come_first() -> None:
    """E-mails without a time come last."""
    times = {"1": at(1), "2": at(3), "3": None, "4": at(2)}
    records = [entry("emails", JANE, key, sent_time=time) for key, time in times.items()]
    answered = answer([*records, look_up(JANE, "found", emails_count=4)])

    assert [row["id"] for row in answered.kinds[0].rows] == ["2", "4", "1", "3"]
