"""The coverage of the list: who has an answer, how old it is, and who has none."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gong_privacy.report import coverage
from tap_gong_privacy.report.model import Result
from tap_gong_privacy.round.addresses import Entry
from tests.report.building import DAY_0, GONG, JANE, NOW, OWN_GONG, Records, found, look_up, page_of, survey

SOMEBODY = look_up("somebody@example.org", "not_found")
DAYS = (NOW - DAY_0) / timedelta(days=1)


def read_csv(surveyed: coverage.Coverage) -> list[dict[str, str]]:
    """The rows of `coverage.csv`."""
    return list(csv.DictReader(io.StringIO(coverage.as_csv(surveyed).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "records, result, reason",
    [
        (found(JANE, emails=1), Result.DATA_HELD, None),
        ([look_up(JANE, "not_found")], Result.NOTHING_HELD, None),
        ([*found(JANE, emails=1), look_up(JANE, "failed", 1)], Result.DATA_HELD, None),
        ([look_up(JANE, "rejected")], Result.REFUSED, "refused by Gong"),
        ([look_up(JANE, "rejected"), look_up(JANE, "failed", 1)], Result.NO_ANSWER, "no answer that counts"),
        ([look_up(JANE, "malformed")], Result.MALFORMED, "not an e-mail address"),
        ([], Result.NEVER_ASKED, "never asked"),
        ([look_up(JANE.upper(), "found")], Result.NEVER_ASKED, "never asked"),
        ([look_up(JANE, "found", api_url=OWN_GONG)], Result.NEVER_ASKED, "under another api_url only"),
        ([look_up(JANE, "not_found", api_url=None)], Result.NOTHING_HELD, None),
        (
            [look_up(JANE, "not_found", api_url=None), look_up(JANE, "found", 1, api_url=OWN_GONG)],
            Result.NOTHING_HELD,
            None,
        ),
        ([look_up(JANE, "not_found", api_url="HTTPS://API.gong.io/")], Result.NOTHING_HELD, None),
    ],
)
def test_each_address_has_its_result(records: Records, result: Result, reason: str | None) -> None:
    """The latest answer of the Gong that the tap asks, else the latest outcome; by the same name everywhere."""
    surveyed = survey([*records, SOMEBODY])

    assert [line.result for line in surveyed.lines] == [result]
    assert [gap.split(":")[0] for gap in surveyed.gaps] == (["Address 1 of 1"] if reason else [])
    assert all(reason in gap for gap in surveyed.gaps if reason)
    assert surveyed.answered == (reason is None)
    assert [row["result"] for row in read_csv(surveyed)] == [result.value]


def test_other_names_of_the_taps_gong_can_be_given() -> None:
    """The config names one; look-ups from before it was changed have the other."""
    records = [look_up(JANE, "not_found", api_url=GONG), SOMEBODY]

    assert survey(records, api_url=OWN_GONG).answered == 0
    assert read_csv(survey(records, api_url=OWN_GONG))[0]["remark"] == "looked up under another api_url only"
    assert survey(records, api_url=OWN_GONG, api_urls=[GONG]).answered == 1


def test_a_malformed_entry_of_the_list_is_malformed() -> None:
    """No look-up has to say so."""
    surveyed = survey([SOMEBODY], [Entry("jane", is_malformed=True), JANE])

    assert [line.result for line in surveyed.lines] == [Result.MALFORMED, Result.NEVER_ASKED]
    assert [row["result"] for row in read_csv(surveyed)] == ["malformed", "never asked"]


def test_the_page_shows_who_is_open_and_what_was_not_renewed() -> None:
    """One row each, with what is known; answers that a failure followed are named with both."""
    refused = look_up("r@example.com", "rejected", 2, request_id="r-2")
    records = [*found(JANE, emails=1), look_up(JANE, "failed", 1), refused, SOMEBODY]
    page = page_of(survey(records, [JANE, "r@example.com", "n@example.com"]))
    _, open_, later, evidence_only = page.tables

    assert open_[1:] == [
        ["2", "r@example.com", "Refused", "3 March 2026, 09:00:00 UTC", "400", "r-2"],
        ["3", "n@example.com", "Never asked", "never", "no value", "no value"],
    ]
    assert later[1:] == [
        ["1", JANE, "Data held", "1 March 2026, 09:00:00 UTC", "2 March 2026, 09:00:00 UTC (no usable answer)"]
    ]
    assert evidence_only[1:] == [["somebody@example.org"]]


def test_people_of_another_list_and_evidence_kept_on_purpose_are_named_neutrally() -> None:
    """Data is told from evidence alone, and nobody is invited to delete either."""
    records = [look_up(JANE, "not_found"), *found("listed.elsewhere@example.com", emails=1), SOMEBODY]
    page = page_of(survey(records))

    assert [table[1:] for table in page.tables[1:]] == [[["listed.elsewhere@example.com"]], [["somebody@example.org"]]]
    assert "Another list may have them." in page.text
    assert not re.search("delete them|no longer|any more", page.text)


def test_an_empty_list_is_no_success() -> None:
    """Nobody was asked, because nobody is listed."""
    page = page_of(survey([SOMEBODY], []))

    assert "The tap's list holds no address, so nobody is asked." in page.text
    assert "0 of 0 addresses have an answer" in page.text


def test_the_results_are_counted_and_drawn() -> None:
    """As a table, and as a bar whose description has the numbers too."""
    listed = [JANE, "a@example.com", "b@example.com", "c@example.com"]
    records = [*found(JANE, emails=1), look_up("a@example.com", "not_found"), look_up("b@example.com", "not_found")]
    page = page_of(survey(records, listed))

    assert [row[:2] for row in page.tables[0][1:]] == [
        ["Data held", "1"],
        ["Nothing held", "2"],
        ["Refused", "0"],
        ["No answer", "0"],
        ["Malformed", "0"],
        ["Never asked", "1"],
    ]
    assert "Data held: 1, Nothing held: 2 and Never asked: 1" in page.attributes("aria-label")


@pytest.mark.parametrize(
    "age, group", [(0, 0), (1, 0), (1.01, 1), (7, 1), (8, 2), (30, 2), (31, 3), (90, 3), (91, 4), (365, 4), (366, 5)]
)
def test_answers_are_grouped_by_age(age: float, group: int) -> None:
    """Each in one group, and the first sentence names the oldest."""
    surveyed = survey([look_up(JANE, "not_found", DAYS - age), SOMEBODY])

    assert [index for index, number in enumerate(surveyed.ages) if number] == [group]
    assert "The oldest answer dates from " in page_of(surveyed).text


def test_older_answers_than_allowed_do_not_count() -> None:
    """They are a group of their own, the CSV file says so, and the list is not covered."""
    old, new = look_up(JANE, "not_found", DAYS - 91), look_up("a@example.com", "not_found", DAYS - 89)
    surveyed = survey([old, new], [JANE, "a@example.com"], oldest_allowed=timedelta(days=90))
    page = page_of(surveyed)

    assert surveyed.answered == 1
    assert [gap for gap in surveyed.gaps if gap.startswith("Address 1 of 2: the answer is older")]
    assert ["Answer too old", "1"] in [row[:2] for row in page.tables[0]]
    assert "Answer too old: 1" in page.attributes("aria-label")[-2 if len(page.attributes("aria-label")) > 1 else 0]
    assert [(row["result"], row["remark"]) for row in read_csv(surveyed)] == [
        ("nothing held", "answer too old"),
        ("nothing held", ""),
    ]
    assert survey([old, new], [JANE, "a@example.com"]).gaps == []


def test_entries_that_are_missing_are_said_in_one_line() -> None:
    """They were deleted or not loaded; the answers count all the same."""
    surveyed = survey([look_up(JANE, "found", emails_count=5), SOMEBODY])

    assert surveyed.gaps == []
    assert "For 1 address, the tables hold fewer entries than its answer counts" in page_of(surveyed).text


def test_the_file_says_what_the_result_does_not() -> None:
    """A remark in words, so that a filter finds each kind."""
    later = [*found("a@example.com", 0, emails=1), look_up("a@example.com", "failed", 1)]
    fewer = [look_up("b@example.com", "found", emails_count=2)]
    elsewhere = [look_up("c@example.com", "found", api_url=OWN_GONG)]
    surveyed = survey([*later, *fewer, *elsewhere], ["a@example.com", "b@example.com", "c@example.com", JANE])

    assert [row["remark"] for row in read_csv(surveyed)] == [
        "a later look-up brought no answer",
        "entries are missing",
        "looked up under another api_url only",
        "",
    ]


def test_look_ups_at_another_gong_are_told() -> None:
    """They count neither for nor against the list."""
    records = [look_up(JANE, "not_found"), look_up(JANE, "found", 1, api_url=OWN_GONG)]

    assert f"Look-ups of 1 address under {OWN_GONG} are not counted here." in page_of(survey(records)).text


def test_at_most_a_thousand_rows_of_a_group_are_on_the_page() -> None:
    """The rest is a number; `coverage.csv` has every address of the list."""
    listed = [f"person{number}@example.com" for number in range(1500)]
    surveyed = survey([SOMEBODY], listed)
    page = page_of(surveyed)

    assert len(page.tables[1]) == 1001
    assert "500 more are in coverage.csv" in page.text
    assert [row["email_address"] for row in read_csv(surveyed)] == listed


SIGNS = "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
SEPARATORS = ",;\t|\r\n"


@given(
    st.lists(
        st.text(st.sampled_from(SIGNS + SEPARATORS + "'\"a \N{ZERO WIDTH SPACE}\ufeff"), min_size=1, max_size=12),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_no_cell_can_start_a_formula(texts: list[str]) -> None:
    """Also where a spreadsheet splits at `;`, a tab or a bar; each row is still one row of as many cells."""
    addresses = [text.strip() or "x" for text in dict.fromkeys(texts)]
    records = [look_up(address, "not_found", request_id=f"{address}#{n}") for n, address in enumerate(addresses)]
    written = coverage.as_csv(survey([*records, SOMEBODY], list(dict.fromkeys(addresses)))).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(written, newline="")))

    assert [len(row) for row in rows] == [len(coverage.HEADER)] * (len(set(addresses)) + 1)
    pieces = [piece for row in rows for cell in row for piece in re.split(f"[{SEPARATORS}]", cell)]
    invisible = "\N{ZERO WIDTH SPACE}\ufeff "
    assert not [piece for piece in pieces if piece.strip(invisible).startswith(tuple(SIGNS))]


def test_the_csv_is_utf_8_for_a_spreadsheet() -> None:
    """It begins with a byte order mark, so that Excel reads its letters right."""
    written = coverage.as_csv(survey([SOMEBODY], ["ren\N{LATIN SMALL LETTER E WITH ACUTE}e@example.com"]))

    assert written.startswith(b"\xef\xbb\xbfplace,email_address,result,answered_at,")
    assert "renée@example.com".encode() in written
