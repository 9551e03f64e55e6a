"""What the tests of the Gong side share: answers by a script, time without waiting, and a listener that remembers."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import pytest
from requests.structures import CaseInsensitiveDict
from typing_extensions import override

from tap_gong_privacy.gong.client import Client, Listener
from tap_gong_privacy.gong.pacing import CutError, Pacer
from tap_gong_privacy.gong.transport import Credentials, Response, Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gong_privacy.gong.outcomes import Outcome, Reason

ADDRESS = "Jane.O'Doe+gong@example.com"
ARRIVED = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECTIONS = ("emails", "calls", "meetings", "customerData", "customerEngagement")

Reply: TypeAlias = "Response | TransportError | Callable[[], Reply]"


def answer(status: int = 200, body: object = None, retry_after: float | str | None = None, **headers: str) -> Response:
    """Return a response; of a 200, unless there is a body, the answer that holds nothing."""
    if body is None:
        body = {"emails": []} if status == 200 else {"errors": ["an error of Gong's"]}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Response(status, CaseInsensitiveDict(headers), content, ARRIVED)


class Clock(threading.Condition):
    """Time that passes only while the one thread waits."""

    def __init__(self) -> None:
        """Begin at some moment."""
        super().__init__()
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    @override
    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "nobody would end this wait"
        self.now += timeout
        return False


class Told(Listener):
    """A listener that remembers each event."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.calls: list[tuple[int | None, bool]] = []
        self.failures: list[tuple[int, str, int]] = []
        self.pauses: list[tuple[float, bool]] = []

    @override
    def called(self, status: int | None, seconds: float, *, is_further_try: bool) -> None:
        assert seconds >= 0
        self.calls.append((status, is_further_try))

    @override
    def failed(self, rank: int, reason: Reason, tries_left: int) -> None:
        self.failures.append((rank, reason.text, tries_left))

    @override
    def paused(self, seconds: float, *, is_asked: bool) -> None:
        self.pauses.append((seconds, is_asked))


class Script(Transport):
    """Answers each call with the next reply, and then for ever with the last."""

    def __init__(self, clock: Clock, *replies: Reply) -> None:
        """Begin with the first reply."""
        super().__init__("http://localhost", Credentials(b""), 1)
        self._clock = clock
        self._replies = list(replies)
        self.asked: list[str] = []
        self.times: list[float] = []

    @override
    def get(self, query: dict[str, str]) -> Response:
        self.asked.append(query["emailAddress"])
        self.times.append(self._clock() - 1000)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        while not isinstance(reply, Response | TransportError):
            reply = reply()
        if isinstance(reply, TransportError):
            raise reply
        return reply


class Asker:
    """A client that gets scripted answers, on a clock that never really waits, without jitter in the backoff."""

    def __init__(
        self,
        *replies: Reply,
        max_retries: int = 0,
        max_retry_wait: float = 300,
        budget: int | None = None,
    ) -> None:
        """Set the client up."""
        clock = Clock()
        self.told = Told()
        self.script = Script(clock, *replies)
        self.pacer = Pacer(1e9, max_retry_wait, budget, clock=clock, jitter=float, changed=clock)
        self.client = Client(self.script, self.pacer, self.told, max_retries, max_retry_wait, jitter=float)

    def ask(self, address: str = ADDRESS, rank: int = 0) -> Outcome:
        """Look up an address."""
        return self.client.look_up(address, rank)

    def stopped(self) -> str:
        """Look up an address, which must stop the run, and return why."""
        with pytest.raises(CutError):
            self.ask()
        assert self.pacer.stopped is not None
        return self.pacer.stopped.message

    @property
    def times(self) -> list[float]:
        """The seconds at which calls started, but for the pace."""
        return [round(seconds, 3) for seconds in self.script.times]
