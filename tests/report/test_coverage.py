"""The coverage of the list: who has an answer, how old it is, and who has none."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gong_privacy.report import coverage
from tap_gong_privacy.report.coverage import Outcome
from tap_gong_privacy.report.gaps import Reason
from tap_gong_privacy.report.listing import Listing
from tap_gong_privacy.report.pages import coverage as coverage_page
from tap_gong_privacy.round.addresses import Entry
from tests.report.building import DAY_0, GONG, JANE, NOW, Page, Record, load, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tap_gong_privacy.report.coverage import Coverage

OTHER_GONG = "https://us-2.api.gong.io"
SOMEBODY = look_up("somebody@example.com", "not_found")


def survey(
    records: Sequence[tuple[str, Record]], *entries: Entry, api_url: str = GONG, made_at: datetime = NOW
) -> Coverage:
    """The list compared with the records."""
    listing = Listing(entries or (Entry(JANE),), api_url)
    return coverage.survey(listing, load([*records, SOMEBODY], None), made_at)


def page_of(surveyed: Coverage) -> Page:
    """The page, taken apart."""
    return Page.of(b"".join(coverage_page.page(surveyed)).decode())


@pytest.mark.parametrize(
    "records, outcome, reason",
    [
        ([look_up(JANE, "found")], Outcome.FOUND, None),
        ([look_up(JANE, "not_found")], Outcome.NOT_FOUND, None),
        ([look_up(JANE, "found"), look_up(JANE, "failed", 1)], Outcome.FOUND, None),
        ([look_up(JANE, "found"), look_up(JANE, "not_found", 1)], Outcome.NOT_FOUND, None),
        ([look_up(JANE, "rejected")], Outcome.REJECTED, Reason.REFUSED),
        ([look_up(JANE, "rejected"), look_up(JANE, "failed", 1)], Outcome.FAILED, Reason.NO_ANSWER),
        ([look_up(JANE, "malformed")], Outcome.MALFORMED, Reason.MALFORMED),
        ([], Outcome.NEVER_ASKED, Reason.NEVER_ASKED),
        ([look_up(JANE.upper(), "found")], Outcome.NEVER_ASKED, Reason.NEVER_ASKED),
        ([look_up(JANE, "found", api_url=OTHER_GONG)], Outcome.NEVER_ASKED, Reason.ASKED_ELSEWHERE),
        ([look_up(JANE, "found", api_url=None)], Outcome.FOUND, None),
        ([look_up(JANE, "found", api_url=None), look_up(JANE, "failed", 1)], Outcome.FOUND, None),
        (
            [look_up(JANE, "found", api_url=None), look_up(JANE, "found", 1, api_url=OTHER_GONG)],
            Outcome.NEVER_ASKED,
            Reason.ASKED_ELSEWHERE,
        ),
        ([look_up(JANE, "found", api_url="HTTPS://API.gong.io/")], Outcome.FOUND, None),
    ],
)
def test_each_address_has_its_outcome(
    records: list[tuple[str, Record]], outcome: Outcome, reason: Reason | None
) -> None:
    """The latest answer of the Gong that the tap asks; else the latest outcome, which leaves the list open."""
    surveyed = survey(records)

    assert [line.outcome for line in surveyed.lines] == [outcome]
    assert [gap.reason for gap in surveyed.gaps] == ([reason] if reason else [])
    assert surveyed.answered == (reason is None)


def test_a_malformed_entry_of_the_list_is_malformed() -> None:
    """No look-up has to say so."""
    surveyed = survey([], Entry("jane", is_malformed=True))

    assert [line.outcome for line in surveyed.lines] == [Outcome.MALFORMED]


def test_the_page_shows_who_is_open_and_what_was_not_renewed() -> None:
    """One row each, with what is known; answers that a failure followed are named with both."""
    records = [look_up(JANE, "found"), look_up(JANE, "failed", 1), look_up("r@example.com", "rejected", 2)]
    page = page_of(survey(records, Entry(JANE), Entry("r@example.com"), Entry("n@example.com")))
    _, open_, later, no_longer = page.tables

    assert open_[1:] == [
        ["2", "r@example.com", "Refused", "3 March 2026, 09:00:00 UTC", "400", "request-2"],
        ["3", "n@example.com", "Never asked", "never", "no value", "no value"],
    ]
    assert later[1:] == [
        ["1", JANE, "Data held", "1 March 2026, 09:00:00 UTC", "2 March 2026, 09:00:00 UTC (no usable answer)"]
    ]
    assert no_longer[1:] == [["somebody@example.com"]]


def test_an_empty_list_is_no_success() -> None:
    """Nobody was asked, since nobody is listed."""
    page = page_of(coverage.survey(Listing((), GONG), load([SOMEBODY], None), NOW))

    assert "The tap's list holds no address, so that nobody is asked." in page.text
    assert "Gong has answered about every address" not in page.text


def test_the_outcomes_are_counted_and_drawn() -> None:
    """As a table, and as a bar whose description has the numbers too."""
    records = [look_up(JANE, "found"), look_up("a@example.com", "not_found"), look_up("b@example.com", "not_found")]
    page = page_of(survey(records, Entry(JANE), Entry("a@example.com"), Entry("b@example.com"), Entry("c@example.com")))

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
    "age, group",
    [(0, 0), (1, 0), (1.01, 1), (7, 1), (8, 2), (30, 2), (31, 3), (90, 3), (91, 4), (365, 4), (366, 5), (-1, 0)],
)
def test_answers_are_grouped_by_age(age: float, group: int) -> None:
    """Each in one group; a clock that is behind makes none older."""
    surveyed = survey([look_up(JANE, "found")], made_at=DAY_0 + timedelta(days=age))

    assert [index for index, count in enumerate(surveyed.ages) if count] == [group]


def test_look_ups_at_another_gong_and_streams_that_were_not_loaded_are_told() -> None:
    """Neither counts for or against the list."""
    records = [look_up(JANE, "found"), look_up(JANE, "found", api_url=OTHER_GONG)]
    loaded = load(records, None, without=["calls"])
    page = page_of(coverage.survey(Listing((Entry(JANE),), GONG), loaded, NOW))

    assert f"Look-ups at another Gong than {GONG} do not count here." in page.text
    assert "Not loaded: Calls." in page.text


def test_pseudonyms_are_told() -> None:
    """Nobody of the list is in the tables, for a reason."""
    loaded = load([look_up("5e884898da28", "found")], None)
    surveyed = coverage.survey(Listing((Entry(JANE),), GONG), loaded, NOW)

    assert "loaded with pseudonyms" in page_of(surveyed).text


@given(st.lists(st.tuples(st.sampled_from("=+-@\t\r\n'\"a,;|"), st.text(max_size=8)), min_size=1, max_size=4))
def test_no_cell_can_start_a_formula(parts: list[tuple[str, str]]) -> None:
    """Whatever an address or a request id begins with; each row is still one row of as many cells."""
    addresses = list(dict.fromkeys(first + rest.replace("\0", "") for first, rest in parts))
    records = [look_up(address, "found", request_id=address) for address in addresses]
    written = coverage.as_csv(survey(records, *map(Entry, addresses))).decode()
    rows = list(csv.reader(io.StringIO(written, newline="")))

    assert [len(row) for row in rows] == [len(coverage.HEADER)] * (len(addresses) + 1)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert [row[1].removeprefix("'") for row in rows[1:]] == [address.removeprefix("'") for address in addresses]
