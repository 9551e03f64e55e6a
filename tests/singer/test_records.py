"""How elements become records: fields are renamed and repaired, each record has a key, and nothing is lost."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import EXAMPLE_ANSWER
from tap_gong_privacy.gong import json_text
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.singer import records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_gong_privacy.gong.answers import Element

Row: TypeAlias = dict[str, Any]

BY_STREAM = {section.stream: section for section in SECTIONS}
SHARED: Row = {
    "email_address": "a@b.de",
    "looked_up_at": "2024-01-01T00:00:00Z",
    "request_id": "r1",
    "undocumented": None,
}
EXAMPLE_EVENT: Row = EXAMPLE_ANSWER["customerEngagement"][0]


def elements_of(text: str) -> list[Element]:
    """Decode a section's elements as the tap does."""
    value, _ = json_text.decode(text.encode())
    assert isinstance(value, list)
    return [element for element in value if isinstance(element, dict)]


def build(stream: str, elements: Iterable[object] | str) -> list[Row]:
    """Build the records of one section, from Python values or from JSON text."""
    text = elements if isinstance(elements, str) else json.dumps(list(elements))
    return list(records.build(BY_STREAM[stream], elements_of(text), SHARED, lambda _name: None))


def own(row: Row) -> Row:
    """Return a record without the columns that all records of the answer share."""
    return {name: value for name, value in row.items() if name not in SHARED or name == "undocumented"}


def keys(stream: str, elements: Iterable[object] | str) -> list[str]:
    """Return the keys of the records of one section."""
    return [row[BY_STREAM[stream].key] for row in build(stream, elements)]


def test_the_documented_example_becomes_five_records() -> None:
    """Each example element of Gong's page is one record, under the documented names in snake_case."""
    made = {section.stream: build(section.stream, EXAMPLE_ANSWER[section.name]) for section in SECTIONS}
    assert {stream: [own(row) for row in rows] for stream, rows in made.items()} == {
        "emails": [
            {
                "from": "test@test.com",
                "id": "223mjfaaqqjuegabiyrmpctvcwwl75oz",
                "sent_time": "2019-01-20T08:00:00Z",
                "mailbox": "test@test.com",
                "message_hash": "l3z7w2s7oircdabnkwizmycm6g2uwznc",
                "undocumented": None,
            }
        ],
        "calls": [
            {
                "id": "7782342274025937895",
                "status": "COMPLETED",
                "external_systems": [
                    {
                        "system": "Salesforce",
                        "objects": [{"object_type": "Task", "external_id": "0013601230sV7grAAC"}],
                    }
                ],
                "undocumented": None,
            }
        ],
        "meetings": [
            {
                "id": "8059707022269524529.sb5gr1tgpt5dd799eh035rb3dk@google.com_2022-06-30T13:00:00Z",
                "undocumented": None,
            }
        ],
        "customer_data": [
            {
                "system": "Salesforce",
                "objects": [
                    {
                        "id": "7782342274025937895",
                        "object_type": "Contact",
                        "external_id": "0013601230sV7grAAC",
                        "mirror_id": '{"integrationId":"262834820328732","crmObjectType":"CONTACT",'
                        '"crmId":"0031Q00002DFhi4QAD"}',
                        "fields": [{"name": "name", "value": "Gong Inc."}],
                    }
                ],
                "undocumented": None,
            }
        ],
        "customer_engagement": [
            {
                "event_hash": "b86b32351ce5b729a7a10adfd09dcac0cb586e6fd76f6d902dfa5ad2f7e0bf6e",
                "event_type": "ExternalCallViewing",
                "timestamp": "2019-01-20T08:00:00Z",
                "content_id": "7782342274025937895",
                "content_url": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
                "reporting_system": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
                "event_name": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
                "source_event_id": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
                "undocumented": None,
            }
        ],
    }


def test_what_the_answer_has_in_common_is_on_each_record() -> None:
    """Each record carries the queried address, the time and the request id, and leaves the shared columns alone."""
    before = dict(SHARED)
    first, second = build("meetings", [{"id": "1", "x": 1}, {"id": "2"}])
    assert first == {**SHARED, "id": "1", "undocumented": {"x": 1}}
    assert second == {**SHARED, "id": "2"}
    assert before == SHARED


def test_no_elements_make_no_records() -> None:
    """An empty section makes no records in any stream."""
    assert all(build(stream, []) == [] for stream in BY_STREAM)


# Undocumented fields


def test_undocumented_fields_are_kept_verbatim() -> None:
    """Fields that Gong does not document are in `undocumented` as they came, null and nested ones too."""
    unknown = {"subject": "é", "Cc": [{"someName": None}], "none": None, "flags": {"isRead": False}, "email_address": 1}
    (row,) = build("emails", [{"id": "1", **unknown}])
    assert row["undocumented"] == unknown
    assert row["email_address"] == "a@b.de"


@pytest.mark.parametrize("name", ["sent_time", "undocumented", "looked_up_at", "request_id", "", "id#2", "ID"])
def test_undocumented_names_never_touch_a_column(name: str) -> None:
    """An undocumented field with the name of a column does not change that column."""
    (row,) = build("emails", [{"id": "1", name: "x"}])
    assert row["undocumented"] == {name: "x"}
    assert {**row, "undocumented": None} == build("emails", [{"id": "1"}])[0]


def test_nested_undocumented_fields_stay_where_they_are() -> None:
    """Unknown keys of nested objects stay in them, unrenamed, at each documented level."""
    call = {
        "id": "1",
        "externalSystems": [{"system": "S", "orgId": 7, "objects": [{"objectType": "Task", "ownerId": {"aB": 1}}]}],
    }
    (row,) = build("calls", [call])
    assert row["external_systems"] == [
        {"system": "S", "orgId": 7, "objects": [{"object_type": "Task", "external_id": None, "ownerId": {"aB": 1}}]}
    ]
    data = {"system": "S", "objects": [{"id": "1", "isDeleted": True, "fields": [{"name": "n", "label": "l"}]}]}
    (row,) = build("customer_data", [data])
    assert row["objects"] == [
        {
            "id": "1",
            "object_type": None,
            "external_id": None,
            "mirror_id": None,
            "fields": [{"name": "n", "value": None, "label": "l"}],
            "isDeleted": True,
        }
    ]


@pytest.mark.parametrize("order", [("objectType", "object_type"), ("object_type", "objectType")])
def test_a_nested_unknown_key_that_is_a_column_gets_a_number(order: tuple[str, str]) -> None:
    """A nested key that equals a column's name is kept as `<name>#2`, whichever of the two comes first."""
    linked = dict.fromkeys(order, "unknown") | {"objectType": "documented"}
    (row,) = build("calls", [{"id": "1", "externalSystems": [{"objects": [linked]}]}])
    (made,) = row["external_systems"][0]["objects"]
    assert made == {"object_type": "documented", "external_id": None, "object_type#2": "unknown"}


def test_a_numbered_name_is_never_one_that_gong_uses() -> None:
    """If Gong itself has a key `<name>#2`, the next free number is taken, in either order."""
    linked = {"object_type": 1, "object_type#2": 2, "external_id#2": 3, "external_id": 4}
    (row,) = build("calls", [{"id": "1", "externalSystems": [{"objects": [linked]}]}])
    (made,) = row["external_systems"][0]["objects"]
    assert made == {
        "object_type": None,
        "external_id": None,
        "object_type#3": 1,
        "object_type#2": 2,
        "external_id#2": 3,
        "external_id#3": 4,
    }


def test_nothing_is_renamed_below_a_value() -> None:
    """`fields[].value` is any JSON and is taken as it is."""
    values = [{"objectType": [{"externalId": None}]}, [], "", 0, False, None, [[1.50]]]
    text = json.dumps([{"system": "S", "objects": [{"fields": [{"value": value} for value in values]}]}])
    (row,) = build("customer_data", text)
    assert [field["value"] for field in row["objects"][0]["fields"]] == values
    assert row["undocumented"] is None


def test_each_undocumented_name_is_reported() -> None:
    """Names that Gong does not document are reported, at each level. Documented ones are not."""
    names: list[str] = []
    call = {"id": "1", "new": 1, "externalSystems": [{"newer": 1, "objects": [{"newest": 1, "objectType": "Task"}]}]}
    list(records.build(BY_STREAM["calls"], elements_of(json.dumps([call])), SHARED, names.append))
    assert names == ["new", "newer", "newest"]


# Values that do not fit


@pytest.mark.parametrize("value", [True, False, [], {}, ["x"], {"a": None}])
def test_a_value_that_is_no_text_is_null_and_kept(value: object) -> None:
    """A value that is not text is in `undocumented` under its documented name, and its column is null."""
    (row,) = build("emails", [{"id": "1", "messageHash": value, "from": value}])
    assert (row["message_hash"], row["from"]) == (None, None)
    assert row["undocumented"] == {"messageHash": value, "from": value}


@pytest.mark.parametrize(
    "number, text",
    [
        *((number, number) for number in ("7782342274025937895", "18446744073709551616", "-1", "0", "1.0", "0.10")),
        ("1E5", "1E+5"),
        ("1.50e400", "1.50E+400"),
    ],
)
def test_an_id_that_came_as_a_number_is_its_text(number: str, text: str) -> None:
    """A number in a text field becomes text with every digit, at each level. An exponent may be spelt differently."""
    assert keys("meetings", f'[{{"id": {number}}}]') == [text]
    (row,) = build("calls", f'[{{"id": {number}, "externalSystems": [{{"objects": [{{"externalId": {number}}}]}}]}}]')
    assert row["external_systems"][0]["objects"][0]["external_id"] == text
    assert row["undocumented"] is None


def test_nested_values_that_do_not_fit_are_kept_under_their_path() -> None:
    """A nested value that does not fit is null, and is in `undocumented` under its documented path."""
    call = {
        "id": "1",
        "externalSystems": [
            {"system": ["S"], "objects": "none"},
            {"objects": [{"externalId": True}, {"objectType": {}, "externalId": "x"}, 7, None]},
            "Salesforce",
            None,
        ],
    }
    (row,) = build("calls", [call])
    assert row["external_systems"] == [
        {"system": None, "objects": None},
        {
            "system": None,
            "objects": [
                {"object_type": None, "external_id": None},
                {"object_type": None, "external_id": "x"},
                None,
                None,
            ],
        },
        None,
        None,
    ]
    assert row["undocumented"] == {
        "externalSystems[0].system": ["S"],
        "externalSystems[0].objects": "none",
        "externalSystems[1].objects[0].externalId": True,
        "externalSystems[1].objects[1].objectType": {},
        "externalSystems[1].objects[2]": 7,
        "externalSystems[2]": "Salesforce",
    }


@pytest.mark.parametrize("value", ["x", 1, True, {"system": "S"}])
def test_a_value_that_is_no_list_is_null_and_kept(value: object) -> None:
    """If a list is documented, any other value is null and kept."""
    (row,) = build("calls", [{"id": "1", "externalSystems": value}])
    assert row["external_systems"] is None
    assert row["undocumented"] == {"externalSystems": value}


def test_a_misfit_and_an_unknown_name_that_clash_are_both_kept() -> None:
    """An undocumented field may have the name of a misfit's path. Neither value is lost."""
    clash = "externalSystems[0].system"
    for call in (
        {"id": "1", clash: "theirs", "externalSystems": [{"system": True}]},
        {"id": "1", "externalSystems": [{"system": True}], clash: "theirs"},
    ):
        (row,) = build("calls", [call])
        assert sorted(row["undocumented"]) == [clash, f"{clash}#2"]
        assert {str(value) for value in row["undocumented"].values()} == {"theirs", "True"}


@pytest.mark.parametrize("value", [None, "absent"])
def test_null_is_no_misfit(value: object) -> None:
    """A documented field that is null or absent is null, and nothing is made of it."""
    element = {"id": "1"} if value == "absent" else {"id": "1", "sentTime": None, "from": None, "mailbox": None}
    (row,) = build("emails", [element])
    assert own(row) == {
        "id": "1",
        "from": None,
        "sent_time": None,
        "mailbox": None,
        "message_hash": None,
        "undocumented": None,
    }


# Times


@pytest.mark.parametrize(
    "value, expected",
    [
        ('"2019-01-20T00:00:00-08:00"', "2019-01-20T08:00:00Z"),
        ("1547971200", "2019-01-20T08:00:00Z"),
        ("1547971200.0", "2019-01-20T08:00:00Z"),
        ("1547971200123", "2019-01-20T08:00:00.123000Z"),
    ],
)
def test_a_time_goes_out_in_utc(value: str, expected: str) -> None:
    """Texts and epoch numbers become one form, and nothing else is kept of them."""
    (row,) = build("emails", f'[{{"id": "1", "sentTime": {value}}}]')
    assert row["sent_time"] == expected
    assert row["undocumented"] is None
    (event,) = build("customer_engagement", f'[{{"timestamp": {value}}}]')
    assert event["timestamp"] == expected


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2019-01-20", "2019-01-20T24:00:00Z", "2019-01-20T00:00:00", True, [], {}, 10**17]
)
def test_an_unreadable_time_is_null_and_kept(value: object) -> None:
    """A time that cannot be read is null, and is in `undocumented` as it came."""
    (row,) = build("emails", [{"id": "1", "sentTime": value}])
    assert row["sent_time"] is None
    assert row["undocumented"] == {"sentTime": value}


@pytest.mark.parametrize("number", ["1E+1000000", "-1E+999999999999999999"])
def test_a_number_beyond_every_time_is_null_and_kept(number: str) -> None:
    """A number with any exponent is accepted, and is kept with every digit."""
    (row,) = build("customer_engagement", f'[{{"timestamp": {number}}}]')
    assert row["timestamp"] is None
    assert json_text.canonical(row["undocumented"]) == f'{{"timestamp":{number}}}'.encode()


@pytest.mark.parametrize(
    "value, expected",
    [
        ('"2019-01-20T00:00:00.123456789Z"', "2019-01-20T00:00:00.123456Z"),
        ("1547971200.1234567", "2019-01-20T08:00:00.123456Z"),
    ],
)
def test_a_finer_time_is_cut_and_its_original_kept(value: str, expected: str) -> None:
    """A fraction finer than microseconds is cut, and the original is in `undocumented`."""
    (row,) = build("emails", f'[{{"id": "1", "sentTime": {value}}}]')
    assert row["sent_time"] == expected
    assert json_text.canonical(row["undocumented"]) == f'{{"sentTime":{value}}}'.encode()


# Keys


@pytest.mark.parametrize("missing", [{}, {"id": None}, {"id": ""}])
@pytest.mark.parametrize(
    "stream, element, digest",
    [
        (
            "emails",
            {"from": "a@b.de", "sentTime": "2019-01-20T00:00:00-08:00"},
            "98e81769c44d695cfddff20b7dcb7a1d8c3833e78530654835f87e0ad4a68ba7",
        ),
        ("emails", {}, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
        ("meetings", {"b": 1, "a": [None, {}]}, "39384c467c32b9e8ce10f0f4d50338c9d5fe6aa5beb2eaf822f01ceb2b89206c"),
    ],
)
def test_a_missing_id_has_a_fixed_hash(stream: str, element: Row, digest: str, missing: Row) -> None:
    """A row without an id is keyed by its content; this algorithm never changes, or each row would double."""
    assert keys(stream, [{**missing, **element}]) == [f"missing-{digest}"]


@pytest.mark.parametrize(
    "value, digest",
    [
        (True, "9f391e5c3a1fb729a36c8b9de42b8511edbdfeacfad65741295815a8c3746b83"),
        ([], "6187e6843e97334e12ed755a2c30940dcfcaee9c8b75565669e2f8d824bcd86c"),
        ({"a": 1}, "d05480223b37fbae30f23edd7f5b729ced1ba7f82ca785ea3fbc951c6b11de3e"),
    ],
)
def test_an_id_that_does_not_fit_is_missing_and_kept(value: object, digest: str) -> None:
    """An id that is neither text nor number is missing, part of the hash, and kept."""
    (row,) = build("meetings", [{"id": value}])
    assert row["id"] == f"missing-{digest}"
    assert row["undocumented"] == {"id": value}


def test_a_missing_system_has_a_fixed_hash() -> None:
    """A system without a name is keyed by its content, and none of them joins another."""
    first, second = [{"objects": [{"id": "1"}]}, {"objects": [{"id": "2"}]}]
    assert keys("customer_data", [first, {**second, "system": ""}, {"system": []}]) == [
        "missing-a5f04b7a8ca4e75acd91247ad494a724a6f57dbab72a8bd144542250714c524c",
        "missing-63fdd540c2c8d2b76cefc44e6b2aff1fb208ead329fa38351c1e3d5e6d20c6dd",
        "missing-f7332b6179b3a5693ad631e44382c0570aa4393c5a0a97a606e5eb0c0a6c03cd",
    ]


def test_a_missing_key_depends_only_on_content() -> None:
    """The order of names does not matter, how a number is written does."""
    assert keys("meetings", '[{"a":1.50,"b":"é"}]') == keys("meetings", '[{"b":"\\u00e9","a":1.50}]')
    assert keys("meetings", '[{"a":1.50}]') != keys("meetings", '[{"a":1.5}]')


def test_rows_that_are_equal_are_one() -> None:
    """Rows that are equal in key and content are one, with an id and without."""
    assert keys("emails", [{"id": "1", "from": "x"}] * 3) == ["1"]
    assert len(keys("emails", [{"from": "x"}, {"from": "x", "id": None}, {"id": "", "from": "x"}])) == 1
    assert keys("emails", [{"id": "7"}, {"id": 7}, {"id": "7", "from": None}]) == ["7"]


def test_a_doubled_id_with_other_content_gets_a_number() -> None:
    """Later rows with other content get `<id>#2`, `<id>#3`. Equal rows are one."""
    emails = [{"id": "1", "from": sender} for sender in ("a", "b", "a", "c", "b", "c")]
    assert [(row["id"], row["from"]) for row in build("emails", emails)] == [("1", "a"), ("1#2", "b"), ("1#3", "c")]


def test_ids_that_differ_in_undocumented_fields_are_two_rows() -> None:
    """A difference that is only in undocumented fields is a difference."""
    assert keys("meetings", [{"id": "1"}, {"id": "1", "x": None}, {"id": "1", "x": 1}]) == ["1", "1#2", "1#3"]


def test_a_numbered_id_is_never_one_that_gong_uses() -> None:
    """If Gong itself has an id `<id>#2`, each row still has a unique key."""
    meetings = [{"id": "1"}, {"id": "1#2", "x": 1}, {"id": "1", "x": 2}, {"id": "1", "x": 3}, {"id": "1#3", "x": 4}]
    rows = build("meetings", meetings)
    assert [(row["id"], row["undocumented"]) for row in rows] == [
        ("1", None),
        ("1#2", {"x": 1}),
        ("1#3", {"x": 2}),
        ("1#4", {"x": 3}),
        ("1#3#2", {"x": 4}),
    ]


# Events


def test_the_hash_of_an_event_is_fixed() -> None:
    """Twin events are told apart by their occurrence; this algorithm never changes, or each row would double."""
    assert keys("customer_engagement", [EXAMPLE_EVENT] * 3) == [
        "b86b32351ce5b729a7a10adfd09dcac0cb586e6fd76f6d902dfa5ad2f7e0bf6e",
        "763b2ea98a3a26e2f0642c4e5a0abe0d86b0075896b051b27fb0d95feaa504d9",
        "79a47eb114dbb1ae60b50a4213abd4680e421a252acdec3fe6c390b631dbf967",
    ]


@pytest.mark.parametrize(
    "event, digest",
    [
        ('{"timestamp": 1.5e3}', "b54b298cb8fb68741560f83d407a1c0b1c72f47f9d7620f69c0e521766624087"),
        ('{"timestamp": 1.5E+3}', "b54b298cb8fb68741560f83d407a1c0b1c72f47f9d7620f69c0e521766624087"),
        ("{}", "37a06e5154de9ef5fdb08ede626ffb29630db236bda6cc9bd2f7868b61a9c25b"),
        ('{"eventType": null, "new": 1}', "37a06e5154de9ef5fdb08ede626ffb29630db236bda6cc9bd2f7868b61a9c25b"),
        (
            '{"timestamp": 1547971200.0, "eventName": "é"}',
            "4932bf3e8a43a1b0663419a5cdd41e9a7117a7063eb9dc4825f942150eae42a0",
        ),
        (
            '{"eventName": "\\u00e9", "timestamp": 1547971200, "x": 1}',
            "7199d0d67656516db7ade2ce8a0266a744b5b0afcbdfe8711fb1001009d1da4d",
        ),
    ],
)
def test_the_hash_of_an_unusual_event_is_fixed(event: str, digest: str) -> None:
    """The hash is over the documented fields as Gong sent them: null is absent, other fields do not count."""
    assert keys("customer_engagement", f"[{event}]") == [digest]


def test_the_hash_follows_its_description() -> None:
    """The hash can be computed from its description with the standard library alone."""
    names = ("eventType", "timestamp", "contentId", "contentUrl", "reportingSystem", "eventName", "sourceEventId")
    values = [EXAMPLE_EVENT[name] for name in names]
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    assert keys("customer_engagement", [EXAMPLE_EVENT]) == [hashlib.sha256(text.encode()).hexdigest()]


def test_twin_events_that_differ_in_undocumented_fields_are_kept() -> None:
    """Events that are equal in the documented fields are each a row, whatever else they hold."""
    rows = build("customer_engagement", [{"eventName": "x", "new": number} for number in range(3)])
    assert [row["undocumented"] for row in rows] == [{"new": 0}, {"new": 1}, {"new": 2}]
    assert len({row["event_hash"] for row in rows}) == 3


def test_events_that_do_not_fit_are_told_apart() -> None:
    """Events whose values become null stay apart by what Gong sent."""
    rows = build("customer_engagement", [{"eventName": []}, {"eventName": {}}, {"timestamp": "?"}, {"event_hash": "x"}])
    assert len({row["event_hash"] for row in rows}) == 4
    assert rows[3]["undocumented"] == {"event_hash": "x"}


# Systems


def test_a_system_that_occurs_twice_is_one_record() -> None:
    """Two CRM orgs of one system are one record, with the objects of both, in order."""
    twins = [
        {"system": "Salesforce", "objects": [{"id": "1"}]},
        {"system": "HubSpot", "objects": [{"id": "2"}]},
        {"system": "Salesforce", "objects": [{"id": "3"}, {"id": "1"}]},
        {"system": "Salesforce", "objects": None},
        {"system": "Salesforce"},
    ]
    rows = build("customer_data", twins)
    assert [(row["system"], [item["id"] for item in row["objects"]]) for row in rows] == [
        ("Salesforce", ["1", "3", "1"]),
        ("HubSpot", ["2"]),
    ]
    assert all(row["undocumented"] is None for row in rows)


def test_systems_that_are_equal_are_one_without_doubled_objects() -> None:
    """The same element twice is one, as any row that is equal in key and content."""
    (row,) = build("customer_data", [{"system": "S", "objects": [{"id": "1"}], "x": 1}] * 2)
    assert [item["id"] for item in row["objects"]] == ["1"]
    assert row["undocumented"] == {"x": 1}


def test_undocumented_fields_of_joined_systems_are_all_kept() -> None:
    """Undocumented fields that differ are under `<name>#2`, `<name>#3`. Equal ones are kept once."""
    (row,) = build("customer_data", [{"system": "S", "orgId": org} for org in (1, 2, 1, None, 2)])
    assert row["undocumented"] == {"orgId": 1, "orgId#2": 2, "orgId#3": None}


def test_misfits_of_joined_systems_are_kept() -> None:
    """Objects that are not a list do not replace a list, in either order."""
    good, bad = {"system": "S", "objects": [{"id": "1"}]}, {"system": "S", "objects": "many"}
    for twins in ([good, bad], [bad, good]):
        (row,) = build("customer_data", twins)
        assert [item["id"] for item in row["objects"]] == ["1"]
        assert row["undocumented"] == {"objects": "many"}


def test_differing_misfits_of_joined_systems_are_all_kept() -> None:
    """The second is under `<name>#2`, equal ones are kept once, and none is reported as a new field."""
    noticed: list[str] = []
    objects: list[object] = ["many", [{"id": "1"}], "few", "many", {"id": "2"}]
    twins = [{"system": "S", "objects": value, "org": value} for value in objects]
    (row,) = records.build(BY_STREAM["customer_data"], elements_of(json.dumps(twins)), SHARED, noticed.append)
    assert row["objects"] == build("customer_data", [{"system": "S", "objects": [{"id": "1"}]}])[0]["objects"]
    assert row["undocumented"] == {
        "objects": "many",
        "objects#2": "few",
        "objects#3": {"id": "2"},
        "org": "many",
        "org#2": [{"id": "1"}],
        "org#3": "few",
        "org#4": {"id": "2"},
    }
    assert set(noticed) == {"org"}


def test_a_system_as_a_number_joins_its_text() -> None:
    """A system is joined by what its key becomes."""
    (row,) = build(
        "customer_data", [{"system": 7, "objects": [{"id": "1"}]}, {"system": "7", "objects": [{"id": "2"}]}]
    )
    assert row["system"] == "7"
    assert [item["id"] for item in row["objects"]] == ["1", "2"]


def test_paths_of_joined_objects_are_those_of_the_record() -> None:
    """A misfit in a joined object is kept under the path that it has in the record."""
    twins = [{"system": "S", "objects": [{"id": "1"}]}, {"system": "S", "objects": [{"id": True}]}]
    (row,) = build("customer_data", twins)
    assert row["undocumented"] == {"objects[1].id": True}


# Text


@pytest.mark.parametrize(
    "value, expected",
    [("", ""), ("x", "x"), (7, "7"), (True, None), (None, None), ([], None), ({}, None)],
)
def test_text_and_numbers_have_a_text(value: json_text.JSON, expected: str | None) -> None:
    """Text is itself and a number its digits; nothing else is text."""
    assert json_text.text_of(value) == expected
