"""What is an answer, and what only looks like one."""

from __future__ import annotations

import json

import pytest

from sandbox import EXAMPLE_ANSWER
from tap_gong_privacy.gong import answers
from tap_gong_privacy.gong.answers import UnusableError
from tests.gong.asking import SECTIONS

EMPTY = {"requestId": "r1", **{name: [] for name in SECTIONS}}


def read(content: object) -> answers.Answer:
    """Read an answer from its content."""
    return answers.read(json.dumps(content).encode())


def test_the_documented_example_is_an_answer() -> None:
    """The page's own example is taken whole."""
    answer = read(EXAMPLE_ANSWER)
    assert answer.request_id == EXAMPLE_ANSWER["requestId"]
    assert answer.sections == {name: EXAMPLE_ANSWER[name] for name in SECTIONS}
    assert answer.undocumented == {}
    assert answer.holds_something
    assert not answer.is_repaired


def test_five_empty_arrays_hold_nothing() -> None:
    """What Gong answers about an unknown address is an answer that holds nothing."""
    answer = read(EMPTY)
    assert not answer.holds_something
    assert answer.sections == {name: [] for name in SECTIONS}


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("value", [None, []])
def test_one_documented_section_is_enough(section: str, value: object) -> None:
    """One documented section, an array or null, makes an answer; the others count as empty."""
    answer = read({section: value})
    assert answer.sections == {name: [] for name in SECTIONS}
    assert answer.request_id is None
    assert not answer.holds_something


@pytest.mark.parametrize("section", SECTIONS)
def test_one_element_is_something(section: str) -> None:
    """An element of any section, even an empty one, is something that Gong holds."""
    assert read({section: [{}]}).holds_something


@pytest.mark.parametrize(
    "value", ["x", " ", 1, -1, 0.5, True, [1], {"a": {"b": [None, "x"]}}, [[], [{}, [0.1]]], {"a@b.de": "x"}]
)
def test_a_value_outside_the_documented_sections_is_something(value: object) -> None:
    """A value in an undocumented field, at any depth, makes the address found."""
    answer = read({**EMPTY, "smsMessages": value})
    assert answer.holds_something
    assert list(answer.undocumented) == ["smsMessages"]


@pytest.mark.parametrize("number", ["1e999", "1e-400", "123456789012345678901234567890"])
def test_a_number_of_any_size_is_something(number: str) -> None:
    """A number that no float holds counts as a value."""
    assert answers.read(f'{{"emails": [], "new": {number}}}'.encode()).holds_something


@pytest.mark.parametrize("value", [None, False, 0, 0.0, -0.0, "", [], {}, [None, [], {"a": ""}], {"a": {"b": [0]}}])
def test_empty_values_outside_the_documented_sections_are_nothing(value: object) -> None:
    """Null, false, 0 and empty text, however deep, hold nothing, and are kept all the same."""
    answer = read({**EMPTY, "smsMessages": value})
    assert not answer.holds_something
    assert "smsMessages" in answer.undocumented


@pytest.mark.parametrize("errors", [None, [], "", {}])
def test_empty_errors_do_no_harm(errors: object) -> None:
    """An `errors` that holds none does not spoil an answer."""
    assert read({**EMPTY, "errors": errors}).undocumented == {"errors": errors}


@pytest.mark.parametrize(
    "page", [{"cursor": ""}, {"cursor": None}, {"records": {"cursor": ""}}, {"records": None}, {"records": []}]
)
def test_an_empty_cursor_names_no_page(page: dict[str, object]) -> None:
    """A cursor that holds nothing does not spoil an answer."""
    assert read({**EMPTY, **page}).undocumented == page


@pytest.mark.parametrize(
    "content, reason",
    [
        ([], "not a JSON object"),
        (None, "not a JSON object"),
        ("emails", "not a JSON object"),
        (0, "not a JSON object"),
        (True, "not a JSON object"),
        ([EMPTY], "not a JSON object"),
        ({}, "none of the documented sections"),
        ({"requestId": "r1"}, "none of the documented sections"),
        ({"requestId": "r1", "Emails": [], "customer_data": []}, "none of the documented sections"),
        ({"emails": {}}, "a section is not a list"),
        ({"emails": ""}, "a section is not a list"),
        ({"emails": False}, "a section is not a list"),
        ({"emails": 0}, "a section is not a list"),
        ({**EMPTY, "calls": {"id": "1"}}, "a section is not a list"),
        ({**EMPTY, "calls": [None]}, "an element of a section is not an object"),
        ({**EMPTY, "meetings": [{}, []]}, "an element of a section is not an object"),
        ({**EMPTY, "meetings": ["id"]}, "an element of a section is not an object"),
        ({**EMPTY, "customerData": [1]}, "an element of a section is not an object"),
        ({**EMPTY, "customerEngagement": [True]}, "an element of a section is not an object"),
        ({**EXAMPLE_ANSWER, "errors": ["a@b.de is unwell"]}, "it carries errors"),
        ({**EMPTY, "errors": "a@b.de"}, "it carries errors"),
        ({**EMPTY, "errors": {"a@b.de": 1}}, "it carries errors"),
        ({**EMPTY, "cursor": "a@b.de"}, "a further page"),
        ({**EXAMPLE_ANSWER, "records": {"totalRecords": 2, "cursor": "eyJ"}}, "a further page"),
        ({**EMPTY, "cursor": 7}, "a further page"),
    ],
)
def test_what_only_looks_like_an_answer_is_unusable(content: object, reason: str) -> None:
    """Anything that is not a complete answer is refused, in words that quote nothing of it."""
    with pytest.raises(UnusableError, match=reason) as caught:
        read(content)
    assert "a@b.de" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"<!doctype html><p>a@b.de",
        b'{"emails": [',
        b'{"emails": []}{"emails": []}',
        '{"emails": [{"id": "é"}]}'.encode("latin-1"),
        '{"emails": []}'.encode("utf-16"),
        b"\x1f\x8b\x08\x00",
        b'{"emails": NaN}',
        b'{"emails": [], "new": 1e9999999999999999999999}',
        b'{"emails": ' + b"[" * 200_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_json_is_unusable(body: bytes) -> None:
    """A body that is not JSON in UTF-8 is refused, in words that quote nothing of it."""
    with pytest.raises(UnusableError, match=r"^its body is not JSON in UTF-8$") as caught:
        answers.read(body)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("section", SECTIONS)
def test_a_repeated_section_is_unusable(section: str) -> None:
    """JSON keeps the last one, which may be empty: what the first held would be lost."""
    body = json.dumps(EMPTY)[:-1] + f', "x": {"9" * 5000}, "{section}": [{{"id": "1"}}]}}'
    with pytest.raises(UnusableError, match="one name twice in an object") as caught:
        answers.read(body.encode())
    assert section not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        rb'{"emails": [{"id": "1"}], "\u0065mails": []}',
        rb'{"\u0065mails": [{"id": "1"}], "emai\u006Cs": []}',
        rb'{"email\u0073": [{"id": "1"}], "emails": []}',
    ],
)
def test_a_section_does_not_hide_behind_an_escape(body: bytes) -> None:
    """A name is the same however its letters are written."""
    with pytest.raises(UnusableError, match="one name twice in an object"):
        answers.read(body)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_may_contain_the_name_of_a_section(section: str) -> None:
    """A field of a CRM object may have a section's name, or a text hold it."""
    field = {"name": f'"{section}"', "value": {section: [], "x": {section: 1.5}}}
    system = {"system": "S", "objects": [{"fields": [field]}]}
    assert read({**EMPTY, "customerData": [system]}).holds_something


@pytest.mark.parametrize("hidden", ['"errors": ["x"]', '"cursor": "next"', '"records": {"cursor": "next"}'])
def test_what_makes_a_fault_does_not_hide_behind_its_twin(hidden: str) -> None:
    """An error, or a further page, that a later one of the same name would hide."""
    name = hidden.partition(":")[0]
    with pytest.raises(UnusableError, match="one name twice in an object"):
        answers.read(f'{{{hidden}, "emails": [], {name}: null}}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"emails": [], "requestId": "a", "requestId": "a"}',
        b'{"emails": [{"id": "1", "id": "2"}]}',
        b'{"customerData": [{"objects": [{"fields": [{"value": {"x": 1, "x": 2}}]}]}]}',
        b'{"emails": [], "new": [{"x": 1, "x": 2}]}',
    ],
)
def test_no_other_name_may_come_twice_either(body: bytes) -> None:
    """A repeated name is a fault on every level, because a value would be lost."""
    with pytest.raises(UnusableError, match="one name twice in an object"):
        answers.read(body)


def test_what_a_refusal_says_is_read() -> None:
    """Gong's messages, its requestId and all other fields are kept; errors of another type under their index."""
    body = rb'{"errors": ["a\u0000", 7, null, {"x": 1}, ""], "requestId": "r", "code": 5, "errors[3]": 2}'
    refusal = answers.read_refusal(body)
    assert refusal.messages == ("a␀", "7", "")
    assert refusal.request_id == "r"
    assert refusal.undocumented == {"code": 5, "errors[3]": 2, "errors[3]#2": {"x": 1}}
    assert refusal.is_repaired


@pytest.mark.parametrize("errors", ["text", {"a": 1}, 7, False])
def test_errors_that_are_no_list_are_kept(errors: object) -> None:
    """Errors that do not fit their type are kept among the undocumented fields."""
    refusal = answers.read_refusal(json.dumps({"errors": errors}).encode())
    assert (refusal.messages, refusal.undocumented) == ((), {"errors": errors})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'"text"', b"\xff", b"{}", b'{"errors": null}', b'{"errors": ["a"], "errors": ["b"]}'],
)
def test_a_refusal_may_say_nothing(body: bytes) -> None:
    """Nothing is expected of the body of an error."""
    assert answers.read_refusal(body) == answers.Refusal((), None, {}, is_repaired=False)


def test_a_repair_is_reported() -> None:
    """An answer with characters that no target can store is an answer, and says that they were replaced."""
    answer = answers.read(rb'{"emails": [{"id": "a\u0000"}]}')
    assert answer.is_repaired
    assert answer.sections["emails"] == [{"id": "a\N{SYMBOL FOR NULL}"}]


@pytest.mark.parametrize("request_id", [7, None, {"a": 1}, ["x"], "r" * 100])
def test_the_request_id_is_kept_as_it_came(request_id: object) -> None:
    """A `requestId` of any type is kept, and holds nothing by itself."""
    answer = read({**EMPTY, "requestId": request_id})
    assert answer.request_id == request_id
    assert not answer.holds_something
