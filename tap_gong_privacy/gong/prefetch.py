"""Many look-ups: a bounded number in flight, their results in order."""

from __future__ import annotations

import itertools
import queue
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_gong_privacy.gong.client import Lookup

Job: TypeAlias = "tuple[int, str]"
"""An address with its rank: jobs come out in the order in which they go in."""

_TICK = 0.5


class Lookups:
    """Looks addresses up on threads of its own, which hold nobody up when the process ends."""

    def __init__(self, look_up: Callable[[str, int], Lookup], max_concurrency: int) -> None:
        """Initialize the look-ups.

        Args:
            look_up: Looks up an address, given it and its rank.
            max_concurrency: Look-ups in flight at once; one that waits for its turn, or is being consumed, counts.
        """
        self._look_up = look_up
        self._max_concurrency = min(max_concurrency, sys.maxsize)
        self._threads = 0
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[int, Lookup | BaseException]] = queue.SimpleQueue()

    def in_order(
        self,
        addresses: Iterable[str],
        expect: Callable[[int], None],
        tick: Callable[[], None],
    ) -> Iterator[Lookup]:
        """Look up addresses.

        Args:
            addresses: The addresses.
            expect: Told each rank before its look-up begins.
            tick: Called about twice a second while waiting; what it raises ends the wait.

        Yields:
            The outcomes, in the order of the addresses.

        Raises:
            BaseException: What a look-up raised, once its turn has come.
        """
        jobs = enumerate(addresses)
        flying: deque[int] = deque()
        landed: dict[int, Lookup | BaseException] = {}
        while True:
            for rank, address in itertools.islice(jobs, self._max_concurrency - len(flying)):
                expect(rank)
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
            del outcome  # its answer is not to live on beside the next one's
            flying.popleft()

    def _landed(self, tick: Callable[[], None]) -> list[tuple[int, Lookup | BaseException]]:
        tick()
        try:
            return [self._results.get(timeout=_TICK)]
        except queue.Empty:
            return []

    def _start(self, rank: int, address: str) -> None:
        self._jobs.put((rank, address))
        if self._threads < self._max_concurrency:
            self._threads += 1
            # Daemons: those of `concurrent.futures` would be joined at exit, amid a wait of an hour.
            threading.Thread(target=self._work, name=f"look-up {self._threads}", daemon=True).start()

    def _work(self) -> None:
        while True:
            rank, address = self._jobs.get()
            try:
                self._results.put((rank, self._look_up(address, rank)))
            except BaseException as error:  # noqa: BLE001 - raised where the consumer is
                self._results.put((rank, error))
