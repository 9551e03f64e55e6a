"""The evidence of an erasure: what each history of look-ups proves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.report import erasure
from tap_gong_privacy.report.erasure import Finding
from tap_gong_privacy.report.gaps import Reason
from tap_gong_privacy.report.pages import erasure as erasure_page
from tap_gong_privacy.report.rows.tables import STREAMS
from tests.report.building import DAY_0, GONG, JANE, NOW, Page, Record, load, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_gong_privacy.report.erasure import Erasure

OTHER_GONG = "https://us-2.api.gong.io"
ASKED_AT = DAY_0 + timedelta(days=10)
HELD = look_up(JANE, "found", 1, emails_count=4, calls_count=1)
GONE = look_up(JANE, "not_found", 20)

CASES: dict[str, tuple[list[tuple[str, Record]], Finding]] = {
    "held, then gone": ([HELD, GONE], Finding.ERASED),
    "gone, then held again": ([HELD, GONE, look_up(JANE, "found", 30, emails_count=1)], Finding.STILL_HELD),
    "held, then held": ([HELD, look_up(JANE, "found", 20, emails_count=1)], Finding.STILL_HELD),
    "held, then failed": ([HELD, look_up(JANE, "failed", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "held, then refused": ([HELD, look_up(JANE, "rejected", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "held": ([HELD], Finding.NOT_LOOKED_UP_SINCE),
    "held, gone, then failed": ([HELD, GONE, look_up(JANE, "failed", 21)], Finding.ERASED),
    "held at the very time, then gone": ([look_up(JANE, "found", 10, emails_count=1), GONE], Finding.ERASED),
    "gone at the very time": ([HELD, look_up(JANE, "not_found", 10)], Finding.NOT_LOOKED_UP_SINCE),
    "gone": ([GONE], Finding.NOTHING_KNOWN_BEFORE),
    "failed, then gone": ([look_up(JANE, "failed", 1), GONE], Finding.NOTHING_KNOWN_BEFORE),
    "nothing before either": ([HELD, look_up(JANE, "not_found", 2), GONE], Finding.NOTHING_KNOWN_BEFORE),
    "another person": ([HELD, look_up("else@example.com", "not_found", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "another spelling": ([HELD, look_up(JANE.upper(), "not_found", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "gone at another Gong": ([HELD, look_up(JANE, "not_found", 20, api_url=OTHER_GONG)], Finding.NOT_LOOKED_UP_SINCE),
    "held at another Gong after it": ([HELD, GONE, look_up(JANE, "found", 21, api_url=OTHER_GONG)], Finding.ERASED),
    "held before, where the Gong was not recorded": (
        [look_up(JANE, "found", 1, api_url=None, emails_count=1), GONE],
        Finding.ERASED,
    ),
    "gone, where the Gong was not recorded and two are known": (
        [
            HELD,
            look_up(JANE, "found", 2, emails_count=1, api_url=OTHER_GONG),
            look_up(JANE, "not_found", 20, api_url=None),
        ],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "undocumented data is still held": ([HELD, look_up(JANE, "found", 20, undocumented={"x": 1})], Finding.STILL_HELD),
}


def evidence(records: Sequence[tuple[str, Record]], addresses: Sequence[str] = (JANE,)) -> Erasure:
    """What the records prove."""
    return erasure.evidence(addresses, load([*records, look_up("x@example.org", "found")], addresses), ASKED_AT, NOW)


def page_of(found: Erasure) -> Page:
    """The page, taken apart."""
    return Page.of(b"".join(erasure_page.page(found, "0" * 64)).decode())


@pytest.mark.parametrize("records, finding", CASES.values(), ids=CASES)
def test_each_history_has_its_finding(records: list[tuple[str, Record]], finding: Finding) -> None:
    """In one word at the top of the page; only an answer since the request is complete."""
    found = evidence(records)

    assert found.finding is finding
    assert [gap.reason for gap in found.gaps] == ([Reason.NOT_SINCE] if finding is Finding.NOT_LOOKED_UP_SINCE else [])
    assert page_of(found).text.count("Erased") == 2 * (finding is Finding.ERASED)


def test_an_address_that_was_never_asked_is_open() -> None:
    """The page says that there is no look-up."""
    found = evidence([])

    assert [gap.reason for gap in found.gaps] == [Reason.NEVER_ASKED]
    assert "There is none: this address was never looked up." in page_of(found).text


def test_answers_of_another_gong_are_named_as_no_evidence() -> None:
    """In a table of their own, apart from those that count."""
    page = page_of(evidence([HELD, look_up(JANE, "not_found", 20, api_url=OTHER_GONG)]))
    before_and_after, here, elsewhere = page.tables

    assert before_and_after[1][2] == "no answer"
    assert [row[-1] for row in here[1:]] == [GONG]
    assert [row[-1] for row in elsewhere[1:]] == [OTHER_GONG]
    assert "they are no evidence about it" in page.text


def test_before_and_after_stand_side_by_side() -> None:
    """Time, status, HTTP status, request id, five counts and undocumented fields."""
    held = look_up(JANE, "found", 1, emails_count=4, undocumented={"mood": 1, "x@example.com": 2})
    page = page_of(evidence([held, GONE]))

    assert page.tables[0] == [
        ["Look-up", "Latest answer before", "Latest answer since"],
        ["Looked up", "2 March 2026, 09:00:00 UTC", "21 March 2026, 09:00:00 UTC"],
        ["Outcome", "data held", "nothing held"],
        ["HTTP status", "200", "200"],
        ["Gong's request id", "request-1", "request-20"],
        ["E-mails", "4", "0"],
        ["Calls", "0", "0"],
        ["Meetings", "0", "0"],
        ["Customer records", "0", "0"],
        ["Views and clicks", "0", "0"],
        ["Undocumented fields", "mood and 1 whose name is not shown", "none"],
    ]


def test_every_look_up_is_listed() -> None:
    """Failures too, oldest first."""
    page = page_of(evidence([GONE, look_up(JANE, "failed", 15, attempts=6), HELD]))

    assert [row[1:5] for row in page.tables[1][1:]] == [
        ["data held", "200", "1", "5"],
        ["no usable answer", "503", "6", "no answer"],
        ["nothing held", "200", "1", "0"],
    ]


def test_what_is_still_held_is_said() -> None:
    """In the sentence below the finding."""
    records = [look_up(JANE, "found", 20, emails_count=2, meetings_count=1, undocumented={"x": 1})]

    assert "still holds 2 e-mails, 1 meeting and undocumented data." in page_of(evidence(records)).text


def test_what_was_not_counted_is_not_called_undocumented() -> None:
    """Counts that were not loaded may stand for e-mails."""
    uncounted = dict.fromkeys((f"{stream}_count" for stream in STREAMS), None)
    page = page_of(evidence([HELD, look_up(JANE, "found", 20, **uncounted)]))

    assert "still holds data of kinds whose number was not loaded." in page.text
    assert "undocumented data" not in page.text


def test_an_answer_from_before_that_is_not_the_latest_is_not_denied() -> None:
    """Gong held data once, which was gone before the erasure was asked for."""
    page = page_of(evidence([HELD, look_up(JANE, "not_found", 2), GONE]))

    assert "Its latest answer from before the erasure was asked for, if there is one" in page.text
    assert "no answer from before" not in page.text


def test_several_addresses_have_the_finding_furthest_from_a_proof() -> None:
    """And each its own."""
    other = "jd@example.com"
    found = evidence([HELD, GONE, look_up(other, "found", 20, emails_count=1)], [JANE, other])
    page = page_of(found)

    assert found.finding is Finding.STILL_HELD
    assert [one.finding for one in found.evidence] == [Finding.ERASED, Finding.STILL_HELD]
    assert "Erased. Gong held data" in page.text
    assert "the finding furthest from a proof among 2 addresses" in page.text
