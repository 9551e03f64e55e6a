"""When calls start: the pace, the order, the pauses and the budget, whatever the wall clock does."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override
from urllib3.util import connection

from sandbox import Reply, Sandbox
from tap_gong_privacy.gong.client import Client, Status
from tap_gong_privacy.gong.pacing import BudgetSpentError, CutError, Pacer, Stop
from tap_gong_privacy.gong.transport import Credentials

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from tap_gong_privacy.gong.client import Lookup

FAST = 1e6
PACE = 1
"""At this pace the 2 % are 20 milliseconds, which even a busy machine rarely takes to note a call."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without limits, whose record is not delayed by the threads that share the process with it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    with Sandbox(requests_per_second=0) as unlimited:
        yield unlimited
    sys.setswitchinterval(before)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The steps of backoff that are taken; none of them is waited for."""
    taken: list[float] = []

    def step(value: float) -> float:
        taken.append(value)
        return 0.0

    monkeypatch.setattr("backoff.random_jitter", step)
    return taken


def look_up_all(sandbox: Sandbox, pacer: Pacer, count: int, *, max_retries: int = 3) -> list[Lookup]:
    """Look up many addresses at once, each on a thread of its own."""
    client = Client(
        sandbox.url,
        Credentials(b"Bearer sandbox-token"),
        pacer,
        request_timeout=5,
        max_retries=max_retries,
        max_retry_wait=300,
    )
    for place in range(count):
        pacer.expect(place)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(client.look_up, [f"a{place}@x.example" for place in range(count)], range(count)))


def test_no_two_calls_start_closer_than_the_pace(sandbox: Sandbox) -> None:
    """By Gong's own record no two calls are closer than 1/`requests_per_second`, nor much further apart."""
    look_up_all(sandbox, Pacer(PACE, 300), 4)
    assert len(sandbox.calls) == 4
    assert 1 / PACE <= min(sandbox.intervals()) < 1.5 / PACE


@pytest.mark.parametrize("pace", [3, 0.7, 1000])
def test_the_pace_is_exact(pace: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that only the waits move, each call starts 2 % later than Gong asks for, and none earlier."""
    now = 1000.0

    class Condition(threading.Condition):
        """Waits by the same clock."""

        @override
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal now
            assert timeout is not None
            now += timeout
            return False

    monkeypatch.setattr("tap_gong_privacy.gong.pacing.time", SimpleNamespace(monotonic=lambda: now))
    pacer = Pacer(pace, 300)
    monkeypatch.setattr(pacer, "_changed", Condition())
    starts = []
    for place in range(30):
        pacer.admit(place)
        now += 0.25 * (place % 3) / pace  # it takes its time to connect
        pacer.start()
        starts.append(now)
    intervals = [later - earlier for earlier, later in pairwise(starts)]
    assert min(intervals) * pace == pytest.approx(1.02)


def test_retries_and_pauses_keep_the_pace(sandbox: Sandbox) -> None:
    """Calls that are made again, after a fault or a pause, are no closer than others."""
    limit = Reply(429, headers={"Retry-After": "0.3"})
    fault = Reply(500, headers={"Retry-After": "0"})
    sandbox.answers["*"] = [fault, limit, Reply(fault="reset"), limit, Reply()]
    lookups = look_up_all(sandbox, Pacer(PACE, 300), 4)
    assert {lookup.status for lookup in lookups} == {Status.FOUND}
    assert len(sandbox.calls) == 8
    assert min(sandbox.intervals()) >= 1 / PACE


def test_the_pace_of_a_real_gong_meets_no_limit() -> None:
    """A Gong that counts the calls within any second never has to answer 429."""
    with Sandbox(requests_per_second=20) as sandbox:
        look_up_all(sandbox, Pacer(20, 300), 45)
        assert [call.status for call in sandbox.calls] == [200] * 45


def test_slow_connections_do_not_bring_calls_together(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that took long to connect is not sent together with the one after it."""
    slow = iter([1.2])
    connect = connection.create_connection

    def connect_slowly(*args: Any, **kwargs: Any) -> socket.socket:  # noqa: ANN401 - handed on
        time.sleep(next(slow, 0.0))
        return connect(*args, **kwargs)

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect_slowly)
    look_up_all(sandbox, Pacer(PACE, 300), 3)
    assert min(sandbox.intervals()) >= 1 / PACE


def test_calls_are_made_in_the_order_of_the_list(sandbox: Sandbox) -> None:
    """Whoever comes first, the lower place is served first."""
    look_up_all(sandbox, Pacer(50, 300), 20)
    assert [call.address for call in sandbox.calls] == [f"a{place}@x.example" for place in range(20)]


def test_a_retry_goes_before_later_places(sandbox: Sandbox) -> None:
    """A lower place that wants to call again, and may, is served before higher ones."""
    sandbox.answers["a0@x.example"] = [Reply(500, headers={"Retry-After": "0"}), Reply()]
    look_up_all(sandbox, Pacer(10, 300), 6)
    asked = [call.address for call in sandbox.calls]
    assert asked.index("a0@x.example", 1) <= 2


def test_a_place_that_waits_holds_up_no_other(sandbox: Sandbox) -> None:
    """While one address waits for its further try, the others are asked."""
    sandbox.answers["a0@x.example"] = [Reply(503, headers={"Retry-After": "1"}), Reply()]
    look_up_all(sandbox, Pacer(50, 300), 6)
    assert [call.address[1] for call in sandbox.calls] == ["0", "1", "2", "3", "4", "5", "0"]
    assert sandbox.calls[-1].started - sandbox.calls[0].started >= 1


def test_an_expected_place_is_not_overtaken() -> None:
    """A place whose worker has not asked yet goes before one that has."""
    pacer = Pacer(FAST, 300)
    pacer.expect(0)
    order: list[int] = []

    def come_later() -> None:
        pacer.admit(1)
        order.append(1)

    later = threading.Thread(target=come_later)
    later.start()
    later.join(0.2)
    assert later.is_alive()
    pacer.admit(0)
    order.insert(0, 0)
    later.join(5)
    assert order == [0, 1]


def test_a_pause_holds_every_worker(sandbox: Sandbox) -> None:
    """After a 429 no call starts before Retry-After is over."""
    sandbox.answers["*"] = [Reply(429, headers={"Retry-After": "1"}), Reply()]
    look_up_all(sandbox, Pacer(5, 300), 4)
    limited = next(call.started for call in sandbox.calls if call.status == 429)
    later = [call.started - limited for call in sandbox.calls if call.started > limited]
    # A call that was under way when the answer came had started before it.
    assert len(later) == 4
    assert min(later) >= 1


def test_calls_under_way_together_make_one_step_of_backoff(steps: list[float]) -> None:
    """However many calls met one limit, it is one step; the next pause is the next step."""
    pacer = Pacer(FAST, 300)
    for calls in (3, 2, 1):
        tickets = [_call(pacer) for _ in range(calls)]
        assert all(pacer.limit(ticket, None) for ticket in tickets)
    assert steps == [1, 2, 4]


def test_backoff_begins_anew_after_another_answer(steps: list[float]) -> None:
    """An answer that is no 429 takes the steps back."""
    pacer = Pacer(FAST, 300)
    for _ in range(2):
        pacer.limit(_call(pacer), None)
    pacer.answered()
    pacer.limit(_call(pacer), None)
    assert steps == [1, 2, 1]


def test_steps_end_at_a_minute(steps: list[float]) -> None:
    """Backoff grows up to a minute."""
    pacer = Pacer(FAST, 300)
    for _ in range(8):
        pacer.limit(_call(pacer), None)
    assert steps == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_shorter_wait_does_not_cut_a_longer_one() -> None:
    """Of two waits that Gong names, the one that ends later counts."""
    pacer = Pacer(FAST, 300)
    first, second = _call(pacer), _call(pacer)
    began = time.monotonic()
    pacer.limit(first, 0.5)
    pacer.limit(second, 0.1)
    pacer.admit(0)
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize("retry_after, waits", [(300.0, True), (300.1, False), (float("inf"), False), (0.0, True)])
def test_a_wait_beyond_the_longest_is_not_waited_for(retry_after: float, waits: bool) -> None:  # noqa: FBT001
    """`max_retry_wait` itself is still waited for."""
    pacer = Pacer(FAST, 300)
    assert pacer.limit(_call(pacer), retry_after) is waits


@pytest.mark.parametrize("wait", [1e10, 1e17, 1e300])
def test_a_wait_of_ages_is_a_wait(wait: float) -> None:
    """However long a wait is allowed and asked for, it raises nothing, and a stop ends it."""
    pacer = Pacer(FAST, 1e301)
    pacer.limit(_call(pacer), wait)
    ended: list[type[BaseException]] = []
    waiter = threading.Thread(target=_collect, args=(ended, lambda: pacer.admit(0)), daemon=True)
    waiter.start()
    waiter.join(0.1)
    assert waiter.is_alive()
    pacer.stop(Stop("enough"))
    waiter.join(5)
    assert ended == [CutError]


@pytest.mark.parametrize("pace", [1e-9, 1e-300, 5e-324])
def test_a_pace_of_ages_is_a_pace(pace: float) -> None:
    """However slow the pace is, the first call starts at once and the second waits."""
    pacer = Pacer(pace, 300)
    _call(pacer)
    waiter = threading.Thread(target=_collect, args=([], lambda: pacer.admit(1)), daemon=True)
    waiter.start()
    waiter.join(0.1)
    assert waiter.is_alive()


def test_the_wall_clock_may_jump(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pace, pauses and further tries go by the monotonic clock: hours forth and back change none of them."""
    jumps = iter(range(10**9))
    now = time.time
    monkeypatch.setattr("time.time", lambda: now() + 36_000 * (-1) ** next(jumps))
    sandbox.answers["*"] = [
        Reply(429, headers={"Retry-After": "0.5"}),
        Reply(503, headers={"Retry-After": "0.5"}),
        Reply(),
    ]
    began = time.monotonic()
    look_up_all(sandbox, Pacer(PACE, 300), 2)
    assert 3 <= time.monotonic() - began < 30
    assert min(sandbox.intervals()) >= 1 / PACE


def test_the_budget_is_shared_by_all(sandbox: Sandbox) -> None:
    """No more calls start than the budget allows, however many workers there are."""
    pacer = Pacer(100, 300, budget=3)
    sandbox.answers["*"] = Reply(500, headers={"Retry-After": "0"})
    with pytest.raises(BudgetSpentError):
        look_up_all(sandbox, pacer, 2, max_retries=5)
    assert len(sandbox.calls) == 3
    assert pacer.is_spent
    with pytest.raises(BudgetSpentError):
        pacer.admit(5)


def test_a_budget_that_is_not_spent_is_not() -> None:
    """One call before the last the budget is not spent; without a budget it never is."""
    seen = []
    for budget in (2, None):
        pacer = Pacer(FAST, 300, budget)
        for place in range(2):
            pacer.admit(place)
            seen.append(pacer.is_spent)
    assert seen == [False, True, False, False]


def test_a_stop_ends_every_wait() -> None:
    """Whoever waits for a turn, or to send, is cut at once; no call starts any more; the first reason stands."""
    pacer = Pacer(FAST, 300)
    pacer.limit(_call(pacer), 200)
    ended: list[type[BaseException]] = []
    waits = [lambda: pacer.admit(0), lambda: pacer.admit(1, time.monotonic() + 99), pacer.start]
    threads = [threading.Thread(target=_collect, args=(ended, wait), daemon=True) for wait in waits]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    assert not ended
    pacer.stop(Stop("first"))
    pacer.stop(Stop("second"))
    for thread in threads:
        thread.join(5)
    assert ended == [CutError] * 3
    assert pacer.stopped == Stop("first")
    with pytest.raises(CutError):
        pacer.admit(2)


def _call(pacer: Pacer) -> int:
    pacer.admit(0)
    return pacer.start()


def _collect(ended: list[type[BaseException]], wait: Callable[[], object]) -> None:
    try:
        wait()
    except CutError as error:
        ended.append(type(error))
