"""Every answer that Gong may give under 200, over real HTTP, through the installed command."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import EXAMPLE_ANSWER, Reply, Sandbox
from tap_gong_privacy.gong.json_text import canonical
from tests.running import Result, check_output, run_tap
from tests.streams import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

Row: TypeAlias = dict[str, Any]

EMPTY: Row = {"emails": [], "calls": [], "meetings": [], "customerData": [], "customerEngagement": []}
PACE = {"requests_per_second": 1000, "max_concurrency": 16}
NUL, REPLACED = "\N{SYMBOL FOR NULL}", "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Case:
    """An answer, and the records that it makes.

    Attributes:
        body: JSON text, or its content.
        status: The status of the look-up.
        lookup: Columns of its `lookups` record.
        rows: Columns of each record of each stream that has records.
    """

    body: object
    status: str = "found"
    lookup: Mapping[str, object] | None = None
    rows: Mapping[str, list[Row]] | None = None


def _emails(text: str, *rows: Row) -> Case:
    return Case(f'{{"emails": {text}}}', rows={"emails": list(rows)})


UNREADABLE: tuple[object, ...] = (
    "soon",
    "",
    "2019-01-20",
    "2019-01-20T00:00:00",
    "9999-12-31T23:59:59-01:00",
    True,
    [],
    {"a": 1},
)

# Each has the address `<name>@case.example`.
CASES = {
    "unknown-fields": Case(
        {
            "requestId": "r1",
            "smsMessages": [{"id": "s1", "Text": None}],
            "emails": [{"id": "1", "subject": "x", "cc": ["y"]}],
            "calls": [
                {
                    "id": "1",
                    "url": "u",
                    "externalSystems": [
                        {"system": "S", "org": 1, "objects": [{"objectType": "Task", "object_type": 2}]}
                    ],
                }
            ],
            "meetings": [{"id": "1", "email_address": "theirs"}],
            "customerData": [
                {"system": "S", "orgId": 7, "objects": [{"id": "1", "x": {}, "fields": [{"name": "n", "label": "l"}]}]}
            ],
            "customerEngagement": [{"eventName": "e", "event_hash": "theirs"}],
        },
        lookup={"request_id": "r1", "undocumented": {"smsMessages": [{"id": "s1", "Text": None}]}},
        rows={
            "emails": [{"undocumented": {"subject": "x", "cc": ["y"]}}],
            "calls": [
                {
                    "undocumented": {"url": "u"},
                    "external_systems": [
                        {
                            "system": "S",
                            "org": 1,
                            "objects": [{"object_type": "Task", "external_id": None, "object_type#2": 2}],
                        }
                    ],
                }
            ],
            "meetings": [{"undocumented": {"email_address": "theirs"}}],
            "customer_data": [
                {
                    "undocumented": {"orgId": 7},
                    "objects": [
                        {
                            "id": "1",
                            "object_type": None,
                            "external_id": None,
                            "mirror_id": None,
                            "fields": [{"name": "n", "value": None, "label": "l"}],
                            "x": {},
                        }
                    ],
                }
            ],
            "customer_engagement": [{"undocumented": {"event_hash": "theirs"}}],
        },
    ),
    "undocumented-section-alone": Case(
        {**EMPTY, "sms": [{"id": "1"}]}, lookup={"undocumented": {"sms": [{"id": "1"}]}}
    ),
    "undocumented-section-empty": Case(
        {**EMPTY, "sms": [{"a": None}, ""], "n": 0, "b": False},
        status="not_found",
        lookup={"undocumented": {"sms": [{"a": None}, ""], "n": 0, "b": False}},
    ),
    "five-empty-arrays": Case(EMPTY, status="not_found", lookup={"undocumented": None}),
    "one-null-section": Case({"meetings": None}, status="not_found"),
    "null-sections": Case(dict.fromkeys(EMPTY), status="not_found"),
    "one-section": Case({"meetings": [{"id": "1"}]}, rows={"meetings": [{"id": "1"}]}),
    "empty-errors": Case({**EMPTY, "errors": []}, status="not_found", lookup={"undocumented": {"errors": []}}),
    "empty-cursor": Case({**EMPTY, "cursor": "", "records": {"cursor": ""}}, status="not_found"),
    "numeric-request-id": Case(
        '{"requestId": 12345678901234567890123, "emails": []}', "not_found", {"request_id": "12345678901234567890123"}
    ),
    "strange-request-id": Case(
        {**EMPTY, "requestId": ["x"]},
        lookup={"request_id": None, "undocumented": {"requestId": ["x"]}},
        status="not_found",
    ),
    "numeric-ids": _emails(
        '[{"id": 7782342274025937895}, {"id": 18446744073709551616}, {"id": 1.50}, {"id": 1E5}]',
        {"id": "7782342274025937895"},
        {"id": "18446744073709551616"},
        {"id": "1.50"},
        {"id": "1E+5"},
    ),
    "epoch-times": _emails(
        '[{"id": "1", "sentTime": 1547971200}, {"id": "2", "sentTime": 1547971200.0}, {"id": "3", "sentTime": '
        '1547971200123}, {"id": "4", "sentTime": -1}, {"id": "5", "sentTime": 1e1000000}]',
        {"sent_time": "2019-01-20T08:00:00Z", "undocumented": None},
        {"sent_time": "2019-01-20T08:00:00Z", "undocumented": None},
        {"sent_time": "2019-01-20T08:00:00.123000Z", "undocumented": None},
        {"sent_time": "1969-12-31T23:59:59Z", "undocumented": None},
        {"sent_time": None, "undocumented": {"sentTime": Decimal("1e1000000")}},
    ),
    "offsets": _emails(
        json.dumps(
            [
                {"id": str(number), "sentTime": f"2019-01-20T00:00:00{offset}"}
                for number, offset in enumerate(
                    ("Z", "+00:00", "-00:00", "-08:00", "+0530", "+05", "+14:00", "+00:19:32")
                )
            ]
        ),
        *(
            {"sent_time": f"2019-01-{time}Z", "undocumented": None}
            for time in (
                "20T00:00:00",
                "20T00:00:00",
                "20T00:00:00",
                "20T08:00:00",
                "19T18:30:00",
                "19T19:00:00",
                "19T10:00:00",
                "19T23:40:28",
            )
        ),
    ),
    "unreadable-times": _emails(
        json.dumps([{"id": str(number), "sentTime": value} for number, value in enumerate(UNREADABLE)]),
        *({"sent_time": None, "undocumented": {"sentTime": value}} for value in UNREADABLE),
    ),
    "hour-24": _emails(
        '[{"id": "1", "sentTime": "2019-01-20T24:00:00Z"}]',
        {"sent_time": None, "undocumented": {"sentTime": "2019-01-20T24:00:00Z"}},
    ),
    "finer-fractions": _emails(
        '[{"id": "1", "sentTime": "2019-01-20T00:00:00.123456789Z"}, {"id": "2", "sentTime": 1547971200.1234567}]',
        {"sent_time": "2019-01-20T00:00:00.123456Z", "undocumented": {"sentTime": "2019-01-20T00:00:00.123456789Z"}},
        {"sent_time": "2019-01-20T08:00:00.123456Z", "undocumented": {"sentTime": Decimal("1547971200.1234567")}},
    ),
    "missing-ids": _emails(
        '[{"from": "x"}, {"from": "x", "id": null}, {"from": "x", "id": ""}, {"id": {}}, {"id": []}, {"id": true}]',
        {"id": "missing-f79519582d6fd8ec07f6aa2edb48e40cade119ed49d29ab9e84b0f0b08c18c1d", "from": "x"},
        {"undocumented": {"id": {}}},
        {"undocumented": {"id": []}},
        {"undocumented": {"id": True}},
    ),
    "doubled-ids": _emails(
        '[{"id": "1", "from": "a"}, {"id": "1", "from": "a"}, {"id": "1", "from": "b"}, {"id": 1, "from": "c"}]',
        {"id": "1", "from": "a"},
        {"id": "1#2", "from": "b"},
        {"id": "1#3", "from": "c"},
    ),
    "twin-events": Case(
        {"customerEngagement": [EXAMPLE_ANSWER["customerEngagement"][0]] * 3},
        rows={
            "customer_engagement": [
                {"event_hash": "b86b32351ce5b729a7a10adfd09dcac0cb586e6fd76f6d902dfa5ad2f7e0bf6e"},
                {"event_hash": "763b2ea98a3a26e2f0642c4e5a0abe0d86b0075896b051b27fb0d95feaa504d9"},
                {"event_hash": "79a47eb114dbb1ae60b50a4213abd4680e421a252acdec3fe6c390b631dbf967"},
            ]
        },
    ),
    "system-twice": Case(
        {
            "customerData": [
                {"system": "Salesforce", "org": 1, "objects": [{"id": "1"}]},
                {"system": "HubSpot"},
                {"system": "Salesforce", "org": 2, "objects": [{"id": 2}]},
            ]
        },
        rows={
            "customer_data": [{"system": "Salesforce", "undocumented": {"org": 1, "org#2": 2}}, {"system": "HubSpot"}]
        },
    ),
    "misfits": Case(
        {"calls": [{"id": "1", "status": {}, "externalSystems": [{"objects": [{"externalId": False}, 7]}, "S"]}]},
        rows={
            "calls": [
                {
                    "status": None,
                    "external_systems": [
                        {"system": None, "objects": [{"object_type": None, "external_id": None}, None]},
                        None,
                    ],
                    "undocumented": {
                        "status": {},
                        "externalSystems[0].objects[0].externalId": False,
                        "externalSystems[0].objects[1]": 7,
                        "externalSystems[1]": "S",
                    },
                }
            ]
        },
    ),
    "unlisted-values": Case(
        {"customerEngagement": [{"eventType": "neverHeardOf"}], "customerData": [{"system": "Zoho"}]},
        rows={"customer_engagement": [{"event_type": "neverHeardOf"}], "customer_data": [{"system": "Zoho"}]},
    ),
    "digits": _emails(
        '[{"id": "1", "big": 123456789012345678901234567890, "fine": 0.10000000000000000000000000000000000001, '
        f'"exponent": 1E400, "zero": -0.0, "long": {"7" * 5000}}}]',
        {
            "undocumented": {
                "big": 123456789012345678901234567890,
                "fine": Decimal("0.10000000000000000000000000000000000001"),
                "exponent": Decimal("1E400"),
                "zero": Decimal("-0.0"),
                "long": Decimal("7" * 5000),
            }
        },
    ),
    "characters": _emails(
        r'[{"id": "a\u0000b", "from": "\ud800", "\u0000": "\udfff", "mailbox": "\ud83d\ude00\u0001\u2028"}]',
        {
            "id": f"a{NUL}b",
            "from": REPLACED,
            "mailbox": "\N{GRINNING FACE}\u0001\u2028",
            "undocumented": {NUL: REPLACED},
        },
    ),
    "byte-order-mark": Case('\ufeff{"meetings": [{"id": "1"}]}', rows={"meetings": [{"id": "1"}]}),
    "empty-element": Case({"meetings": [{}]}, rows={"meetings": [{"undocumented": None}]}),
    "key-is-an-address": _emails(
        '[{"id": "1", "someone@else.example": 1}]', {"undocumented": {"someone@else.example": 1}}
    ),
}

# Bodies that are not an answer, and what the tap says about them.
FAULTS: dict[str, tuple[Reply, str]] = {
    "html": (Reply(body="<!doctype html><p>html@fault.example</p>"), "not JSON"),
    "empty": (Reply(body=b""), "not JSON"),
    "not-utf-8": (Reply(body='{"emails": [{"id": "é"}]}'.encode("latin-1")), "not JSON"),
    "utf-16": (Reply(body='{"emails": []}'.encode("utf-16")), "not JSON"),
    "half": (Reply(body='{"emails": ['), "not JSON"),
    "bottomless": (Reply(body='{"emails": ' + "[" * 100_000), "not JSON"),
    "not-a-number": (Reply(body='{"emails": [], "x": NaN}'), "not JSON"),
    "array": (Reply(body="[]"), "not a JSON object"),
    "null": (Reply(body="null"), "not a JSON object"),
    "text": (Reply(body='"emails"'), "not a JSON object"),
    "object": (Reply(body={}), "none of the documented sections"),
    "request-id-alone": (Reply(body={"requestId": "r1"}), "none of the documented sections"),
    "misspelt": (Reply(body={"Emails": [], "customer_data": []}), "none of the documented sections"),
    "errors": (Reply(body={**EMPTY, "errors": ["errors@fault.example"]}), "carries errors"),
    "page": (Reply(body={**EXAMPLE_ANSWER, "cursor": "eyJ"}), "a further page"),
    "page-in-records": (Reply(body={**EXAMPLE_ANSWER, "records": {"cursor": "eyJ"}}), "a further page"),
    "section-object": (Reply(body={**EMPTY, "calls": {}}), "a section is not a list"),
    "section-text": (Reply(body={**EMPTY, "calls": ""}), "a section is not a list"),
    "element-null": (Reply(body={**EMPTY, "calls": [{}, None]}), "an element of a section is not an object"),
    "element-text": (Reply(body={**EMPTY, "emails": ["x"]}), "an element of a section is not an object"),
    "created": (Reply(201, EXAMPLE_ANSWER), "201"),
    "accepted": (Reply(202, EMPTY), "202"),
    "no-content": (Reply(204, b""), "204"),
    "partial": (Reply(206, EXAMPLE_ANSWER), "206"),
}


def address_of(name: str) -> str:
    """Return the address that has a case."""
    return f"{name}@case.example"


@pytest.fixture(scope="module")
def answered() -> Result:
    """One run over all answers."""
    addresses = [address_of(name) for name in CASES]
    answers: dict[str, Reply | list[Reply]] = {address_of(name): Reply(body=case.body) for name, case in CASES.items()}
    with Sandbox(requests_per_second=0, answers=answers) as sandbox:
        return run_tap({**sandbox.config, **PACE, "email_addresses": addresses})


def test_every_answer_is_taken(answered: Result) -> None:
    """All of these are answers: the run exits 0, its output passes each check, and no address is logged."""
    check_output(answered, addresses=["someone@else.example"])
    assert answered.returncode == 0
    nothing = sum(case.status == "not_found" for case in CASES.values())
    assert f"{len(CASES)} addresses: {len(CASES) - nothing} found, {nothing} not found, 0 rejected" in answered.stderr


@pytest.mark.parametrize("name", CASES)
def test_an_answer_makes_its_records(name: str, answered: Result) -> None:
    """Each answer makes exactly its records, in order, and a `lookups` record that tells of it."""
    case = CASES[name]
    records = answered.records
    (lookup,) = (row for row in records["lookups"] if row["email_address"] == address_of(name))
    assert (lookup["status"], lookup["http_status"], lookup["errors"]) == (case.status, 200, None)
    holds(lookup, case.lookup or {})
    for stream in SECTIONS:
        rows = [row for row in records[stream] if row["email_address"] == address_of(name)]
        expected = (case.rows or {}).get(stream, [])
        assert len(rows) == len(expected) == lookup[f"{stream}_count"]
        for row, columns in zip(rows, expected, strict=True):
            holds(row, columns)
            assert row["looked_up_at"] == lookup["looked_up_at"]
            assert row["request_id"] == lookup["request_id"]


def holds(row: Row, columns: Mapping[str, object]) -> None:
    """Check columns of a record, digit by digit."""
    for column, value in columns.items():
        assert canonical(row[column]) == canonical(value)


def test_objects_of_a_repeated_system_are_joined(answered: Result) -> None:
    """If a system occurs twice, its record has the objects of both, in order."""
    rows = [row for row in answered.records["customer_data"] if row["email_address"] == address_of("system-twice")]
    assert [[item["id"] for item in row["objects"] or []] for row in rows] == [["1", "2"], []]


def test_names_of_undocumented_fields_are_said_once(answered: Result) -> None:
    """Each undocumented name has one WARNING; a name that could be an address is only counted."""
    said = re.findall(r"WARNING .*does not list; it is kept: (\S+)", answered.stderr)
    assert {"subject", "smsMessages", "sms", "org", "object_type"} <= set(said)
    assert len(said) == len(set(said)) <= 20
    assert len(re.findall(r"WARNING .*under other names, which are not shown", answered.stderr)) == 1


def test_replaced_characters_are_said_once(answered: Result) -> None:
    """That characters were replaced is one WARNING."""
    assert len(re.findall(r"WARNING .*U\+2400", answered.stderr)) == 1


def test_at_most_twenty_names_are_said() -> None:
    """Of more than twenty undocumented names twenty are logged, the others are counted, and all are kept."""
    unknown = {f"new{number}": number for number in range(30)}
    answers: dict[str, Reply | list[Reply]] = {"*": Reply(body={"meetings": [{"id": "1", **unknown}]})}
    with Sandbox(requests_per_second=0, answers=answers) as sandbox:
        result = run_tap({**sandbox.config, **PACE, "email_addresses": ["a@many.example", "b@many.example"]})
    check_output(result)
    assert len(re.findall("it is kept: new", result.stderr)) == 20
    assert [row["undocumented"] for row in result.records["meetings"]] == [unknown] * 2


@pytest.fixture(scope="module")
def failed() -> tuple[Result, dict[str, int]]:
    """One run over all bodies that are not an answer, each between good ones, and how often each address was asked."""
    answers: dict[str, Reply | list[Reply]] = {f"{name}@fault.example": reply for name, (reply, _) in FAULTS.items()}
    addresses = [address for name in FAULTS for address in (f"{name}@fault.example", f"unknown-{name}@good.example")]
    with Sandbox(requests_per_second=0, answers=answers) as sandbox:
        result = run_tap({**sandbox.config, **PACE, "max_retries": 1, "email_addresses": addresses})
        asked = [call.address for call in sandbox.calls]
    return result, {address: asked.count(address) for address in addresses}


def test_bodies_that_are_no_answer_fail_and_the_run_goes_on(failed: tuple[Result, dict[str, int]]) -> None:
    """Every such address ends `failed`, every good one is answered, and the exit code tells."""
    result, _ = failed
    check_output(result)
    assert result.returncode == 1
    assert f"0 found, {len(FAULTS)} not found, 0 rejected, {len(FAULTS)} failed, 0 not asked" in result.stderr


@pytest.mark.parametrize("name", FAULTS)
def test_a_body_that_is_no_answer_is_a_fault(name: str, failed: tuple[Result, dict[str, int]]) -> None:
    """It is tried again, then `failed` with a reason that quotes nothing, never `not_found`."""
    result, asked = failed
    reply, reason = FAULTS[name]
    address = f"{name}@fault.example"
    (lookup,) = (row for row in result.records["lookups"] if row["email_address"] == address)
    assert (lookup["status"], lookup["http_status"]) == ("failed", reply.status)
    assert reason in lookup["errors"][0]
    assert "@" not in lookup["errors"][0]
    assert {lookup[f"{stream}_count"] for stream in SECTIONS} == {None}
    assert not [row for stream in SECTIONS for row in result.records[stream] if row["email_address"] == address]
    assert asked[address] == 2
    assert asked[f"unknown-{name}@good.example"] == 1


@pytest.mark.parametrize("status", [400, 403, 503])
def test_what_an_error_holds_besides_its_messages_is_kept(status: int) -> None:
    """The field is in the look-up's `undocumented`; a new name, and a repair, are logged once."""
    body = r'{"requestId": ["r"], "errors": ["a\u0000", {"x": 1}], "code": 5, "a@b.de": 1}'
    addresses = ["a@error.example", "b@error.example"]
    with Sandbox(requests_per_second=0, answers={"*": Reply(status, body=body)}) as sandbox:
        result = run_tap({**sandbox.config, **PACE, "email_addresses": addresses, "max_retries": 0})
    check_output(result)
    for lookup in result.records["lookups"]:
        assert lookup["errors"] == ["a\N{SYMBOL FOR NULL}"]
        assert lookup["undocumented"] == {"requestId": ["r"], "errors[1]": {"x": 1}, "code": 5, "a@b.de": 1}
    assert len(result.records["lookups"]) == 2
    assert result.stderr.count("that its documentation does not list; it is kept: code\n") == 1
    assert result.stderr.count("characters that no target can store") == 1


def test_a_good_answer_after_a_fault_counts() -> None:
    """An address whose second try is answered is found, without a word of the first."""
    answers: dict[str, Reply | list[Reply]] = {"*": [Reply(body="<html>"), Reply()]}
    with Sandbox(requests_per_second=0, answers=answers) as sandbox:
        result = run_tap({**sandbox.config, **PACE, "email_addresses": ["a@second.example"], "max_retries": 1})
    check_output(result)
    assert result.returncode == 0
    (lookup,) = result.records["lookups"]
    assert (lookup["status"], lookup["errors"]) == ("found", None)


def test_sixty_thousand_e_mails_are_sixty_thousand_records() -> None:
    """One answer of 60,000 e-mails loses none of them."""
    with Sandbox(requests_per_second=0, answer_size=60_000) as sandbox:
        result = run_tap({**sandbox.config, **PACE, "email_addresses": ["a@large.example"]})
    check_output(result)
    assert result.returncode == 0
    assert len({row["id"] for row in result.records["emails"]}) == 60_000
    assert result.records["lookups"][0]["emails_count"] == 60_000


def test_sixty_thousand_e_mails_of_one_id_are_kept_apart() -> None:
    """Many different e-mails under one id are each a record, in bearable time."""
    emails = [{"id": "1", "from": str(number % 2000)} for number in range(60_000)]
    with Sandbox(requests_per_second=0, answers={"*": Reply(body={"emails": emails})}) as sandbox:
        result = run_tap({**sandbox.config, **PACE, "email_addresses": ["a@large.example"]})
    check_output(result)
    assert [row["from"] for row in result.records["emails"]] == [str(number) for number in range(2000)]
