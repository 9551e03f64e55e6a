"""Many look-ups: their order, how many are in flight, and what happens to those that are no longer needed."""

from __future__ import annotations

import threading
import time
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.gong.answers import Answer, Element
from tap_gong_privacy.gong.outcomes import Outcome, Status
from tap_gong_privacy.gong.prefetch import Prefetcher

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEN = [f"a{rank}@x.example" for rank in range(10)]


def outcome(address: str, _rank: int = 0) -> Outcome:
    """An outcome that tells its address."""
    return Outcome(Status.NOT_FOUND, NOW, request_id=address)


def ignore(*_: object) -> None:
    """Do nothing."""


def workers() -> list[threading.Thread]:
    """The threads that make look-ups."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("look-up")]


def have_ended(threads: list[threading.Thread]) -> bool:
    """Whether all of these threads end soon."""
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Check after each test that its threads end with its iterators."""
    yield
    assert have_ended(workers())


class Gate:
    """Look-ups that end when the test releases them."""

    def __init__(self) -> None:
        """Begin with all look-ups held."""
        self.begun: list[str] = []
        self.free = threading.Semaphore(0)

    def look_up(self, address: str, rank: int) -> Outcome:
        """Wait to be let go."""
        self.begun.append(address)
        self.free.acquire()
        return outcome(address, rank)

    def settled(self) -> int:
        """Return how many look-ups have begun, once no new one begins."""
        count = -1
        while count != len(self.begun):
            count = len(self.begun)
            time.sleep(0.1)
        return count


def test_results_come_in_the_order_of_the_addresses() -> None:
    """Later addresses that are answered first wait for the earlier ones."""

    def look_up(address: str, rank: int) -> Outcome:
        time.sleep(0.02 * ((10 - rank) % 4))
        return outcome(address)

    results = Prefetcher(look_up, 4).in_order(TEN, ignore, ignore)
    assert [result.request_id for result in results] == TEN


@pytest.mark.parametrize("concurrency", [1, 3, 10, 10**30])
def test_no_more_than_the_bound_are_in_flight(concurrency: int) -> None:
    """Neither fewer nor more look-ups than `max_concurrency` are under way; the one being consumed counts."""
    gate = Gate()
    bound = min(concurrency, 10)
    results = Prefetcher(gate.look_up, concurrency).in_order(TEN, ignore, ignore)
    consumer = threading.Thread(target=lambda: next(results), daemon=True)
    consumer.start()
    assert gate.settled() == bound
    gate.free.release(bound)
    consumer.join(5)
    # One is being consumed, the others of the first batch are answered and wait for their turn.
    assert gate.settled() == bound
    gate.free.release(10)
    assert [result.request_id for result in results] == TEN[1:]
    assert gate.begun == TEN if concurrency == 1 else sorted(gate.begun) == TEN


def test_an_answer_is_dropped_once_it_is_consumed() -> None:
    """What was yielded is not held: memory is bounded by what is in flight."""

    class Watched(list[Element]):
        """A section that can be watched."""

    made = gone = most = 0

    def leave() -> None:
        nonlocal gone
        gone += 1

    def look_up(_address: str, _rank: int) -> Outcome:
        nonlocal made
        section = Watched()
        weakref.finalize(section, leave)
        made += 1
        return Outcome(Status.FOUND, NOW, answer=Answer({"emails": section}, None, {}, is_repaired=False))

    for result in Prefetcher(look_up, 3).in_order(TEN * 5, ignore, ignore):
        assert result.answer is not None
        most = max(most, made - gone)
        del result
    assert made == 50
    assert most <= 3


def test_each_rank_is_reserved_before_its_look_up_begins() -> None:
    """The queue of calls knows a rank before a later one could overtake it."""
    reserved: list[int] = []
    wrong: list[int] = []

    def look_up(address: str, rank: int) -> Outcome:
        if rank not in reserved:
            wrong.append(rank)
        return outcome(address)

    list(Prefetcher(look_up, 4).in_order(TEN, reserved.append, ignore))
    assert reserved == list(range(10))
    assert not wrong


def test_what_a_look_up_raises_is_raised_in_its_turn() -> None:
    """Outcomes before the error are yielded, and those after it are not."""

    def look_up(address: str, rank: int) -> Outcome:
        if rank == 3:
            raise KeyError(rank)
        time.sleep(0.05)
        return outcome(address)

    results = Prefetcher(look_up, 5).in_order(TEN, ignore, ignore)
    assert [next(results).request_id for _ in range(3)] == TEN[:3]
    with pytest.raises(KeyError):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize("taken", [1, 5, 10])
def test_threads_end_with_the_iterator(taken: int) -> None:
    """Whether it is exhausted or closed before, no thread is left once the look-ups in flight have ended."""
    results = Prefetcher(outcome, 4).in_order(TEN, ignore, ignore)
    assert [next(results).request_id for _ in range(taken)] == TEN[:taken]
    threads = workers()
    assert 1 <= len(threads) <= 4
    results.close()
    assert have_ended(threads)


def test_a_tick_ends_the_wait() -> None:
    """An error of the tick ends the wait for a look-up that never ends, and its thread keeps no process alive."""
    ticks = iter([None, None, SystemExit(143)])

    def tick() -> None:
        if error := next(ticks):
            raise error

    gate = Gate()
    results = Prefetcher(gate.look_up, 2).in_order(TEN, ignore, tick)
    with pytest.raises(SystemExit):
        next(results)
    threads = workers()
    assert len(threads) == 2
    assert all(thread.daemon for thread in threads)
    gate.free.release(2)
    assert have_ended(threads)
    assert len(gate.begun) == 2


def test_no_address_means_no_look_up() -> None:
    """An empty list begins nothing."""
    gate = Gate()
    assert list(Prefetcher(gate.look_up, 4).in_order([], ignore, ignore)) == []
    assert not gate.begun
