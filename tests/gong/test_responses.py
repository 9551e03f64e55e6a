"""What each response means: no HTTP, no clock, no pace."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from tap_gong_privacy.gong.outcomes import Outcome, Reason, Status
from tap_gong_privacy.gong.responses import Fault, Limited, Refused, judge, limit_reached, refused_everything
from tests.gong.asking import ADDRESS, ARRIVED, SECTIONS, answer


def test_an_answer_is_found_with_what_gong_holds() -> None:
    """A 200 that holds something is `found`, at the time at which it arrived."""
    outcome = judge(answer(body={"emails": [{"id": "1"}], "requestId": "4al0", "new": 5}))
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.http_status, outcome.request_id) == (Status.FOUND, 200, "4al0")
    assert (outcome.looked_up_at, outcome.errors, outcome.undocumented) == (ARRIVED, (), {"new": 5})
    assert outcome.answer is not None
    assert outcome.answer.sections["emails"] == [{"id": "1"}]
    assert not outcome.is_repaired


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("content", [[], None], ids=["empty", "null"])
def test_one_documented_section_that_holds_nothing_is_not_found(section: str, content: object) -> None:
    """The other sections may be missing."""
    outcome = judge(answer(body={section: content}))
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.NOT_FOUND


@pytest.mark.parametrize(
    "body",
    [
        "<html>Please log in</html>",
        "",
        "{}",
        "null",
        "[]",
        '{"requestId": "4al0"}',
        '{"emails": {}}',
        '{"emails": [7]}',
        '{"emails": []',
        '{"emails": [], "x": NaN}',
        b'{"emails": [], "x": "\xff"}',
        '{"emails": [], "errors": ["partial"]}',
        '{"emails": [], "cursor": "next"}',
        '{"emails": [{"id": "1"}], "emails": []}',
        '{"emails": [], "x": 1e9999999999999999999999}',
        "[" * 100_000,
    ],
    ids=range(16),
)
def test_a_200_that_is_no_answer_is_a_fault(body: object) -> None:
    """It is never `not_found`, and nothing of it is shown but Gong's requestId."""
    fault = judge(answer(body=body))
    assert isinstance(fault, Fault)
    outcome = fault.outcome
    assert (outcome.status, outcome.http_status, outcome.answer) == (Status.FAILED, 200, None)
    assert outcome.reason is not None
    assert outcome.errors == (outcome.reason.text,)
    assert outcome.reason.text.startswith("Gong answered 200, but ")
    assert outcome.request_id == ("4al0" if "4al0" in str(body) else None)
    assert not outcome.is_refusal


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 299, 408, 500, 502, 503, 504, 599, 600, 999])
def test_other_statuses_are_faults(status: int) -> None:
    """Other 2xx, 408, 5xx and invalid statuses may be tried again, regardless of the body."""
    fault = judge(answer(status, {"emails": [], "requestId": "4al0"}))
    assert isinstance(fault, Fault)
    assert (fault.outcome.status, fault.outcome.http_status) == (Status.FAILED, status)
    assert (fault.outcome.request_id, fault.outcome.undocumented) == ("4al0", {"emails": []})
    assert fault.outcome.errors == (f"Gong answered {status}",)
    assert fault.outcome.reason is not None
    assert not fault.outcome.is_refusal


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 402, 403, 404, 405, 410, 422, 451, 499])
def test_refusals_are_final(status: int) -> None:
    """3xx and other 4xx end the address, with Gong's messages, and advice about the configuration."""
    outcome = judge(answer(status, {"requestId": "4al0", "errors": ["no"]}, retry_after=1, Location="/elsewhere"))
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.http_status, outcome.is_refusal) == (Status.FAILED, status, True)
    assert outcome.errors == ("no",)
    assert outcome.reason is not None
    assert outcome.reason.text == f"Gong answered {status}"
    assert all(named in outcome.reason.advice for named in ("api_url", "api:data-privacy:read"))


def test_a_refusal_of_every_address_says_what_to_check() -> None:
    """The message names the status, the scope and `api_url`."""
    assert all(named in refused_everything(404) for named in ("404", "api_url", "api:data-privacy:read"))


def test_a_refused_address_is_rejected() -> None:
    """A 400 is `rejected`, with Gong's own messages."""
    outcome = judge(answer(400, {"requestId": "4al0", "errors": ["bad address", 7, "twice\0"], "code": 5}))
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.http_status, outcome.request_id) == (Status.REJECTED, 400, "4al0")
    assert outcome.errors == ("bad address", "7", "twice␀")
    assert (outcome.undocumented, outcome.is_repaired) == ({"code": 5}, True)
    assert (outcome.reason, outcome.is_refusal) == (None, False)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"errors": "text"}', '{"errors": []}', '{"errors": [{}]}'])
def test_a_rejection_without_messages_has_one_of_the_taps_own(body: str) -> None:
    """`errors` is never empty for a rejected address."""
    outcome = judge(answer(400, body))
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.errors) == (Status.REJECTED, ("Gong answered 400 without a message",))


@pytest.mark.parametrize("request_id", ["4al0-Z_9", "x" * 64])
def test_refused_credentials_come_with_all_that_there_is_to_check(request_id: str) -> None:
    """A 401 names the status, Gong's requestId, the credentials, the scope and `api_url`, not the body."""
    refused = judge(answer(401, {"requestId": request_id, "errors": [f"no such user {ADDRESS}"]}))
    assert isinstance(refused, Refused)
    said = f"{refused.reason.text}. {refused.reason.advice}"
    for named in ("401", request_id, "credentials", "api:data-privacy:read", "api_url"):
        assert named in said
    assert ADDRESS not in said
    assert "\n" not in said


@pytest.mark.parametrize("request_id", [ADDRESS, "x" * 65, "", "a b", "a\n", 7, None, ["a"]], ids=range(8))
def test_a_request_id_that_could_be_anything_is_not_shown(request_id: object) -> None:
    """Of an error body only a requestId of 1 to 64 of `[A-Za-z0-9_-]` is shown."""
    refused = judge(answer(401, {"requestId": request_id}))
    assert isinstance(refused, Refused)
    assert "(requestId not given)" in refused.reason.text


def date(seconds: float) -> str:
    """Return an HTTP date by a clock at Gong that is a day off."""
    return format_datetime(ARRIVED + timedelta(days=1, seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"Retry-After": "1"}, 1.0),
        ({"Retry-After": " 1.50 "}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "9" * 400}, float("inf")),
        ({"Retry-After": date(90), "Date": date(0)}, 90.0),
        ({"retry-after": date(90), "DATE": date(0)}, 90.0),
        ({"Retry-After": date(-9), "Date": date(0)}, 0.0),
        ({"Retry-After": "Wednesday, 21-Oct-15 07:28:01 GMT", "Date": "Wed Oct 21 07:28:00 2015"}, 1.0),
        ({"Retry-After": date(0)}, 86_400.0),
        ({"Retry-After": date(0), "Date": "yesterday"}, 86_400.0),
        ({"Retry-After": date(0), "Date": "Mon, 01 Jan 99999999999999999999999 00:00:00 GMT"}, 86_400.0),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("status", [429, 503])
def test_gong_says_how_long_to_wait(status: int, headers: dict[str, str], seconds: float) -> None:
    """Retry-After is seconds, or a date read against the answer's own `Date`, or else against the time of arrival."""
    result = judge(answer(status, **headers))
    assert isinstance(result, Limited | Fault)
    assert result.retry_after == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "1e3",
        "1,5",
        "0x10",
        "\xb2",
        "nan",
        "inf",
        "Mon, 32 Jan 2026 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999",
        "Mon, 01 Jan 2026 00:00:00 +9999999999999",
        "Mon, 01 Jan 99999999999999 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999999 00:00:00 GMT",
    ],
)
def test_an_unreadable_wait_is_none(value: str) -> None:
    """An unreadable Retry-After raises nothing, and counts as absent."""
    result = judge(answer(429, retry_after=value))
    assert isinstance(result, Limited)
    assert result.retry_after is None


@pytest.mark.parametrize(
    "retry_after, said",
    [
        (21_600, "Run again after 2026-01-01T18:00:00Z"),
        (0.5, "Run again after 2026-01-01T12:00:00Z"),
        (date(0), "Run again after 2026-01-02T12:00:00Z"),
        ("9" * 12, "Run again later"),
        ("9" * 400, "Run again later"),
        (None, "Gong did not say for how long"),
    ],
)
def test_a_limit_says_when_to_come_back(retry_after: float | str | None, said: str) -> None:
    """In UTC, to the second; a time beyond the year 9999 is none."""
    limited = judge(answer(429, retry_after=retry_after))
    assert isinstance(limited, Limited)
    reason: Reason = limit_reached(limited)
    assert said in f"{reason.text}. {reason.advice}"
    assert "429" in reason.text
