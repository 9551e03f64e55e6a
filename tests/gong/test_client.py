"""The tries of one address: what is tried again, when, how often, and which events the listener gets."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox import PATH, Sandbox
from sandbox import Reply as SandboxReply
from tap_gong_privacy.gong.client import Client
from tap_gong_privacy.gong.outcomes import Outcome, Reason, Status
from tap_gong_privacy.gong.pacing import BudgetSpentError, CutError, Pacer
from tap_gong_privacy.gong.prefetch import Prefetcher
from tap_gong_privacy.gong.transport import Credentials, Response, Transport, TransportError
from tests.gong.asking import ADDRESS, Asker, Reply, Told, answer

RESET = TransportError(Reason("the connection failed"))
CUT_OFF = TransportError(Reason("its answer broke off"), 200)
ALONE = "Gong answered 429 to this address alone"


def test_an_answer_is_the_outcome() -> None:
    """One call, whose answer counts."""
    asker = Asker(answer(body={"emails": [{"id": "1"}], "requestId": "4al0"}))
    outcome = asker.ask("a@x.example")
    assert (outcome.status, outcome.http_status, outcome.request_id) == (Status.FOUND, 200, "4al0")
    assert (outcome.attempts, outcome.errors, outcome.reason) == (1, (), None)
    assert asker.script.asked == ["a@x.example"]
    assert (asker.told.calls, asker.told.failures, asker.told.pauses) == ([(200, False)], [], [])


@pytest.mark.parametrize(
    "fault, status, reason",
    [
        (answer(503), 503, "Gong answered 503"),
        (answer(204, ""), 204, "Gong answered 204"),
        (answer(body="{}"), 200, "Gong answered 200, but it has none of the documented sections"),
        (RESET, None, "the connection failed"),
        (CUT_OFF, 200, "its answer broke off"),
    ],
    ids=["503", "204", "unusable", "reset", "cut_off"],
)
def test_faults_are_tried_again_then_fail(fault: Reply, status: int | None, reason: str) -> None:
    """An address has `max_retries` further tries, each after a step of the backoff, and each failure is an event."""
    asker = Asker(fault, max_retries=3)
    before = datetime.now(UTC)
    outcome = asker.ask(rank=7)
    assert (outcome.status, outcome.http_status, outcome.attempts) == (Status.FAILED, status, 4)
    assert outcome.errors
    assert outcome.reason is not None
    assert (outcome.reason.text, outcome.is_refusal) == (reason, False)
    assert asker.times == [0, 1, 3, 7]
    assert asker.told.failures == [(7, reason, 3), (7, reason, 2), (7, reason, 1), (7, reason, 0)]
    assert asker.told.calls == [(status, False), *[(status, True)] * 3]
    assert isinstance(fault, Response) or before <= outcome.looked_up_at <= datetime.now(UTC)
    assert asker.pacer.stopped is None


@pytest.mark.parametrize("fault", [answer(500), answer(408), answer(body="<html>"), RESET])
def test_a_fault_may_pass(fault: Reply) -> None:
    """An answer after a fault counts, and nothing of the fault is left but the call that it cost."""
    outcome = Asker(fault, answer(), max_retries=1).ask()
    assert (outcome.status, outcome.http_status, outcome.errors) == (Status.NOT_FOUND, 200, ())
    assert (outcome.reason, outcome.attempts) == (None, 2)


def test_each_address_has_all_its_tries_and_steps() -> None:
    """The tries that one address has used up do not count for the next one."""
    asker = Asker(answer(500), max_retries=1)
    asker.ask("a@x.example", 0)
    asker.ask("b@x.example", 1)
    assert [address[0] for address in asker.script.asked] == ["a", "a", "b", "b"]
    assert asker.times == [0, 1, 1, 2]


def test_the_last_status_stays_if_a_later_try_has_none() -> None:
    """`http_status` is the last one that there was."""
    outcome = Asker(answer(503), RESET, max_retries=1).ask()
    assert (outcome.status, outcome.http_status) == (Status.FAILED, 503)


def test_backoff_grows_up_to_a_minute() -> None:
    """The steps between the tries of an address double, and end at 60 seconds."""
    asker = Asker(answer(500), max_retries=8)
    asker.ask()
    assert asker.times == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_a_fault_waits_as_long_as_gong_says() -> None:
    """Retry-After takes the place of the step of backoff; a later fault without one takes the next step."""
    asker = Asker(answer(503, retry_after=50), answer(503, retry_after=0), answer(503), answer(), max_retries=3)
    assert asker.ask().status is Status.NOT_FOUND
    assert asker.times == [0, 50, 50, 54]


@pytest.mark.parametrize("status", [500, 408])
def test_a_fault_that_asks_for_too_long_a_wait_ends_the_address_at_once(status: int) -> None:
    """Beyond `max_retry_wait` there is no further try, and the run goes on."""
    asker = Asker(answer(status, retry_after=300.1), max_retries=5)
    assert asker.ask().status is Status.FAILED
    assert asker.told.failures == [(0, f"Gong answered {status}", 0)]
    assert len(asker.script.asked) == 1
    assert asker.pacer.stopped is None


@pytest.mark.parametrize("status", [301, 403, 404])
def test_refusals_fail_at_once(status: int) -> None:
    """What a wrong configuration causes is not tried again."""
    asker = Asker(answer(status), max_retries=3)
    outcome = asker.ask()
    assert (outcome.status, outcome.is_refusal, outcome.attempts) == (Status.FAILED, True, 1)
    assert asker.told.failures == [(0, f"Gong answered {status}", 0)]


def test_a_rejected_address_is_no_failure() -> None:
    """A 400 is final at once, and no trouble."""
    asker = Asker(answer(400, {"errors": ["bad"]}), max_retries=3)
    outcome = asker.ask()
    assert (outcome.status, outcome.errors, outcome.attempts) == (Status.REJECTED, ("bad",), 1)
    assert asker.told.failures == []


def test_refused_credentials_stop_the_run() -> None:
    """After a 401 nothing is tried again, and no other address is asked."""
    asker = Asker(answer(401, {"requestId": "4al0"}), max_retries=3)
    assert "401 (requestId 4al0)" in asker.stopped()
    with pytest.raises(CutError):
        asker.ask("b@x.example", 1)
    assert len(asker.script.asked) == 1
    assert asker.told.calls == [(401, False)]


def test_a_limit_is_waited_for_and_uses_up_no_retry() -> None:
    """Any number of 429s leaves an address its tries, and each counts as a call."""
    limit = answer(429, retry_after=2)
    asker = Asker(limit, limit, answer(500), limit, limit, answer(), max_retries=1)
    outcome = asker.ask()
    assert (outcome.status, outcome.attempts) == (Status.NOT_FOUND, 6)
    assert asker.times == [0, 2, 4, 5, 7, 9]
    assert asker.told.pauses == [(2, True)] * 4
    assert asker.told.failures == [(0, "Gong answered 500", 1)]
    assert asker.told.calls == [(status, number > 0) for number, status in enumerate([429, 429, 500, 429, 429, 200])]


def test_a_limit_without_a_time_is_backed_off_from() -> None:
    """Without a readable Retry-After pauses are steps of the backoff, which start over after any other answer."""
    asker = Asker(answer(429), answer(429, retry_after="soon"), answer(500), answer(429), answer(), max_retries=1)
    assert asker.ask().status is Status.NOT_FOUND
    assert asker.times == [0, 1, 3, 4, 5]
    assert asker.told.pauses == [(1, False), (2, False), (1, False)]


def test_gong_cannot_have_its_quota_spent_by_asking_for_no_wait() -> None:
    """`Retry-After: 0` is believed once; while nothing but 429 comes, backoff bounds the calls of `max_retry_wait`."""
    asker = Asker(answer(429, retry_after=0), max_retry_wait=300)
    assert "429" in asker.stopped()
    assert asker.told.pauses[:4] == [(0, True), (1, False), (2, False), (4, False)]
    assert len(asker.script.asked) < 15


@pytest.mark.parametrize("retry_after, known", [(21_600, True), ("9" * 19, False), ("9" * 400, False)])
def test_a_long_limit_stops_the_run(retry_after: float | str, known: bool) -> None:  # noqa: FBT001
    """A Retry-After beyond `max_retry_wait` is not waited for; the message says when to come back, in UTC."""
    asker = Asker(answer(429, retry_after=retry_after), max_retries=5)
    message = asker.stopped()
    assert "429" in message
    assert ("Run again after 2026-01-01T18:00:00Z" in message) is known
    assert "resumes where this one stopped" in message
    assert len(asker.script.asked) == 1


@pytest.mark.parametrize("retry_after", [10, None])
def test_limits_without_end_stop_the_run(retry_after: int | None) -> None:
    """Nothing but 429 for `max_retry_wait` stops the run; a time to come back is given only if Gong gave one."""
    asker = Asker(answer(429, retry_after=retry_after), max_retry_wait=60)
    message = asker.stopped()
    assert 60 <= asker.times[-1] < 70
    assert ("Run again after 2026-01-01T12:00:10Z" in message) is bool(retry_after)
    assert ("did not say for how long" in message) is not retry_after


def test_another_answer_ends_the_count_of_limits() -> None:
    """The time that counts towards endless limits starts over after any other answer."""
    limit, fault = answer(429, retry_after=40), answer(500, retry_after=0)
    asker = Asker(limit, limit, fault, limit, limit, fault, limit, limit, answer(), max_retries=2, max_retry_wait=90)
    assert asker.ask().status is Status.NOT_FOUND


@pytest.mark.parametrize("retry_after", [None, 0, 1])
@pytest.mark.parametrize("max_retries", [0, 1, 5])
def test_an_address_that_meets_the_limit_by_itself_fails(retry_after: int | None, max_retries: int) -> None:
    """If others are answered between its tries, it ends after `max_retries` further tries, and the run goes on."""

    def limit_after_another_was_answered() -> Reply:
        asker.pacer.note_answer()
        return answer(429, retry_after=retry_after)

    asker = Asker(limit_after_another_was_answered, max_retries=max_retries)
    outcome = asker.ask(rank=4)
    assert (outcome.status, outcome.http_status) == (Status.FAILED, 429)
    assert outcome.attempts == 1 + max(max_retries, 1)  # A single try cannot tell whose limit it is.
    assert outcome.reason is not None
    assert outcome.reason.text == ALONE
    assert asker.told.failures == [(4, ALONE, 0)]
    assert asker.pacer.stopped is None


def test_a_limit_that_others_meet_too_is_no_fault_of_the_address() -> None:
    """However many answers come in between, while others meet 429 as well, an address goes on being asked."""

    def limit_for_another_too() -> Reply:
        other = asker.pacer.wait_for_turn(1)
        asker.pacer.note_answer()
        asker.pacer.pause_after_429(other, 1)
        return answer(429, retry_after=1)

    asker = Asker(*[limit_for_another_too] * 20, answer(), max_retries=1)
    assert asker.ask().status is Status.NOT_FOUND


def test_no_address_fails_by_a_limit_if_none_was_answered() -> None:
    """If only one address is asked, its own limit cannot be told from the company's."""
    asker = Asker(*[answer(429, retry_after=1)] * 20, answer(), max_retries=1)
    assert asker.ask().status is Status.NOT_FOUND


@pytest.mark.parametrize("concurrency", [2, 8])
@pytest.mark.parametrize("retry_after", ["0", "0.05", None])
@pytest.mark.parametrize("limited", [0, 5])
def test_an_address_that_meets_the_limit_by_itself_blocks_no_other(
    concurrency: int, retry_after: str | None, limited: int
) -> None:
    """All others are answered, in the order of the list, with one call each."""
    addresses = [f"a{rank}@x.example" for rank in range(12)]
    with Sandbox(requests_per_second=0) as sandbox:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        sandbox.answers[addresses[limited]] = SandboxReply(429, headers=headers)
        pacer = Pacer(200, 300, jitter=lambda _: 0.02)
        transport = Transport(sandbox.url + PATH, Credentials(b"Bearer sandbox-token"), 5)
        client = Client(transport, pacer, Told(), max_retries=3, max_retry_wait=300)
        outcomes = list(Prefetcher(client.look_up, concurrency).in_order(addresses, pacer.reserve, lambda: None))
        client.close()
        asked = [call.address for call in sandbox.calls]
    assert [outcome.status for outcome in outcomes].index(Status.FAILED) == limited
    assert [outcome.attempts for outcome in outcomes if outcome.status is Status.FOUND] == [1] * 11
    assert outcomes[limited].attempts == asked.count(addresses[limited]) >= 4


def test_a_spent_budget_cuts_what_was_not_asked() -> None:
    """Without a call left a look-up has no outcome, and nothing is asked."""
    asker = Asker(answer(), budget=1)
    asker.ask()
    with pytest.raises(BudgetSpentError):
        asker.ask(rank=1)
    assert len(asker.script.asked) == 1


def test_a_look_up_that_the_budget_cuts_off_after_a_fault_has_failed() -> None:
    """Every try counts, and the fault that was met is the outcome, without a wait for a try that cannot come."""
    asker = Asker(answer(500), answer(503), budget=2, max_retries=5)
    outcome = asker.ask()
    assert (outcome.status, outcome.http_status, outcome.attempts) == (Status.FAILED, 503, 2)
    assert asker.times == [0, 1]


def test_a_look_up_that_the_budget_cuts_off_after_a_limit_counts_as_not_asked() -> None:
    """A 429 spends a call of the budget, and is not an outcome."""
    asker = Asker(answer(429, retry_after=1), budget=3)
    with pytest.raises(BudgetSpentError):
        asker.ask()
    assert len(asker.script.asked) == 3


def test_a_limit_stops_the_run_even_if_its_call_spent_the_budget() -> None:
    """A quota that is spent is told apart from a budget that is spent."""
    asker = Asker(answer(429, retry_after=21_600), budget=1)
    assert "429" in asker.stopped()


@pytest.mark.parametrize("reply", [answer(401), answer(500), answer(body="{}"), answer(403, f'"{ADDRESS}"'), RESET])
def test_nothing_that_is_said_shows_the_address(reply: Reply) -> None:
    """Neither an exception nor a reason nor a message has a place for it."""
    asker = Asker(reply)
    said: list[object] = []
    try:
        said.append(asker.ask())
    except CutError as error:
        said += [error, error.__cause__, error.__context__, asker.pacer.stopped]
    assert "Jane" not in repr([*said, vars(asker.told)])


def test_runs_in_one_process_leave_no_thread_and_no_descriptor() -> None:
    """However a run ends, its threads and connections end with it."""

    def run(*, take: int) -> list[Outcome]:
        pacer = Pacer(1000, 300)
        transport = Transport(sandbox.url + PATH, Credentials(b"Bearer sandbox-token"), 5)
        client = Client(transport, pacer, Told(), max_retries=3, max_retry_wait=300)
        addresses = [f"a{rank}@x.example" for rank in range(20)]
        outcomes = Prefetcher(client.look_up, 4).in_order(addresses, pacer.reserve, lambda: None)
        taken = [next(outcomes) for _ in range(take)]
        outcomes.close()
        client.close()
        return taken

    def open_now() -> tuple[int, int]:
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("look-up")]
        return len(threads), len(list(descriptors.iterdir())) if descriptors.is_dir() else 0

    descriptors = Path("/proc/self/fd" if os.name == "posix" else "nowhere")
    with Sandbox(requests_per_second=0) as sandbox:
        sandbox.answers["a7@x.example"] = SandboxReply(503, headers={"Retry-After": "200"})
        before = open_now()
        for take in (7, 3, 7):
            assert len(run(take=take)) == take
        for _ in range(100):
            # The sandbox has its own end of each connection.
            if open_now() == before:
                break
            time.sleep(0.05)
        assert open_now() == before
