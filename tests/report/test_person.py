"""The answer for a person: every entry once, counts that are compared, and nothing said that is not so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tap_gong_privacy.report import person
from tap_gong_privacy.report.model import Result
from tap_gong_privacy.report.notice import Notice
from tap_gong_privacy.report.request import Request
from tap_gong_privacy.report.rows.masking import Masker
from tests.report.building import (
    COMPLETE,
    JANE,
    NOW,
    OTHER_CASE,
    STREAMS,
    Record,
    Records,
    answer,
    at,
    entry,
    found,
    look_up,
    page_of,
)

NOTHING = [look_up(JANE, "not_found")]
REFUSED = [look_up(JANE, "rejected")]
NINE = {"emails": 4, "calls": 2, "meetings": 1, "customer_data": 1, "customer_engagement": 1}


def as_json(answered: person.Person) -> dict[str, Any]:
    """The JSON file of an answer."""
    content: dict[str, Any] = json.loads(b"".join(person.as_json(answered)))
    return content


# One entry once


def test_one_entry_under_two_spellings_is_one_entry() -> None:
    """Gong may take two spellings for one: the page says what is held, and not twice that."""
    answered = answer([*found(JANE, **NINE), *found(OTHER_CASE, 1, **NINE)], [JANE, OTHER_CASE])
    page = page_of(answered)

    assert (answered.entries, answered.gaps) == (9, [])
    assert "we hold 9 entries about you" in page.text
    assert [row[1] for row in page.tables[1][1:]] == ["4", "2", "1", "1", "1"]
    emails = as_json(answered)["entries"]["emails"]
    assert [email["found_under"] for email in emails] == [[JANE, OTHER_CASE]] * 4
    assert "email_address" not in emails[0]
    assert page.text.count(f"Found under {JANE} and {OTHER_CASE}.") == len(STREAMS)


def test_entries_of_two_spellings_that_differ_are_two() -> None:
    """In their key, or in anything else that Gong sent."""
    records = [
        entry("emails", JANE, "1", mailbox="a@example.org"),
        entry("emails", OTHER_CASE, "1", mailbox="b@example.org"),
        entry("emails", OTHER_CASE, "2", mailbox="a@example.org"),
        look_up(JANE, "found", emails_count=1),
        look_up(OTHER_CASE, "found", emails_count=2),
    ]
    answered = answer(records, [JANE, OTHER_CASE])

    assert (answered.entries, answered.gaps) == (3, [])


def test_counts_are_judged_per_look_up() -> None:
    """An entry that is missing under one spelling is missing, although the other has it."""
    records = [*found(JANE, emails=2), *found(OTHER_CASE, emails=2)[1:]]
    answered = answer(records, [JANE, OTHER_CASE])

    assert answered.entries == 2
    assert [gap.split(":")[0] for gap in answered.gaps] == ["Address 2 of 2"]
    assert f"Gong named 2 e-mails under {OTHER_CASE}. This page shows 1." in page_of(answered).text


# Counts


@pytest.mark.parametrize("rows, reason", [(1, "the tables hold 1"), (3, "more rows than the answer counts")])
def test_an_answer_with_other_counts_than_rows_is_not_complete(rows: int, reason: str) -> None:
    """Too few or too many: the line says how many there are."""
    records = [*found(JANE, emails=rows)[:-1], look_up(JANE, "found", emails_count=2)]
    answered = answer(records)

    assert any(reason in gap for gap in answered.gaps)
    assert as_json(answered)["is_complete"] is False
    assert "we hold data about you" in page_of(answered).text


def test_deleted_entries_are_not_called_missing_alone() -> None:
    """Both explanations are named, and loading again is not advised as the only way."""
    answered = answer([look_up(JANE, "found", emails_count=2, calls_count=1)])
    (gap,) = answered.gaps

    assert (
        "counts 3 entries, and none of that is in the tables: they were deleted from this database, or not loaded"
        in gap
    )
    assert "only if nothing was deleted on purpose" in gap
    assert f"{JANE}: Gong named 3 entries. They are not on this page" in page_of(answered).text


def test_an_answer_without_a_trace_is_not_taken_for_undocumented_data() -> None:
    """After the deletion of a person's data, the row says that something was found, and nothing of what that was."""
    answered = answer([look_up(JANE, "found", undocumented={})])
    (gap,) = answered.gaps
    page = page_of(answered)

    assert "found data that its row does not name, and none of that is in the tables" in gap
    assert f"{JANE}: Gong found data. It is not on this page, because we no longer have a record of it." in page.text
    assert "documentation does not describe" not in page.text


@pytest.mark.parametrize("count, is_complete", [(0, True), (2, False)])
def test_a_deselected_stream_is_not_loaded(count: int, is_complete: bool) -> None:  # noqa: FBT001
    """It is incomplete exactly if the answer counts entries there."""
    records = [entry("emails", JANE, "1"), look_up(JANE, "found", emails_count=1, meetings_count=count)]
    answered = answer(records, without=["meetings"])
    page = page_of(answered)

    assert bool(answered.gaps) != is_complete
    assert ("of meetings, which was not loaded" in " ".join(answered.gaps)) != is_complete
    assert (
        "Gong named 2 meetings. Our copy does not have them, so they are not on this page." in page.text
    ) != is_complete
    assert as_json(answered)["not_loaded"]["streams"] == ["meetings"]


@pytest.mark.parametrize(
    "stream, column", [("emails", "from"), ("emails", "mailbox"), ("emails", "undocumented"), ("calls", "status")]
)
def test_a_documented_column_that_was_not_loaded_makes_the_answer_incomplete(stream: str, column: str) -> None:
    """The line names it by its key, the page by its title, and no cell says that there is no value."""
    answered = answer(found(JANE, **{stream: 1}), columns={stream: [column]})

    assert answered.gaps == [
        f"The stream {stream} was loaded without {column}. Select what is missing, and load again."
    ]
    assert "our copy does not have “" in page_of(answered).text
    assert ("not in our copy" in page_of(answered).text) == (column != "undocumented")
    assert ("Whether Gong sent more is not known" in page_of(answered).text) == (column == "undocumented")
    assert as_json(answered)["not_loaded"] == {"streams": [], "columns": {stream: [column]}}


def test_columns_of_streams_without_entries_do_not_matter() -> None:
    """Nothing is missing where nothing is."""
    assert answer(NOTHING, columns={"emails": ["from"], "calls": ["status"]}).gaps == []


@pytest.mark.parametrize("column", ["undocumented", "request_id"])
def test_a_column_of_the_look_ups_that_was_not_loaded_makes_the_answer_incomplete(column: str) -> None:
    """An answer may hold data of kinds that the documentation does not name."""
    answered = answer(found(JANE, emails=1), columns={"lookups": [column]})

    assert answered.gaps == [f"The stream lookups was loaded without {column}. Select what is missing, and load again."]


def test_rows_without_times_are_not_taken_for_current() -> None:
    """After two look-ups nothing says which rows are of the latest."""
    records = [*found(JANE, emails=2), look_up(JANE, "found", 1, emails_count=2)]

    assert answer(records, columns={"emails": ["looked_up_at"]}).gaps


def test_what_is_not_stored_as_json_is_not_shown_as_program_text() -> None:
    """Some targets store lists as they are written in Python."""
    text = "[{'system': 'HubSpot', 'objects': []}]"
    records = [entry("calls", JANE, "1", external_systems=text), look_up(JANE, "found", calls_count=1)]
    answered = answer(records)
    page = page_of(answered)

    assert [gap for gap in answered.gaps if "calls has lists or objects in external_systems" in gap]
    assert "HubSpot" not in page.text
    assert "cannot be shown, because it is not stored as JSON" in page.text
    assert text.encode() not in b"".join(person.as_json(answered))


def test_an_answer_that_a_later_look_up_did_not_renew_is_not_complete() -> None:
    """It may be out of date; the page names both."""
    answered = answer([*found(JANE, emails=1), look_up(JANE, "failed", 1)])

    assert [gap for gap in answered.gaps if "a later look-up brought no answer" in gap]
    assert (
        f"{JANE}: a later search, on 2 March 2026, 09:00:00 UTC, gave no answer (no usable answer)."
        in page_of(answered).text
    )


# What the page says first


@pytest.mark.parametrize(
    "records, sentence",
    [
        (
            found(JANE, emails=1),
            f"we hold 1 entry about you under {JANE}, as of 1 March 2026, 92 days before this page",
        ),
        (found(JANE, emails=1200), "we hold 1,200 entries about you"),
        (
            NOTHING,
            f"we searched for {JANE} and hold nothing about you, as of 1 March 2026, 92 days before this page was",
        ),
        (REFUSED, f"Whether we hold anything about you under {JANE} in Gong"),
        ([look_up(JANE, "found", undocumented={"x": 1})], "we hold data about you"),
        ([*NOTHING, entry("emails", JANE, "9", 1)], "Whether we hold anything about you"),
    ],
)
def test_the_first_sentence_says_how_much_is_held_and_how_old_that_is(records: Records, sentence: str) -> None:
    """One sentence: what Gong is to the company, what was asked, how many entries are held."""
    page = page_of(
        answer(records, texts=replace(COMPLETE, texts={**COMPLETE.texts, "controller": "Example Corp. Inc."}))
    )

    assert sentence in page.text
    assert "a service for recording and analysing calls, meetings and e-mails that Example Corp. Inc. uses" in page.text
    assert "What Example Corp. Inc. holds about you in Gong" in page.text


@pytest.mark.parametrize(
    "controller", ["", "One long line that holds the name, the address and the representative, " * 2]
)
def test_what_is_no_name_is_not_taken_for_one(controller: str) -> None:
    """The title speaks of this company, then."""
    texts = replace(COMPLETE, texts={**COMPLETE.texts, "controller": controller})

    assert "What this company holds about you in Gong" in page_of(answer(NOTHING, texts=texts)).text


@pytest.mark.parametrize(
    "records, addresses, result",
    [
        (NOTHING, [JANE], "nothing held"),
        (REFUSED, [JANE], "refused"),
        ([*NOTHING, look_up(OTHER_CASE, "failed")], [JANE, OTHER_CASE], "no answer"),
    ],
)
def test_an_answer_without_data_is_one_short_page(records: Records, addresses: list[str], result: str) -> None:
    """The sentence, what was asked, whom to ask, and what it does not cover."""
    texts = Notice(texts={**dict.fromkeys(COMPLETE.texts, "OTHER TEXT"), "searched": "We also searched the CRM."})
    page = page_of(answer(records, addresses, texts=texts))

    assert [attributes["id"] for tag, attributes in page.tags if tag == "h2"] == ["asked", "law", "not-said"]
    assert page.text.count("OTHER TEXT") == 3 * len(["title, in the window too, and first sentence", "texts"])
    assert "We also searched the CRM." in page.text
    assert "Article 15" not in page.text
    assert result in as_json(answer(records, addresses))["look_ups"][-1]["result"]


@pytest.mark.parametrize(
    "records, owed",
    [
        (NOTHING, ["controller", "contact", "complaint"]),
        (REFUSED, ["controller", "contact", "complaint"]),
        (
            found(JANE, emails=1),
            [key for key in COMPLETE.texts if key not in {"legal_basis", "searched"}],
        ),
    ],
)
def test_only_the_texts_that_are_owed_are_asked_for(records: Records, owed: list[str]) -> None:
    """Each is named by its key; with all of them, or as a draft, nothing is asked for."""
    given = Notice(texts={key: "" if key in owed else "x" for key in COMPLETE.texts})
    lines = answer(records, texts=Notice(), is_accepted=True).reasons

    assert lines == [
        f"texts of the controller are missing: {', '.join(owed)}. Write them into the notice, or use --draft."
    ]
    assert answer(records, texts=given, is_accepted=True).missing_texts == owed
    assert answer(records, texts=Notice(), is_accepted=True, is_draft=True).reasons == []
    assert answer(records, is_accepted=True).reasons == []
    assert page_of(answer(records, texts=Notice())).text.count("This text is missing.") == len(owed)


def test_notes_to_staff_are_on_the_page_of_a_draft_alone() -> None:
    """The page for the person says in their words what is not known."""
    page, draft = page_of(answer(REFUSED)), page_of(answer(REFUSED, is_draft=True))
    accepted = answer(REFUSED, is_accepted=True)

    for text in ("Ask Gong's support", "before you send", "--"):
        assert text not in page.text
    assert "Please settle this before you send the page:" in draft.text
    assert "Ask Gong's support" in draft.text
    assert (
        f"{JANE}: Gong refused to answer. Whether we hold anything there under this address is not known." in page.text
    )
    assert accepted.reasons == []
    assert page_of(accepted).text == page.text
    assert (as_json(accepted)["is_draft"], as_json(answer(REFUSED, is_draft=True))["is_draft"]) == (False, True)
    assert as_json(accepted)["is_complete"] is False


def test_a_californian_is_not_told_of_article_15() -> None:
    """The law is named as the controller names it."""
    page = page_of(answer(found(JANE, emails=1), texts=replace(COMPLETE, law="California Consumer Privacy Act (CCPA)")))

    assert "California Consumer Privacy Act (CCPA)" in page.text
    assert "Article" not in page.text
    assert "GDPR" not in page.text


def test_the_texts_of_the_controller_say_their_language() -> None:
    """A German text in an English page is read out as German."""
    page = page_of(answer(found(JANE, emails=1), texts=replace(COMPLETE, language="de")))

    assert page.attributes("lang") == ["en", *["de"] * 13]


def test_reference_and_day_of_receipt_are_shown() -> None:
    """On the page and in the JSON file, beside the version that made them."""
    answered = replace(answer(NOTHING), request=Request("DSAR 17/2026", "2026-05-29"))
    content = as_json(answered)

    assert "DSAR 17/2026" in page_of(answered).text
    assert "29 May 2026" in page_of(answered).text
    assert (content["reference"], content["received"]) == ("DSAR 17/2026", "2026-05-29")
    assert str(content["made_by"]).startswith("tap-gong-privacy ")
    assert content["made_at"] == NOW.isoformat().replace("+00:00", "Z")


def test_the_look_ups_of_the_json_file_have_one_result_each() -> None:
    """With the request id by which Gong can find the search."""
    answered = answer([*found(JANE, emails=1), look_up(OTHER_CASE, "rejected", request_id="r-2")], [JANE, OTHER_CASE])
    first, second = as_json(answered)["look_ups"]

    assert first["result"] == Result.DATA_HELD.value
    assert first["answered_at"] == at(0).replace(".000000", "")
    assert first["counts"] == dict.fromkeys(STREAMS, 0) | {"emails": 1}
    assert (second["result"], second["request_id"], second["answered_at"]) == ("refused", "r-2", None)


# Entries


def test_newest_come_first() -> None:
    """Those without a date come last."""
    records = [
        entry("emails", JANE, key, sent_time=time)
        for key, time in (
            ("1", "2024-01-01T00:00:00Z"),
            ("2", "2025-01-01T00:00:00Z"),
            ("3", None),
            ("4", "2024-06-01T00:00:00Z"),
        )
    ]
    answered = answer([*records, look_up(JANE, "found", emails_count=4)])

    assert [row["id"] for row in answered.kinds[0].entries] == ["2", "4", "1", "3"]


def test_a_view_is_connected_with_its_call_and_a_meeting_with_its_time() -> None:
    """What the numbers of Gong say is shown as what it is; the tap's own key is not shown."""
    key = "8059707022269524529.sb5gr1tgpt5dd799eh035rb3dk@google.com_2022-06-30T13:00:00Z"
    records = [
        entry("calls", JANE, "7782"),
        entry("meetings", JANE, key),
        entry("customer_engagement", JANE, "0123456789abcdef", content_id="7782"),
        look_up(JANE, "found", calls_count=1, meetings_count=1, customer_engagement_count=1),
    ]
    page = page_of(answer(records))

    assert "A call above has this content number." in page.text
    assert "30 June 2022, 13:00:00 UTC" in page.text
    assert "0123456789abcdef" not in page.text
    assert "To hear or read a call, ask us, and name its number." in page.text


def test_entries_of_different_spellings_say_under_which_they_are_found() -> None:
    """Each by itself, and an address on each line."""
    records = [
        *found(JANE, emails=1, calls=1),
        entry("emails", OTHER_CASE, "emails-0"),
        entry("emails", OTHER_CASE, "emails-9"),
        look_up(OTHER_CASE, "found", emails_count=2),
    ]
    page = page_of(answer(records, [JANE, OTHER_CASE]))

    assert page.text.count(f"Found under{JANE}{OTHER_CASE}") == page.text.count(f"Found under{OTHER_CASE}") == 1
    assert f"Found under {JANE}." in page.text


def test_a_record_has_its_type_as_heading() -> None:
    """Before its fields, so that nobody has to guess which table is about what."""
    objects = [{"object_type": "Lead", "external_id": "00Q1", "fields": [{"name": "City", "value": "Bonn"}]}]
    records = [
        entry("customer_data", JANE, "Salesforce", objects=objects),
        look_up(JANE, "found", customer_data_count=1),
    ]
    page = page_of(answer(records))

    assert "Leada possible customer" in page.text
    assert page.text.index("Leada possible") < page.text.index("Bonn") < page.text.index("00Q1")
    assert "h5" in [tag for tag, _ in page.tags]


def test_an_unknown_spelling_leaves_no_kind_known() -> None:
    """What is not held under one address may be held under the other."""
    page = page_of(answer([*found(JANE, emails=1), look_up(OTHER_CASE, "failed")], [JANE, OTHER_CASE]))

    assert f"What we hold there under {OTHER_CASE} is not known." in page.text
    assert page.text.count("Whether we hold any is not known.") == len(STREAMS) - 1
    assert "We hold none." not in page.text


def test_fields_without_a_value_are_one_folded_line() -> None:
    """They are named, and do not push everything else away."""
    empty: list[object] = [None, "", [], {}]
    fields: list[Record] = [{"name": f"Empty{n}__c", "value": value} for n, value in enumerate(empty)]
    fields += [{"name": "Filled__c", "value": 0}, {"name": "Also__c", "value": False}]
    records = [
        entry("customer_data", JANE, "Salesforce", objects=[{"id": "1", "fields": fields}]),
        look_up(JANE, "found", customer_data_count=1),
    ]
    page = page_of(answer(records))

    assert "4 fields without a value" in page.text
    assert "Empty0__c, Empty1__c, Empty2__c, Empty3__c" in page.text
    assert [row[0] for row in page.tables[-1][1:]] == ["Filled__c", "Also__c"]


def test_a_field_can_be_withheld() -> None:
    """Its value is neither on the page nor in the JSON file; it is counted, and the page says why that is allowed."""
    fields = [{"name": "SSN__c", "value": "078-05-1120"}, {"name": "Other__c", "value": "shown"}]
    records = [
        entry("customer_data", JANE, "Salesforce", objects=[{"id": "1", "fields": fields}]),
        look_up(JANE, "found", customer_data_count=1),
    ]
    answered = answer(records, masker=Masker([JANE], hidden_fields=["ssn__c"]))
    page = page_of(answered)

    assert ["SSN__c", "withheld"] in page.tables[-1]
    assert "078-05-1120" not in page.text
    assert b"078-05-1120" not in b"".join(person.as_json(answered))
    assert as_json(answered)["withheld"] == {"SSN__c": 1}
    assert "1 value is withheld, in “SSN__c”." in page.text
    assert "you may complain to a supervisory authority or go to court" in page.text


def test_what_is_masked_is_said_with_the_remedy() -> None:
    """A part of the answer is withheld from the person, who may complain about it or go to court."""
    records = [entry("emails", JANE, "1", **{"from": "o@example.org"}), look_up(JANE, "found", emails_count=1)]
    page = page_of(answer(records))

    assert "The address of another person is shortened, 1 time on this page" in page.text
    assert "go to court (Article 12(4) GDPR)" in page.text
    assert "Nothing is shortened or withheld on this page." in page_of(answer(found(JANE, calls=1))).text


def test_the_own_address_is_called_you() -> None:
    """Beside the address as Gong has it."""
    records = [entry("emails", JANE, "1", **{"from": OTHER_CASE}), look_up(JANE, "found", emails_count=1)]
    page = page_of(answer(records))

    assert page.tables[2][1][1] == f"{OTHER_CASE}you"
    assert answer(records).masker.addresses == 0


def test_what_gong_sent_beside_its_documentation_is_an_entry_of_its_own() -> None:
    """That of the answer, and that of each record, with what it came with."""
    records = [
        entry("calls", JANE, "call-7", undocumented={"mood": "sunny"}),
        look_up(JANE, "found", calls_count=1, undocumented={"score": {"value": [1, 2]}}),
    ]
    page = page_of(answer(records))

    assert [[cell.split() for cell in row] for row in page.tables[-1][1:]] == [
        [["The", "answer", f"itself{JANE}"], ["scorevalue12"]],
        [["Callscall-7"], ["moodsunny"]],
    ]


def test_an_address_in_a_request_id_or_a_status_is_masked() -> None:
    """They are texts like any other, and a map may have written anything into them."""
    bad = look_up(JANE, "found", request_id="victim@other.example", emails_count=0, undocumented={"x@other.example": 1})
    later = look_up(JANE, "failed", 1, request_id="victim@other.example")
    answered = answer([bad, later])

    assert "victim@" not in page_of(answered).text
    assert b"victim@" not in b"".join(person.as_json(answered))
    assert "x@other.example" not in page_of(answered).text
