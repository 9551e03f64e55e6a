"""The one rule by which person, erasure and coverage judge the same rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report import model
from tap_gong_privacy.report.erasure import Finding
from tap_gong_privacy.report.look_ups import Doubt
from tap_gong_privacy.report.model import ANSWERED, Result
from tap_gong_privacy.report.rows.tables import Group
from tests.report.building import (
    DAY_0,
    GONG,
    JANE,
    NOW,
    OTHER_CASE,
    OWN_GONG,
    SOMEBODY,
    STREAMS,
    Records,
    answer,
    at_url,
    entry,
    evidence,
    found,
    load,
    look_up,
    page_of,
    survey,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

THIRD = look_up(SOMEBODY, "not_found")
FUTURE = 20_000
SHARED = "request-shared"

CASES: dict[str, tuple[Records, Result]] = {
    "never asked": ([], Result.NEVER_ASKED),
    "nothing held": ([look_up(JANE, "not_found")], Result.NOTHING_HELD),
    "data held": (found(JANE, emails=2), Result.DATA_HELD),
    "refused": ([look_up(JANE, "rejected")], Result.REFUSED),
    "failed": ([look_up(JANE, "failed")], Result.NO_ANSWER),
    "malformed": ([look_up(JANE, "malformed")], Result.MALFORMED),
    "failed after refused": ([look_up(JANE, "rejected"), look_up(JANE, "failed", 1)], Result.NO_ANSWER),
    "failed after found": ([*found(JANE, emails=1), look_up(JANE, "failed", 1)], Result.DATA_HELD),
    "refused after nothing": ([look_up(JANE, "not_found"), look_up(JANE, "rejected", 1)], Result.NOTHING_HELD),
    "found, then not found": ([*found(JANE, emails=1), look_up(JANE, "not_found", 1)], Result.NOTHING_HELD),
    "not found, then found": ([look_up(JANE, "not_found"), *found(JANE, 1, emails=1)], Result.DATA_HELD),
    "another case only": ([look_up(OTHER_CASE, "not_found")], Result.NEVER_ASKED),
    "another person only": ([look_up("else@example.com", "found")], Result.NEVER_ASKED),
    "no base URL": ([look_up(JANE, "not_found", api_url=None)], Result.NOTHING_HELD),
    "a base URL spelt otherwise": ([look_up(JANE, "not_found", api_url="HTTPS://API.Gong.io/")], Result.NOTHING_HELD),
    "looked up twice with one answer": ([look_up(JANE, "not_found"), look_up(JANE, "not_found")], Result.NOTHING_HELD),
}
DOUBTS: dict[str, tuple[Records, Result, set[Doubt]]] = {
    "rows of a load under way": (
        [look_up(JANE, "not_found"), entry("emails", JANE, "e9", 1)],
        Result.NO_ANSWER,
        {Doubt.UNEXPLAINED},
    ),
    "rows of a load under way, found before": (
        [*found(JANE, emails=1), entry("emails", JANE, "e9", 1)],
        Result.DATA_HELD,
        {Doubt.UNEXPLAINED},
    ),
    "rows without any look-up": ([entry("calls", JANE, "c1")], Result.NO_ANSWER, {Doubt.UNEXPLAINED}),
    "rows of an old load that broke off": (
        [entry("emails", JANE, "e1"), look_up(JANE, "not_found", 1)],
        Result.NOTHING_HELD,
        {Doubt.UNEXPLAINED},
    ),
    "rows between an answer and a failure": (
        [look_up(JANE, "not_found"), entry("emails", JANE, "e1", 1), look_up(JANE, "failed", 2)],
        Result.NO_ANSWER,
        {Doubt.UNEXPLAINED},
    ),
    "rows without a time": (
        [look_up(JANE, "not_found"), entry("emails", JANE, "e1", looked_up_at=None)],
        Result.NO_ANSWER,
        {Doubt.UNEXPLAINED},
    ),
    "rows of an old load, and some without a time": (
        [
            entry("emails", JANE, "e0"),
            look_up(JANE, "not_found", 1),
            entry("emails", JANE, "e1", looked_up_at=None),
        ],
        Result.NO_ANSWER,
        {Doubt.UNEXPLAINED},
    ),
    "rows of an answer that found nothing": (
        [look_up(JANE, "not_found"), entry("emails", JANE, "e1")],
        Result.NO_ANSWER,
        {Doubt.UNEXPLAINED},
    ),
    "more rows than are counted": (
        [*found(JANE, emails=2)[:-1], look_up(JANE, "found", emails_count=1)],
        Result.DATA_HELD,
        {Doubt.TOO_MANY},
    ),
    "a look-up in the future": ([look_up(JANE, "not_found", FUTURE)], Result.NO_ANSWER, {Doubt.FUTURE}),
    "a look-up in the future, found before": (
        [*found(JANE, 1, emails=1), look_up(JANE, "not_found", FUTURE)],
        Result.DATA_HELD,
        {Doubt.FUTURE},
    ),
    "a look-up in the future, nothing before": (
        [look_up(JANE, "not_found"), look_up(JANE, "found", FUTURE)],
        Result.NO_ANSWER,
        {Doubt.FUTURE},
    ),
    "not found with counts": ([look_up(JANE, "not_found", emails_count=3)], Result.NO_ANSWER, {Doubt.NOT_EMPTY}),
    "not found with undocumented content": (
        [look_up(JANE, "not_found", undocumented={"texts": [{"id": 1}]})],
        Result.NO_ANSWER,
        {Doubt.NOT_EMPTY},
    ),
    "not found with another HTTP status": (
        [look_up(JANE, "not_found", http_status=500)],
        Result.NO_ANSWER,
        {Doubt.NOT_EMPTY},
    ),
    "not found without a count": (
        [look_up(JANE, "not_found", calls_count=None)],
        Result.NO_ANSWER,
        {Doubt.INCOMPLETE},
    ),
    "not found without an HTTP status": (
        [look_up(JANE, "not_found", http_status=None)],
        Result.NO_ANSWER,
        {Doubt.INCOMPLETE},
    ),
    "not found, which contradicts itself, after found": (
        [*found(JANE, emails=1), look_up(JANE, "not_found", 1, emails_count=3)],
        Result.DATA_HELD,
        {Doubt.NOT_EMPTY},
    ),
    "an unknown status": ([look_up(JANE, "FOUND")], Result.NO_ANSWER, {Doubt.STATUS}),
    "an unknown status after nothing": (
        [look_up(JANE, "not_found"), look_up(JANE, "FOUND", 1)],
        Result.NO_ANSWER,
        {Doubt.STATUS},
    ),
    "no status": ([look_up(JANE, "not_found"), look_up(JANE, "", 1, status=None)], Result.NO_ANSWER, {Doubt.STATUS}),
    "an empty status": ([look_up(JANE, "")], Result.NO_ANSWER, {Doubt.STATUS}),
    "an unknown status before nothing": (
        [look_up(JANE, "FOUND"), look_up(JANE, "not_found", 1)],
        Result.NOTHING_HELD,
        {Doubt.STATUS},
    ),
    "no time": ([look_up(JANE, "not_found", looked_up_at=None)], Result.NO_ANSWER, {Doubt.NO_TIME}),
    "two answers at one instant": (
        [*found(JANE, emails=0), look_up(JANE, "not_found")],
        Result.NO_ANSWER,
        {Doubt.TWO_ANSWERS},
    ),
    "two answers at one instant, nothing before": (
        [look_up(JANE, "not_found"), look_up(JANE, "not_found", 1), look_up(JANE, "found", 1, emails_count=1)],
        Result.NO_ANSWER,
        {Doubt.TWO_ANSWERS},
    ),
    "two answers at one instant, found before": (
        [*found(JANE, emails=1), look_up(JANE, "not_found", 1), look_up(JANE, "found", 1, emails_count=1)],
        Result.NO_ANSWER,
        {Doubt.TWO_ANSWERS},
    ),
    "two answers at one instant, nothing later": (
        [look_up(JANE, "not_found"), look_up(JANE, "found", emails_count=1), look_up(JANE, "not_found", 1)],
        Result.NOTHING_HELD,
        {Doubt.TWO_ANSWERS},
    ),
    "a request id of somebody else, found before": (
        [
            *found(JANE, emails=1),
            look_up(JANE, "not_found", 1, request_id=SHARED),
            look_up("else@example.org", "found", 3, request_id=SHARED),
        ],
        Result.NO_ANSWER,
        {Doubt.SHARED},
    ),
    "a request id of somebody else": (
        [look_up(JANE, "not_found", request_id=SHARED), look_up("else@example.org", "found", 3, request_id=SHARED)],
        Result.NO_ANSWER,
        {Doubt.SHARED},
    ),
}


def three_results(records: Records, addresses: Sequence[str] = (JANE,), **options: Any) -> set[tuple[Result, ...]]:  # noqa: ANN401
    """The results that the three reports give; there is one if they agree."""
    options = {"api_urls": [GONG]} | options
    reports = (
        answer(records, addresses, **options).assessment,
        evidence(records, addresses, **options).assessment,
        survey(records, addresses, **options).assessment,
    )
    return {tuple(standing.result for standing in report.standings) for report in reports}


@pytest.mark.parametrize("records, result", CASES.values(), ids=CASES)
def test_each_history_has_one_result(records: Records, result: Result) -> None:
    """In all three reports; only an answer makes an address complete."""
    answered = answer([*records, THIRD])

    assert three_results([*records, THIRD]) == {(result,)}
    is_answered = result in ANSWERED and not answered.standings[0].later
    assert bool(answered.gaps) == (not is_answered)
    assert bool(survey([*records, THIRD]).gaps) == (result not in ANSWERED)


@pytest.mark.parametrize("records, result, doubts", DOUBTS.values(), ids=DOUBTS)
def test_rows_that_contradict_a_look_up_are_named(records: Records, result: Result, doubts: set[Doubt]) -> None:
    """Each report is incomplete and says why in one line; nothing better than "no answer" rests on such rows."""
    rows = [*records, THIRD]
    # `--from` keeps one row of a key, so what only a table without a key can hold is judged without that reader.
    if Doubt.TWO_ANSWERS in doubts or Doubt.NO_TIME in doubts:
        standing = unkeyed(rows)
        assert (standing.result, set(standing.doubts)) == (result, doubts)
        return
    reports = (answer(rows), evidence(rows, asked_at=DAY_0 - timedelta(days=1)), survey(rows))

    assert three_results(rows) == {(result,)}
    for report in reports:
        assert [gap for gap in report.gaps if gap.endswith(tuple(doubt.value for doubt in doubts))]
        assert set(report.assessment.standings[0].doubts) == doubts
        assert any(doubt.value in page_of(report).text for doubt in doubts) == (report is not reports[0])
    assert evidence(rows).finding not in {Finding.ERASED, Finding.ERASED_IN_PART} or result is Result.NOTHING_HELD


def unkeyed(records: Records) -> model.Standing:
    """What is known about Jane, if the table has no key and so holds each of these look-ups."""
    rows = [dict(record) for stream, record in records if stream == "lookups"]
    for row in rows:
        row["looked_up_at"] = row["looked_up_at"] and datetime.fromisoformat(row["looked_up_at"])
    groups = [Group("emails", JANE, DAY_0, 0, is_explained=True)]
    return model.assess([JANE], replace(load([THIRD]), look_ups=rows, groups=groups), [], NOW).standings[0]


def test_counts_of_an_answer_that_were_not_loaded_make_it_incomplete() -> None:
    """Without them nothing shows that nothing is held, nor that all of it is here."""
    nothing = answer([look_up(JANE, "not_found")], columns={"lookups": ["emails_count"]})
    something = answer(found(JANE, emails=1), columns={"lookups": ["emails_count"]})

    assert [standing.result for standing in nothing.standings] == [Result.NO_ANSWER]
    assert [standing.result for standing in something.standings] == [Result.DATA_HELD]
    assert nothing.gaps
    assert [gap for gap in something.gaps if "no count of emails" in gap]


def test_older_contradictions_are_named_as_such() -> None:
    """A newer answer settles what is held now; the rows still contradict each other."""
    records = [look_up(JANE, "not_found", emails_count=1), *found(JANE, 1, emails=1)]
    answered = answer(records)
    (gap,) = answered.gaps

    assert three_results(records) == {(Result.DATA_HELD,)}
    assert gap.startswith(
        "Address 1 of 1: among rows that are older than the answer, a look-up has the status not_found"
    )
    assert "we hold 1 entry about you" in page_of(answered).text
    assert f"{JANE}: records of earlier searches are incomplete or contradict each other." in page_of(answered).text


def test_newer_contradictions_leave_no_number_certain() -> None:
    """The page shows what it has, and calls it no more than that."""
    page = page_of(answer([*found(JANE, emails=1), entry("emails", JANE, "e9", 1)]))

    assert "we hold data about you" in page.text
    assert "1 entry is on this page" in page.text
    assert f"{JANE}: our records of the search are incomplete or contradict each other" in page.text
    assert "We hold none." not in page.text


# One Gong


TWO_URLS = [
    *found(JANE, emails=2),
    *at_url(OWN_GONG, found(JANE, 1, emails=2)),
]
MOVED = [*found(JANE, emails=1), look_up(JANE, "not_found", 20, api_url=OWN_GONG)]


def test_one_gong_under_two_base_urls_has_to_be_named() -> None:
    """The line names both URLs, and the option that says which is meant."""
    for report in (answer, evidence):
        with pytest.raises(ConfigError, match=rf"{GONG} {OWN_GONG}\. Give --api-url"):
            report(TWO_URLS)


def test_two_base_urls_of_one_gong_are_one() -> None:
    """The latest answer counts; nothing is held twice, and nothing is missing."""
    answered = answer(TWO_URLS, api_urls=[GONG, OWN_GONG])

    assert (answered.entries, answered.gaps) == (2, [])
    assert "we hold 2 entries about you" in page_of(answered).text
    moved = answer(MOVED, api_urls=[OWN_GONG, GONG + "/"])
    assert [standing.result for standing in moved.standings] == [Result.NOTHING_HELD]
    assert evidence(MOVED, api_urls=[OWN_GONG, GONG]).finding is Finding.ERASED


def test_look_ups_at_another_gong_count_for_nothing_and_are_counted() -> None:
    """The page says how many there are, and where."""
    answered = answer(MOVED, api_urls=[GONG])
    page = page_of(answered)

    assert [standing.result for standing in answered.standings] == [Result.DATA_HELD]
    assert f"Another of Gong's servers, {OWN_GONG}, was searched 1 time." in page.text
    elsewhere = answer([look_up(JANE, "not_found", api_url=OWN_GONG), THIRD], api_urls=[GONG])
    assert [standing.result for standing in elsewhere.standings] == [Result.NEVER_ASKED]
    assert [gap for gap in elsewhere.gaps if "under another api_url only" in gap]


def test_rows_that_do_not_name_the_gong_count_and_the_page_says_so() -> None:
    """The column may not have been selected."""
    for report in (answer, evidence, survey):
        made = report([*found(JANE, emails=1)], columns={"lookups": ["api_url"]})
        assert [standing.result for standing in made.assessment.standings] == [Result.DATA_HELD]
        assert "not say which" in page_of(made).text or "not recorded" in page_of(made).text


# Other spellings


@pytest.mark.parametrize(
    "given, other",
    [
        (JANE, OTHER_CASE),
        ("jos\N{LATIN SMALL LETTER E WITH ACUTE}@b.example", "jose\N{COMBINING ACUTE ACCENT}@b.example"),
        ("stra\N{LATIN SMALL LETTER SHARP S}e@b.example", "STRASSE@b.example"),
        (JANE, "jane.doe+news@example.com"),
        ("jane.doe+a@example.com", JANE),
        (JANE, f"{JANE} "),
    ],
)
def test_other_spellings_in_the_tables_are_named(given: str, other: str) -> None:
    """How many, on every page. Only the coverage says which, among all that are not on its list."""
    records = [look_up(given, "not_found"), look_up(other, "not_found"), entry("emails", other.upper(), "1"), THIRD]
    for report in (answer, evidence, survey):
        made = report(records, [given])
        assert len(made.assessment.others) == (1 if other.upper() in {given, other} else 2)
        assert "other spelling" in page_of(made).text
        if other.strip() != given:
            assert (other in page_of(made).text) == (report is survey)


def test_addresses_of_other_people_are_no_spellings() -> None:
    """Neither of another domain, nor with other letters."""
    others = ["jane.doe@example.org", "ane.doe@example.com", "jane@doe.example.com"]

    assert answer([look_up(JANE, "not_found"), *(look_up(one, "found") for one in others)]).assessment.others == []


# Pseudonyms

HASH = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"


@pytest.mark.parametrize("before", [[], [look_up(JANE, "not_found")]])
def test_pseudonyms_are_noticed_as_soon_as_the_newest_rows_have_them(before: Records) -> None:
    """Old rows in clear hide nothing: each report is incomplete, and its page says what to do."""
    records = [*before, *found(HASH, 1, emails=1)]
    for report in (answer, evidence, survey):
        made = report(records)
        assert made.gaps[0] == model.PSEUDONYMS
        assert "pseudonym" in page_of(made).text
    by_pseudonym = answer(records, [HASH])
    assert (by_pseudonym.entries, by_pseudonym.gaps) == (1, [])


def test_malformed_entries_are_no_pseudonyms() -> None:
    """They have no at sign either."""
    records = [look_up(JANE, "not_found"), look_up("Jane Doe", "malformed", 1)]

    assert answer(records).gaps == []


# The three agree

ADDRESSES = (JANE, OTHER_CASE, "pat@example.org")
TIMES = st.sampled_from([0, 1, 2, 3, 9, 11, FUTURE])
STATUSES = st.sampled_from(["found", "not_found", "rejected", "failed", "malformed", "parked", None])
COUNTS = st.sampled_from([0, 0, 0, 1, 2, None])
ROWS = st.lists(
    st.one_of(
        st.builds(
            lambda address, status, day, columns: look_up(address, "", day, status=status, **columns),
            st.sampled_from(ADDRESSES),
            STATUSES,
            TIMES,
            st.fixed_dictionaries(
                {f"{stream}_count": COUNTS for stream in STREAMS},
                optional={
                    "api_url": st.sampled_from([GONG, OWN_GONG, None]),
                    "http_status": st.sampled_from([200, 500, None]),
                    "undocumented": st.sampled_from([None, {}, {"texts": 1}]),
                    "request_id": st.sampled_from(["a", "b", None]),
                },
            ),
        ),
        st.builds(
            entry,
            st.sampled_from(STREAMS),
            st.sampled_from(ADDRESSES),
            st.sampled_from(["1", "2"]),
            TIMES,
        ),
    ),
    max_size=14,
)
BETTER = {Finding.ERASED, Finding.ERASED_IN_PART, Finding.NOTHING_KNOWN_BEFORE}


@given(ROWS, st.sets(st.sampled_from(STREAMS)), st.sampled_from([[GONG], [GONG, OWN_GONG]]))
def test_the_three_reports_agree(records: Records, without: set[str], api_urls: list[str]) -> None:
    """Whatever the rows: one result per address, counts that add up, and nothing good said about doubtful rows."""
    rows = [*records, THIRD]
    options: dict[str, Any] = {"without": without, "api_urls": api_urls}
    answered = answer(rows, ADDRESSES, **options)
    proven = evidence(rows, ADDRESSES, **options)
    surveyed = survey(rows, ADDRESSES, **options)

    assert len(three_results(rows, ADDRESSES, **options)) == 1
    assert sum(surveyed.results.values()) == len(ADDRESSES)
    assert surveyed.answered == sum(standing.result in ANSWERED for standing in answered.standings)
    for standing, one in zip(answered.standings, proven.evidence, strict=True):
        if standing.result is not Result.NOTHING_HELD and not (one.after and one.after.holds_something):
            assert one.finding not in BETTER
        if standing.doubts:
            assert answered.gaps
            assert proven.gaps
            assert surveyed.gaps
    if not answered.gaps:
        # Each answer's own counts are those of its rows, and the page shows every row once.
        for kind in answered.kinds:
            counts = [s.answer.counts[kind.stream] or 0 for s in answered.standings if s.answer]
            spellings = [row["found_under"] for row in kind.entries]
            assert sum(map(len, spellings)) == sum(counts)  # type: ignore[arg-type]  # they are lists
