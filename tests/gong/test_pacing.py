"""When calls start: the pace, the order, the pauses and the budget, by a clock that is handed in."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from sandbox import PATH, Reply, Sandbox
from tap_gong_privacy.gong.client import Client
from tap_gong_privacy.gong.outcomes import Status
from tap_gong_privacy.gong.pacing import BudgetSpentError, CutError, Pacer, Stop, Ticket
from tap_gong_privacy.gong.transport import Credentials, Transport
from tests.gong.asking import Clock, Told

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = 1e9


def pacer_by(clock: Clock, pace: float = FAST, max_pause: float = 300, budget: int | None = None) -> Pacer:
    """A pacer on a clock that never really waits, without jitter in the backoff."""
    return Pacer(pace, max_pause, budget, clock=clock, jitter=float, changed=clock)


@pytest.fixture
def clock() -> Clock:
    """Time without waiting."""
    return Clock()


@pytest.fixture
def pacer(clock: Clock) -> Pacer:
    """A pacer without a pace."""
    return pacer_by(clock)


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    """Threads that wait, in real time."""
    threads = Waiting()
    yield threads
    threads.pacer.close()
    threads.ended()


class Waiting:
    """Threads that wait for their turns at one pacer."""

    def __init__(self) -> None:
        """Begin without a thread."""
        self.cut: list[int] = []
        self.turns: list[tuple[float, int]] = []
        """When each thread took its turn, and its rank."""
        self._threads: list[threading.Thread] = []
        self._last = threading.local()
        self.pacer = self.pace()

    def pace(self, pace: float = FAST, budget: int | None = None) -> Pacer:
        """Make a pacer whose clock notes when each thread last looked at it, which is when it took its turn."""
        return Pacer(pace, 1e301, budget, clock=self._clock)

    def _clock(self) -> float:
        self._last.look = now = time.monotonic()
        return now

    def add(self, rank: int, delay: float = 0.0, limits: int = 0) -> None:
        """Let a thread wait for a turn."""
        self._threads.append(threading.Thread(target=self._wait, args=(rank, delay, limits), daemon=True))
        self._threads[-1].start()

    def _wait(self, rank: int, delay: float, limits: int) -> None:
        try:
            self.pacer.wait_for_turn(rank, delay, limits)
        except CutError:
            self.cut.append(rank)
        else:
            self.turns.append((self._last.look, rank))

    def are_held(self) -> bool:
        """Return whether no thread has had a turn for a while."""
        time.sleep(0.1)
        return not self.turns and not self.cut

    def ended(self) -> list[int]:
        """The ranks in the order of their turns, once all threads have ended."""
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        return [rank for _, rank in sorted(self.turns)]


@pytest.mark.parametrize("pace", [3, 0.7, 1000])
def test_the_pace_is_exact(clock: Clock, pace: float) -> None:
    """Each call starts 2 % later than Gong asks for, and none earlier, however long the calls take."""
    pacer = pacer_by(clock, pace)
    starts = []
    for rank in range(30):
        pacer.wait_for_turn(rank)
        starts.append(clock.now)
        clock.now += 0.25 * (rank % 3) / pace
    assert starts[0] == 1000
    intervals = [(later - earlier) * pace for earlier, later in pairwise(starts)]
    assert intervals == pytest.approx([1.02] * 29)


def test_further_tries_and_pauses_keep_the_pace(clock: Clock) -> None:
    """A delay or a pause that is over sooner does not bring calls together."""
    pacer = pacer_by(clock, 2)
    pacer.wait_for_turn(0)
    ticket = pacer.wait_for_turn(0, delay=0.1)
    pacer.pause_after_429(ticket, 0.1)
    pacer.wait_for_turn(0, limits=1)
    assert clock.now == pytest.approx(1000 + 2 * 0.51)


def test_many_workers_share_the_pace(waiting: Waiting) -> None:
    """However many wait at once, no two turns are closer than 1.02/`requests_per_second`."""
    waiting.pacer = waiting.pace(100)
    for rank in range(20):
        waiting.add(rank)
    assert len(waiting.ended()) == 20
    turns = sorted(seconds for seconds, _ in waiting.turns)
    assert min(later - earlier for earlier, later in pairwise(turns)) >= 1.02 / 100


def test_a_call_waits_before_it_takes_a_connection() -> None:
    """While a pause goes on, nothing is sent, and no connection is made that Gong could close meanwhile."""
    with Sandbox(requests_per_second=0) as sandbox:
        sandbox.answers["*"] = [Reply(429, headers={"Retry-After": "0.2"}), Reply()]
        transport = Transport(sandbox.url + PATH, Credentials(b"Bearer sandbox-token"), 5)
        client = Client(transport, Pacer(FAST, 300), Told(), max_retries=0, max_retry_wait=300)
        assert client.look_up("a@x.example", 0).status is Status.FOUND
        assert sandbox.intervals()[0] >= 0.2
        client.close()


def test_turns_are_given_in_the_order_of_the_list(waiting: Waiting) -> None:
    """The lowest rank is served first, not the first to arrive."""
    waiting.pacer.reserve(0)
    for rank in (3, 1, 2):
        waiting.add(rank)
    assert waiting.are_held()
    waiting.add(0)
    assert waiting.ended() == [0, 1, 2, 3]


def test_an_address_that_waits_for_its_further_try_holds_up_no_other(waiting: Waiting) -> None:
    """While one address waits for its delay, the others are asked."""
    waiting.add(0, delay=0.5)
    waiting.add(1)
    waiting.add(2)
    assert waiting.ended()[-1] == 0


def test_an_address_that_met_the_limit_lets_others_go_first(waiting: Waiting) -> None:
    """Those that have met fewer 429s are served first, and then the lower rank."""
    waiting.pacer.reserve(0)
    for rank, limits in ((1, 2), (2, 1), (3, 1), (4, 0)):
        waiting.add(rank, limits=limits)
    assert waiting.are_held()
    waiting.add(0)
    assert waiting.ended() == [0, 4, 2, 3, 1]


def test_a_pause_holds_every_call(clock: Clock, pacer: Pacer) -> None:
    """After a 429 no call starts before Retry-After is over."""
    pause = pacer.pause_after_429(pacer.wait_for_turn(0), 12.0)
    assert pause == (12.0, True, True)
    pacer.wait_for_turn(1)
    assert clock.now == pytest.approx(1012)


def test_a_shorter_pause_does_not_cut_a_longer_one(clock: Clock, pacer: Pacer) -> None:
    """Of two times that Gong names, the later one counts, and both make one pause."""
    first, second = pacer.wait_for_turn(0), pacer.wait_for_turn(1)
    assert pacer.pause_after_429(first, 5.0) == (5.0, True, True)
    assert pacer.pause_after_429(second, 1.0) == (5.0, False, True)
    pacer.wait_for_turn(2)
    assert clock.now == pytest.approx(1005)


def steps_of(pacer: Pacer, clock: Clock, retry_after: float | None, count: int) -> list[float]:
    """The seconds of so many pauses, one after the other."""
    steps = []
    for _ in range(count):
        ticket = pacer.wait_for_turn(0)
        pause = pacer.pause_after_429(ticket, retry_after)
        assert pause is not None
        steps.append(pause.seconds)
        clock.now += pause.seconds
    return steps


def test_backoff_grows_up_to_a_minute(clock: Clock) -> None:
    """If Gong names no time, pauses double up to 60 seconds."""
    assert steps_of(pacer_by(clock, max_pause=1000), clock, None, 8) == [1, 2, 4, 8, 16, 32, 60, 60]


def test_calls_under_way_together_make_one_step(pacer: Pacer) -> None:
    """However many calls met one limit, the pause takes one step; the next pause takes the next."""
    seen = []
    for calls in (3, 2, 1):
        tickets = [pacer.wait_for_turn(rank) for rank in range(calls)]
        pauses = [pacer.pause_after_429(ticket, None) for ticket in tickets]
        seen.append([(pause.seconds, pause.is_new) for pause in pauses if pause])
    assert seen == [[(1, True), (1, False), (1, False)], [(2, True), (2, False)], [(4, True)]]


def test_backoff_starts_over_after_another_answer(clock: Clock, pacer: Pacer) -> None:
    """An answer other than 429 resets the backoff."""
    assert steps_of(pacer, clock, None, 2) == [1, 2]
    pacer.note_answer()
    assert steps_of(pacer, clock, None, 2) == [1, 2]


def test_no_time_to_wait_is_believed_once(clock: Clock, pacer: Pacer) -> None:
    """If 429 goes on after `Retry-After: 0`, backoff begins; calls that were under way together take no step."""
    tickets = [pacer.wait_for_turn(rank) for rank in range(3)]
    assert [pacer.pause_after_429(ticket, 0) for ticket in tickets] == [(0, True, True), *[(0, False, False)] * 2]
    assert steps_of(pacer, clock, 0, 3) == [1, 2, 4]
    pacer.note_answer()
    assert steps_of(pacer, clock, 0, 2) == [0, 1]


@pytest.mark.parametrize("retry_after, waits", [(300.0, True), (300.1, False), (float("inf"), False), (0.0, True)])
def test_a_pause_beyond_the_longest_is_not_waited_for(pacer: Pacer, retry_after: float, waits: bool) -> None:  # noqa: FBT001
    """A pause of exactly `max_retry_wait` is allowed."""
    assert bool(pacer.pause_after_429(pacer.wait_for_turn(0), retry_after)) is waits


def test_a_test_waits_for_no_limit(clock: Clock) -> None:
    """With a limit below 0 no pause is allowed."""
    pacer = pacer_by(clock, max_pause=-1)
    assert pacer.pause_after_429(pacer.wait_for_turn(0), 0) is None


@pytest.mark.parametrize("others, too", [(0, False), (1, True)])
def test_a_ticket_tells_what_others_met(pacer: Pacer, others: int, too: bool) -> None:  # noqa: FBT001
    """Answers and limits are counted from the start of the call."""
    pacer.note_answer()
    pacer.pause_after_429(pacer.wait_for_turn(0), 0)
    ticket: Ticket = pacer.wait_for_turn(0)
    assert not pacer.has_answered_since(ticket)
    for _ in range(1 + others):
        pacer.pause_after_429(ticket, 0)
    assert pacer.has_limited_others(ticket, 1) is too
    pacer.note_answer()
    assert pacer.has_answered_since(ticket)


@pytest.mark.parametrize("seconds", [1e10, 1e17, 1e300])
def test_a_wait_of_ages_is_a_wait(waiting: Waiting, seconds: float) -> None:
    """However long a pause or a delay may be, it raises nothing, and a stop ends it."""
    waiting.pacer.pause_after_429(waiting.pacer.wait_for_turn(0), seconds)
    waiting.add(0)
    waiting.add(1, delay=seconds)
    assert waiting.are_held()
    waiting.pacer.stop(Stop("enough"))
    assert waiting.ended() == []
    assert sorted(waiting.cut) == [0, 1]


@pytest.mark.parametrize("pace", [1e-9, 1e-300, 5e-324])
def test_a_pace_of_ages_is_a_pace(waiting: Waiting, pace: float) -> None:
    """However slow the pace is, the first call starts at once and the second waits."""
    waiting.pacer = waiting.pace(pace)
    waiting.pacer.wait_for_turn(0)
    waiting.add(1)
    assert waiting.are_held()


def test_the_budget_is_shared_by_all(waiting: Waiting) -> None:
    """No more calls start than the budget allows, and waiting threads learn at once that it is spent."""
    waiting.pacer = waiting.pace(budget=2)
    waiting.pacer.reserve(0)
    for rank in (1, 2, 3):
        waiting.add(rank)
    waiting.add(4, delay=200)
    assert waiting.are_held()
    waiting.add(0)
    assert waiting.ended() == [0, 1]
    assert sorted(waiting.cut) == [2, 3, 4]
    assert waiting.pacer.is_spent
    with pytest.raises(BudgetSpentError):
        waiting.pacer.wait_for_turn(5)


def test_a_budget_that_is_not_spent_is_not(clock: Clock) -> None:
    """One call before the last the budget is not spent; without a budget it never is."""
    seen = []
    for budget in (2, None):
        pacer = pacer_by(clock, budget=budget)
        for rank in range(2):
            pacer.wait_for_turn(rank)
            seen.append(pacer.is_spent)
    assert seen == [False, True, False, False]


@pytest.mark.parametrize("end", ["stop", "close"])
def test_a_stop_ends_every_wait(waiting: Waiting, end: str) -> None:
    """A turn, a delay and a pause are cut at once, no call starts any more, and the first reason is kept."""
    pacer = waiting.pacer
    pacer.reserve(0)
    waiting.add(1)
    waiting.add(2, delay=99)
    assert waiting.are_held()
    if end == "stop":
        pacer.stop(Stop("first"))
        pacer.stop(Stop("second"))
    else:
        pacer.close()
    assert waiting.ended() == []
    assert sorted(waiting.cut) == [1, 2]
    assert pacer.stopped == (Stop("first") if end == "stop" else None)
    with pytest.raises(CutError):
        pacer.wait_for_turn(3)
