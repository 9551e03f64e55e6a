"""What the sandbox knows about an address."""

from __future__ import annotations

import re

import pytest

from sandbox import EXAMPLE_ADDRESS, EXAMPLE_ANSWER, Sandbox, documented_answer
from tests.sandbox.asking import ask

SECTIONS = ("emails", "calls", "meetings", "customerData", "customerEngagement")


def shape(value: object) -> object:
    """Return a JSON value with its names and without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "value"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value)


def test_example_address_answers_the_documented_example_on_the_wire(sandbox: Sandbox) -> None:
    """The documentation's address gets its example unchanged, including the JSON text within a text."""
    answer = ask(sandbox, EXAMPLE_ADDRESS, **{"Accept-Encoding": "identity"})
    assert answer.json() == EXAMPLE_ANSWER
    assert (
        r'"mirrorId": "{\"integrationId\":\"262834820328732\",\"crmObjectType\":\"CONTACT\",'
        r'\"crmId\":\"0031Q00002DFhi4QAD\"}"'
    ) in answer.text


def test_unknown_address_holds_nothing(sandbox: Sandbox) -> None:
    """An address that begins with `unknown` is answered with five empty arrays."""
    body = ask(sandbox, "unknown.person@example.com").json()
    assert {name: body[name] for name in body if name != "requestId"} == {section: [] for section in SECTIONS}


def test_any_other_address_has_all_sections_in_the_documented_shape(sandbox: Sandbox) -> None:
    """Every other answer has the names and types of the example, with at least one element in each section."""
    assert shape(ask(sandbox, "someone@example.com").json()) == shape(EXAMPLE_ANSWER)


def test_data_differ_between_addresses_and_not_between_calls() -> None:
    """An address always has the same data; sizes and times differ between addresses."""
    people = [f"person{number}@example.com" for number in range(50)]
    answers = [documented_answer(person) for person in people]
    again = [documented_answer(person, call=2) for person in people]
    for section in SECTIONS:
        assert [answer[section] for answer in answers] == [answer[section] for answer in again]
        assert len({len(answer[section]) for answer in answers}) > 1, section
    times = [email["sentTime"] for answer in answers for email in answer["emails"]]
    pattern = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(Z|-03:00|\.834\+05:30|\.233692Z)", re.ASCII)
    assert all(pattern.fullmatch(sent) for sent in times)


def test_request_ids_differ_between_calls_and_repeat_in_a_fresh_sandbox() -> None:
    """No two calls have the same id, about whichever address; the same calls to a new sandbox have the same ids."""
    asked = [f"person{number % 5}@example.com" for number in range(20)]
    runs = []
    for _ in range(2):
        with Sandbox(requests_per_second=0) as sandbox:
            runs.append([ask(sandbox, address).json()["requestId"] for address in asked])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == len(asked)
    assert all(re.fullmatch("4al[0-9a-z]{16}", made) for made in runs[0])
    assert runs[0][0] == documented_answer(asked[0])["requestId"]


@pytest.mark.parametrize("address", ["plus+tag@example.com", "O'Brien&co=1#x@example.com", "zoë@exämple.com"])
def test_address_arrives_as_it_was_written(sandbox: Sandbox, address: str) -> None:
    """An encoded address is recorded and answered as it was written."""
    assert ask(sandbox, address).json() == documented_answer(address)
    assert [call.address for call in sandbox.calls] == [address]


def test_heavy_answers_are_the_same_for_all_but_the_special_addresses() -> None:
    """`answer_size` gives each address that many e-mails; empty and refused answers stay what they are."""
    with Sandbox(requests_per_second=0, answer_size=500) as sandbox:
        first, second = (ask(sandbox, f"{name}@example.com") for name in "ab")
        unknown, refused = (ask(sandbox, f"{name}@example.com") for name in ("unknown", "refused"))
    assert len({email["id"] for email in first.json()["emails"]}) == 500
    assert first.content == second.content
    assert unknown.json()["emails"] == []
    assert refused.status_code == 400
