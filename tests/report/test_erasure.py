"""The evidence of an erasure: what each history of look-ups proves."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tap_gong_privacy.report import erasure
from tap_gong_privacy.report.erasure import Finding
from tap_gong_privacy.report.request import Request
from tests.report.building import (
    GONG,
    JANE,
    OTHER_CASE,
    OWN_GONG,
    STREAMS,
    Records,
    entry,
    evidence,
    found,
    look_up,
    page_of,
)

SOMEBODY = look_up("x@example.org", "not_found")
HELD = look_up(JANE, "found", 1, emails_count=4, calls_count=1, meetings_count=1)
GONE = look_up(JANE, "not_found", 20)
LEFT = {"meetings_count": 1, "customer_engagement_count": 2}
# Half a day after the asking, which is on day 10.
SOON = 10.5

CASES: dict[str, tuple[Records, Finding]] = {
    "held, then gone": ([HELD, GONE], Finding.ERASED),
    "held, gone soon": ([HELD, look_up(JANE, "not_found", SOON)], Finding.ERASED),
    "held, gone before the asking, gone": ([HELD, look_up(JANE, "not_found", 2), GONE], Finding.ERASED),
    "gone, then held again": ([HELD, GONE, look_up(JANE, "found", 30, emails_count=1)], Finding.STILL_HELD),
    "held, then held": ([HELD, look_up(JANE, "found", 20, emails_count=1)], Finding.STILL_HELD),
    "held, then held soon": ([HELD, look_up(JANE, "found", SOON, emails_count=1)], Finding.TOO_EARLY),
    "held, then held almost a day later": ([HELD, look_up(JANE, "found", 10.99, calls_count=1)], Finding.TOO_EARLY),
    "held, then held a day later": ([HELD, look_up(JANE, "found", 11, calls_count=1)], Finding.STILL_HELD),
    "held, then undocumented data": ([HELD, look_up(JANE, "found", 20, undocumented={"x": 1})], Finding.STILL_HELD),
    "held, then meetings and undocumented data": (
        [HELD, look_up(JANE, "found", 20, **LEFT, undocumented={"x": 1})],
        Finding.STILL_HELD,
    ),
    "held, then records": ([HELD, look_up(JANE, "found", 20, **LEFT, customer_data_count=1)], Finding.STILL_HELD),
    "held, then what is not counted": ([HELD, look_up(JANE, "found", 20)], Finding.STILL_HELD),
    "held, then an unknown number": ([HELD, look_up(JANE, "found", 20, emails_count=None)], Finding.STILL_HELD),
    "held, then meetings and events": ([HELD, look_up(JANE, "found", 20, **LEFT)], Finding.ERASED_IN_PART),
    "held, then meetings soon": ([HELD, look_up(JANE, "found", SOON, **LEFT)], Finding.ERASED_IN_PART),
    "meetings, then meetings": (
        [look_up(JANE, "found", 1, **LEFT), look_up(JANE, "found", 20, **LEFT)],
        Finding.STILL_HELD,
    ),
    "then meetings": ([look_up(JANE, "found", 20, **LEFT)], Finding.STILL_HELD),
    "then meetings soon": ([look_up(JANE, "found", SOON, **LEFT)], Finding.TOO_EARLY),
    "held, then failed": ([HELD, look_up(JANE, "failed", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "held, then refused": ([HELD, look_up(JANE, "rejected", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "held": ([HELD], Finding.NOT_LOOKED_UP_SINCE),
    "nobody asked": ([], Finding.NOT_LOOKED_UP_SINCE),
    "held, gone, then failed": ([HELD, GONE, look_up(JANE, "failed", 21)], Finding.ERASED),
    "held at the very time, then gone": ([look_up(JANE, "found", 10, emails_count=1), GONE], Finding.ERASED),
    "gone at the very time": ([HELD, look_up(JANE, "not_found", 10)], Finding.NOT_LOOKED_UP_SINCE),
    "gone": ([GONE], Finding.NOTHING_KNOWN_BEFORE),
    "failed, then gone": ([look_up(JANE, "failed", 1), GONE], Finding.NOTHING_KNOWN_BEFORE),
    "nothing before, then gone": ([look_up(JANE, "not_found", 2), GONE], Finding.NOTHING_KNOWN_BEFORE),
    "held by another person": ([HELD, look_up("else@example.com", "not_found", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "gone for another spelling": ([HELD, look_up(OTHER_CASE, "not_found", 20)], Finding.NOT_LOOKED_UP_SINCE),
    "held, gone, rows of a load under way": (
        [HELD, GONE, entry("emails", JANE, "e9", 21)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, meetings left, rows of a load under way": (
        [HELD, look_up(JANE, "found", 20, **LEFT), entry("emails", JANE, "e9", 21)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, still held, rows of a load under way": (
        [HELD, look_up(JANE, "found", 20, calls_count=1), entry("emails", JANE, "e9", 21)],
        Finding.STILL_HELD,
    ),
    "held, meetings counted, e-mails loaded": (
        [HELD, look_up(JANE, "found", 20, **LEFT), entry("emails", JANE, "e9", 20)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, gone in the future": ([HELD, look_up(JANE, "not_found", 20_000)], Finding.NOT_LOOKED_UP_SINCE),
    "held, gone in the future, held": (
        [HELD, look_up(JANE, "not_found", 20_000), look_up(JANE, "found", 20, emails_count=1)],
        Finding.STILL_HELD,
    ),
    "held, then not found with counts": (
        [HELD, look_up(JANE, "not_found", 20, emails_count=3)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, then not found with content": (
        [HELD, look_up(JANE, "not_found", 20, undocumented={"texts": [{"id": 1}]})],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, then not found by a failure": (
        [HELD, look_up(JANE, "not_found", 20, http_status=500)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, gone, then a status of another tool": (
        [HELD, GONE, look_up(JANE, "FOUND", 21)],
        Finding.NOT_LOOKED_UP_SINCE,
    ),
    "held, meetings left before the asking, meetings left": (
        [HELD, look_up(JANE, "found", 2, **LEFT), look_up(JANE, "found", 20, **LEFT)],
        Finding.ERASED_IN_PART,
    ),
    "held, gone before the asking, meetings left": (
        [HELD, look_up(JANE, "not_found", 2), look_up(JANE, "found", 20, **LEFT)],
        Finding.ERASED_IN_PART,
    ),
    "held, then data without a trace": ([HELD, look_up(JANE, "found", 20, undocumented={})], Finding.STILL_HELD),
    "an unsound answer before, then gone": (
        [look_up(JANE, "not_found", 1, emails_count=2), GONE],
        Finding.NOTHING_KNOWN_BEFORE,
    ),
}


@pytest.mark.parametrize("records, finding", CASES.values(), ids=CASES)
def test_each_history_has_its_finding(records: Records, finding: Finding) -> None:
    """In the largest letters of the page, and in words that are the same in the JSON file and in SQL."""
    found_ = evidence([*records, SOMEBODY])
    text = page_of(found_).text

    assert found_.finding is finding
    assert finding.value.lower() in text.lower()
    assert json.loads(erasure.as_json(found_))["finding"] == finding.value
    if finding is Finding.NOT_LOOKED_UP_SINCE:
        assert found_.gaps
    for other in set(Finding) - {finding, Finding.ERASED}:
        assert other.value not in text.lower()


def test_lookups_with_three_columns_prove_nothing() -> None:
    """Without counts and the HTTP status, "not found" is a word."""
    kept = {"email_address", "looked_up_at", "status"}
    dropped = {name for name in HELD[1] if name not in kept}
    found_ = evidence([HELD, GONE], columns={"lookups": dropped})

    assert found_.finding is Finding.NOT_LOOKED_UP_SINCE
    assert found_.gaps


def test_an_address_that_was_never_asked_is_open() -> None:
    """The page says that there is no look-up."""
    found_ = evidence([SOMEBODY])

    assert [gap for gap in found_.gaps if "never asked" in gap]
    assert "There is none: this address was never looked up." in page_of(found_).text


@pytest.mark.parametrize(
    "days, words", [(10 + 3 / 86_400, "3 seconds"), (10 + 2 / 24, "2 hours"), (10.9, "21 hours"), (20, "10 days")]
)
def test_the_first_sentence_says_how_long_after_the_asking_the_answer_came(days: float, words: str) -> None:
    """Three seconds prove something else than ten days."""
    page = page_of(evidence([HELD, look_up(JANE, "found", days, emails_count=1)]))

    assert f"Gong answered {words} after the erasure was asked for that it still holds 1 e-mail." in page.text


@pytest.mark.parametrize(
    "before, sentence",
    [
        ([], "There is no answer from before that counts, so nothing shows that anything was erased."),
        (
            [look_up(JANE, "not_found", 1)],
            "The answers from before held nothing either, so they do not show that anything was erased.",
        ),
    ],
)
def test_the_page_says_which_of_the_two_is_known_from_before(before: Records, sentence: str) -> None:
    """No answer, or none that held anything."""
    assert sentence in page_of(evidence([*before, GONE])).text


def test_what_was_gone_before_the_asking_is_not_ascribed_to_it() -> None:
    """The page names the earlier answer, and shows the one that held data."""
    page = page_of(evidence([HELD, look_up(JANE, "not_found", 2), GONE]))

    assert "On 3 March 2026, 09:00:00 UTC, before the erasure was asked for, it already held nothing" in page.text
    assert page.tables[0][0][1:3] == ["Answer before that held more", "Latest answer before"]
    assert page.tables[0][1][1:3] == ["2 March 2026, 09:00:00 UTC", "3 March 2026, 09:00:00 UTC"]


def test_what_was_left_before_the_asking_is_said() -> None:
    """Meetings alone were left before; that they are left now is not the work of the erasure."""
    found_ = evidence([HELD, look_up(JANE, "found", 2, **LEFT), look_up(JANE, "found", 20, **LEFT)])
    page = page_of(found_)

    assert (
        "before the erasure was asked for, it already held nothing but 1 meeting and 2 views and clicks, and it "
        "answered 10 days after it that it holds 1 meeting and 2 views and clicks, and nothing else." in page.text
    )
    assert [row["class"] for tag, row in page.tags if tag == "p" and "finding" in (row.get("class") or "")] == [
        "finding open"
    ]


@pytest.mark.parametrize(
    "records, sentence",
    [
        (
            [HELD, GONE, look_up(JANE, "found", 30, emails_count=1)],
            "On 21 March 2026, 09:00:00 UTC, Gong held nothing about this address, and it answered 20 days after",
        ),
        (
            [HELD, look_up(JANE, "found", 20, **LEFT), look_up(JANE, "found", 30, emails_count=1)],
            "Gong held nothing of what its documentation names as erased about this address",
        ),
        (
            [look_up(JANE, "not_found", 1), look_up(JANE, "found", 20, emails_count=1)],
            "On 2 March 2026, 09:00:00 UTC, Gong held nothing about this address",
        ),
        (
            [look_up(JANE, "found", 20, emails_count=1)],
            "that it holds 1 e-mail. There is no answer from before that counts.",
        ),
        (
            [HELD, look_up(JANE, "found", 20, undocumented={})],
            "still holds data of which nothing is recorded any more.",
        ),
        (
            [HELD, GONE, look_up(JANE, "failed", 25)],
            "A later look-up, on 26 March 2026, 09:00:00 UTC, brought no answer.",
        ),
    ],
)
def test_the_sentence_says_what_came_before(records: Records, sentence: str) -> None:
    """It says "still" only if the answer before held it, too."""
    assert sentence in page_of(evidence(records)).text


def test_undocumented_fields_that_were_not_loaded_are_not_called_none() -> None:
    """Neither on the page nor in the JSON file, and the evidence is not complete."""
    found_ = evidence([HELD, GONE], columns={"lookups": ["undocumented"]})
    before = json.loads(erasure.as_json(found_))["addresses"][0]["before"]

    assert found_.gaps == [
        "The stream lookups was loaded without undocumented. Select what is missing, and load again."
    ]
    assert page_of(found_).tables[0][-1] == ["Undocumented fields", "not loaded", "not loaded"]
    assert (before["undocumented_fields"], before["undocumented_fields_not_named"]) == (None, None)


def test_request_ids_are_spoken_of_only_if_there_are_any() -> None:
    """The column may not have been selected."""
    assert "Gong can find each one by its request id." in page_of(evidence([HELD, GONE])).text
    without = evidence([HELD, GONE], columns={"lookups": ["request_id"]})
    assert "by its request id" not in page_of(without).text


def test_other_spellings_in_doubt_are_not_taken_for_erased() -> None:
    """Rows that no look-up explains may be data."""
    doubtful = evidence([HELD, GONE, entry("emails", OTHER_CASE, "e1", 20)])

    assert [gap for gap in doubtful.gaps if gap.startswith("Data is held, or may be held, under 1 other spelling")]


def test_data_at_another_base_url_after_the_asking_is_no_erasure() -> None:
    """The first sentence names it, and so does a line of the command."""
    elsewhere = look_up(JANE, "found", 21, api_url=OWN_GONG, emails_count=1)
    found_ = evidence([HELD, GONE, elsewhere], api_urls=[GONG])
    before = evidence([HELD, GONE, look_up(JANE, "found", 5, api_url=OWN_GONG)], api_urls=[GONG])
    page = page_of(found_)

    assert found_.finding is Finding.STILL_HELD
    assert f"a look-up under {OWN_GONG} found data about this address" in page.text
    assert [
        gap
        for gap in found_.gaps
        if "a look-up under another api_url found data since the erasure was asked for" in gap
    ]
    assert [row[-1] for row in page.tables[-1][1:]] == [OWN_GONG]
    assert (before.finding, before.gaps) == (Finding.ERASED, [])


def test_other_spellings_that_still_hold_data_are_no_complete_evidence() -> None:
    """How many there are is said; the finding is about the given ones."""
    held = evidence([HELD, GONE, *found(OTHER_CASE, 20, emails=1)])
    gone = evidence([HELD, GONE, look_up(OTHER_CASE, "not_found", 20)])

    assert held.finding is Finding.ERASED
    assert [gap for gap in held.gaps if gap.startswith("Data is held, or may be held, under 1 other spelling")]
    assert "1 other spelling" in page_of(gone).text
    assert gone.gaps == []


def test_before_and_after_stand_side_by_side() -> None:
    """Time, result, HTTP status, request id, five counts and undocumented fields."""
    held = look_up(JANE, "found", 1, emails_count=4, undocumented={"mood": 1, "x@example.com": 2}, request_id="r-1")
    page = page_of(evidence([held, look_up(JANE, "not_found", 20, request_id="r-20")]))

    assert page.tables[0] == [
        ["Look-up", "Latest answer before", "Latest answer since"],
        ["Looked up", "2 March 2026, 09:00:00 UTC", "21 March 2026, 09:00:00 UTC"],
        ["Result", "data held", "nothing held"],
        ["HTTP status", "200", "200"],
        ["Gong's request id", "r-1", "r-20"],
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
        ["data held", "200", "1", "6"],
        ["no usable answer", "503", "6", "no answer"],
        ["nothing held", "200", "1", "0"],
    ]


def test_what_is_still_held_is_said() -> None:
    """In the sentence below the finding; what an erasure should remove comes first."""
    records = [HELD, look_up(JANE, "found", 20, emails_count=2, meetings_count=1, undocumented={"x": 1})]

    assert "still holds 2 e-mails, 1 meeting and undocumented data." in page_of(evidence(records)).text


def test_what_was_not_counted_is_not_called_undocumented() -> None:
    """Counts that were not loaded may stand for e-mails."""
    uncounted = dict.fromkeys((f"{stream}_count" for stream in STREAMS), None)
    page = page_of(evidence([HELD, look_up(JANE, "found", 20, **uncounted)]))

    assert "still holds data of kinds whose number was not loaded." in page.text
    assert "undocumented data" not in page.text


def test_several_addresses_have_the_weakest_finding() -> None:
    """And each its own."""
    other = "jd@example.com"
    found_ = evidence([HELD, GONE, look_up(other, "found", 20, emails_count=1)], [JANE, other])
    page = page_of(found_)

    assert found_.finding is Finding.STILL_HELD
    assert [one.finding for one in found_.evidence] == [Finding.ERASED, Finding.STILL_HELD]
    assert "Erased. Gong held data" in page.text
    assert "The weakest result of 2 addresses." in page.text


def test_the_page_says_who_stated_the_time_and_which_erasure_it_was() -> None:
    """Gong's id of the erasure and the controller's own number are in the page and in the JSON file."""
    found_ = replace(
        evidence([HELD, GONE]), request=Request("DSAR-17", "2026-03-05"), request_ids=("4al018gzaztcr8nbukw",)
    )
    page, rows = page_of(found_), json.loads(erasure.as_json(found_))

    for text in ("as stated by who made this page", "4al018gzaztcr8nbukw", "DSAR-17", "5 March 2026"):
        assert text in page.text
    assert (rows["reference"], rows["received"]) == ("DSAR-17", "2026-03-05")
    assert rows["erasure_request_ids"] == ["4al018gzaztcr8nbukw"]
    assert rows["made_by"].startswith("tap-gong-privacy ")


def test_an_address_in_a_request_id_or_a_status_is_masked() -> None:
    """Nothing of anybody but the address that was asked about is in the evidence."""
    bad = look_up(JANE, "victim@other.example", 3, request_id="victim@other.example")
    found_ = evidence([HELD, bad, GONE])

    assert "victim@" not in page_of(found_).text
    assert b"victim@" not in erasure.as_json(found_)


def test_an_answer_under_another_base_url_is_no_evidence() -> None:
    """It counts neither for nor against an erasure, if it found nothing."""
    elsewhere = look_up(JANE, "not_found", 20, api_url=OWN_GONG)

    assert evidence([HELD, elsewhere], api_urls=[GONG]).finding is Finding.NOT_LOOKED_UP_SINCE
