"""Many look-ups: a bounded number in flight, their outcomes in the order of the addresses."""

from __future__ import annotations

import itertools
import queue
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from tap_gong_privacy.gong.outcomes import Outcome

_TICK = 0.5


class Prefetcher:
    """Runs look-ups on daemon threads, so that a pending request never delays the end of the process."""

    def __init__(self, look_up: Callable[[str, int], Outcome], max_concurrency: int) -> None:
        """Initialize the prefetcher.

        Args:
            look_up: Looks up an address, given the address and its rank.
            max_concurrency: Look-ups in flight at once. One that waits for its turn, or whose outcome is being
                consumed, counts.
        """
        self._look_up = look_up
        self._max_concurrency = min(max_concurrency, sys.maxsize)
        self._threads = 0
        self._jobs: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[int, Outcome | BaseException]] = queue.SimpleQueue()

    def in_order(
        self,
        addresses: Iterable[str],
        reserve: Callable[[int], None],
        tick: Callable[[], None],
    ) -> Generator[Outcome, None, None]:
        """Look up addresses. Can be called once.

        Args:
            addresses: The addresses. Their ranks are their positions, from 0.
            reserve: Is told each rank before its look-up begins.
            tick: Is called about twice a second while waiting. What it raises ends the wait.

        Yields:
            The outcomes, in the order of the addresses.

        Raises:
            BaseException: What a look-up raised, once its turn has come.
        """
        jobs = enumerate(addresses)
        flying: deque[int] = deque()
        landed: dict[int, Outcome | BaseException] = {}
        try:
            while True:
                for rank, address in itertools.islice(jobs, self._max_concurrency - len(flying)):
                    reserve(rank)
                    self._start(rank, address)
                    flying.append(rank)
                if not flying:
                    return
                while flying[0] not in landed:
                    landed.update(self._landed(tick))
                outcome = landed.pop(flying[0])
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
                del outcome  # Frees its answer before the next one arrives.
                flying.popleft()
        finally:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _landed(self, tick: Callable[[], None]) -> list[tuple[int, Outcome | BaseException]]:
        tick()
        try:
            return [self._results.get(timeout=_TICK)]
        except queue.Empty:
            return []

    def _start(self, rank: int, address: str) -> None:
        self._jobs.put((rank, address))
        if self._threads < self._max_concurrency:
            self._threads += 1
            # The threads of `concurrent.futures` would be joined at exit, even in a wait of an hour.
            threading.Thread(target=self._work, name=f"look-up {self._threads}", daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            rank, address = job
            try:
                self._results.put((rank, self._look_up(address, rank)))
            except BaseException as error:  # noqa: BLE001 - the consumer raises it
                self._results.put((rank, error))
