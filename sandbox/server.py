"""A stand-in for Gong that serves HTTP on loopback.

It answers two calls, if they carry the credentials:

* `GET /v2/data-privacy/data-for-email-address?emailAddress=…`: what it holds about an address
  (see `sandbox.answers`). An address that begins with `refused` is answered with 400.
* `POST /v2/data-privacy/erase-data-for-email-address?emailAddress=…`: erases the address, and
  answers before that has happened, as Gong does. `erase_after` seconds later its e-mails, calls
  and CRM records are gone; meetings and engagement events stay.

As with Gong, wrong credentials and unknown paths are answered with 401, a call without an address
with 400, and calls beyond the limit per second or per day with 429. The day is the sandbox's
lifetime. A call that was answered with 401 or 429 counts towards neither limit. Both kinds of call
share the limits.
"""

from __future__ import annotations

import base64
import functools
import socket
import struct
import threading
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qs

from sandbox.answers import documented_answer, request_id
from sandbox.replies import SILENT, Reply, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/v2/data-privacy/data-for-email-address"
ERASE_PATH = "/v2/data-privacy/erase-data-for-email-address"
QUOTA_RETRY_AFTER = 21_600
"""Seconds that an answer beyond the daily quota tells the client to wait."""

_KNOWN = {("GET", PATH), ("POST", ERASE_PATH)}
_DOCUMENTED = Reply()
_ERROR = "An error has occurred"
_ACCESS_DENIED = "Validate credentials failed. Please check your credentials and try again."


@dataclass(frozen=True)
class Call:
    """A request that the sandbox has read.

    Attributes:
        started: `time.monotonic()` when the request had been read.
        address: The address in the query, empty if there was none.
        status: The status of its answer, 0 if a fault left it without one.
        headers: The request's headers, their names in lower case.
        method: The HTTP method: `GET` for a look-up, `POST` for an erasure.
    """

    started: float
    address: str
    status: int
    headers: Mapping[str, str]
    method: str = "GET"


class _Request(NamedTuple):
    started: float
    method: str
    path: str
    address: str
    headers: dict[str, str]

    @property
    def length(self) -> int:
        """The size of the body, which is read and ignored."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isdecimal() else 0


def _parse(head: bytes, started: float) -> _Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path, _, query = rest.partition(" ")[0].partition("?")
    address = parse_qs(query).get("emailAddress", [""])[0]
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return _Request(started, method, path, address, headers)


@functools.lru_cache(maxsize=4)
def _shared_message(emails: int, *, compress: bool) -> bytes:
    """Return the one answer of a sandbox with an `answer_size`, encoded."""
    return b"".join(encode(_DOCUMENTED, documented_answer("", emails), compress=compress))


@dataclass(kw_only=True, eq=False)
class Sandbox:
    """A stand-in for Gong that serves from `start` to `stop`, or as a context manager.

    Attributes:
        port: The TCP port. 0 takes a free one, and `start` then sets its number.
        requests_per_second: How many calls may start within any second; 0 is no limit.
        daily_quota: How many calls are answered at all; 0 is no limit.
        delay: Seconds to wait before each answer.
        answer_size: How many e-mails each answer that holds data has. The answer is then the same
            for all addresses, its `requestId` included, and is encoded only once. 0 gives each
            address its own answer.
        fail_every: Each call whose number is a multiple of this is answered with 500; 0 lets none fail.
        erase_after: Seconds from the request of an erasure until the data is gone.
        compress: Whether bodies over 1 KB are gzipped for clients that accept it.
        access_key: The key of the key pair.
        access_key_secret: The secret of the key pair.
        access_token: The OAuth token, accepted instead of the key pair.
        answers: Scripted answers to look-ups by address, `*` for all others. Each call takes the
            next reply of a list; the last one is repeated. Credentials and limits come first.
        calls: The calls so far, in the order in which they were answered.
    """

    port: int = 0
    requests_per_second: int = 3
    daily_quota: int = 10_000
    delay: float = 0.0
    answer_size: int = 0
    fail_every: int = 0
    erase_after: float = 1.0
    compress: bool = True
    access_key: str = "sandbox-key"
    access_key_secret: str = "sandbox-secret"  # noqa: S105 - opens nothing but a sandbox
    access_token: str = "sandbox-token"  # noqa: S105 - as above
    answers: dict[str, Reply | list[Reply]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Prepare the state that the threads share."""
        pair = base64.b64encode(f"{self.access_key}:{self.access_key_secret}".encode()).decode()
        accepted = (f"Basic {pair}", f"Bearer {self.access_token}")
        self._authorizations = {text.encode().decode("latin-1") for text in accepted}
        self._lock = threading.Lock()
        self._admitted = 0
        self._latest = deque[float](maxlen=self.requests_per_second)
        self._calls_about = Counter[str]()
        self._gone_at: dict[str, float] = {}
        self._stopped = threading.Event()
        self._connections: dict[socket.socket, threading.Thread] = {}

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, the tap's `api_url`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> dict[str, str]:
        """The settings with which the tap reaches this sandbox."""
        return {
            "api_url": self.url,
            "access_key": self.access_key,
            "access_key_secret": self.access_key_secret,
        }

    def intervals(self) -> list[float]:
        """Return the seconds between the starts of consecutive calls."""
        starts = sorted(call.started for call in self.calls)
        return [later - earlier for earlier, later in pairwise(starts)]

    def start(self) -> None:
        """Start to serve, in daemon threads."""
        if self.answer_size:
            for compress in {False, self.compress}:
                _shared_message(self.answer_size, compress=compress)
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Close every connection, even one that is waiting, and free the port."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        # Closing a listener does not wake the thread that waits for a connection; a connection does.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._acceptor.join()
        self._listener.close()
        for connection, thread in list(self._connections.items()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=1)

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stopped.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            self._connections[connection] = thread
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        """Answer the requests of one connection until either side ends it."""
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = b""
            while chunk := connection.recv(65_536):
                received += chunk
                while b"\r\n\r\n" in received:
                    head, _, received = received.partition(b"\r\n\r\n")
                    request = _parse(head, time.monotonic())
                    while len(received) < request.length and (chunk := connection.recv(65_536)):
                        received += chunk
                    received = received[request.length :]
                    if not self._answer(connection, request):
                        return
        del self._connections[connection]

    def _answer(self, connection: socket.socket, request: _Request) -> bool:
        """Answer one request, and return whether the connection stays open."""
        with self._lock:
            reply = self._refusal(request) or self._chosen(request)
            self._calls_about[request.address] += 1
            place = self._calls_about[request.address]
            status = 0 if reply.fault in SILENT else reply.status
            self.calls.append(Call(request.started, request.address, status, request.headers, request.method))
        delay = self.delay + reply.delay
        if delay and self._stopped.wait(delay):
            return False
        compress = self.compress and "gzip" in request.headers.get("accept-encoding", "")
        if reply is _DOCUMENTED and self._is_shared(request):
            connection.sendall(_shared_message(self.answer_size, compress=compress))
            stays = True
        else:
            body = self._own_body(reply.status, request, place)
            stays = self._send(connection, reply, *encode(reply, body, compress=compress))
        return stays and request.method == "GET" and request.headers.get("connection") != "close"

    def _refusal(self, request: _Request) -> Reply | None:
        """Return the reply to a call that is not admitted, otherwise None."""
        known = (request.method, request.path) in _KNOWN
        if not known or request.headers.get("authorization") not in self._authorizations:
            return Reply(401)
        if 0 < self.daily_quota <= self._admitted:
            return Reply(429, headers={"Retry-After": str(QUOTA_RETRY_AFTER)})
        full = 0 < self.requests_per_second == len(self._latest)
        if full and request.started - self._latest[0] < 1:
            return Reply(429, headers={"Retry-After": "1"})
        self._admitted += 1
        self._latest.append(request.started)
        if self.fail_every and self._admitted % self.fail_every == 0:
            return Reply(500)
        return None if request.address else Reply(400)

    def _chosen(self, request: _Request) -> Reply:
        """Return the reply to a call that was admitted."""
        refused = request.address.startswith("refused")
        if request.method == "POST":
            if not refused:
                self._gone_at.setdefault(request.address, request.started + self.erase_after)
            return Reply(400 if refused else 200)
        scripted = self.answers.get(request.address, self.answers.get("*"))
        if isinstance(scripted, list):
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        return scripted or (Reply(400) if refused else _DOCUMENTED)

    def _is_erased(self, request: _Request) -> bool:
        return request.address in self._gone_at and request.started >= self._gone_at[request.address]

    def _is_shared(self, request: _Request) -> bool:
        """Whether the answer is the one that all addresses share."""
        has_own = request.address.startswith("unknown") or self._is_erased(request)
        return self.answer_size > 0 and not has_own

    def _own_body(self, status: int, request: _Request, place: int) -> dict[str, Any]:
        """Return Gong's body for a status; `place` counts the calls about this address from 1."""
        identified = {"requestId": request_id(request.address, place)}
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            error = _ACCESS_DENIED if status == HTTPStatus.UNAUTHORIZED else _ERROR
            return {**identified, "errors": [error]}
        if request.method == "POST":
            return identified
        erased = self._is_erased(request)
        return documented_answer(request.address, self.answer_size, call=place, is_erased=erased)

    def _send(self, connection: socket.socket, reply: Reply, head: bytes, body: bytes) -> bool:
        """Send a reply with its fault, and return whether the connection stays open."""
        match reply.fault:
            case "hang":
                self._stopped.wait()
            case "reset" | "close":
                # Closing sends RST if lingering is on with a time of 0.
                linger = struct.pack("ii", reply.fault == "reset", 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            case "truncate":
                connection.sendall(head + body[: len(body) // 2])
            case "drip":
                connection.sendall(head)
                self._drip(connection, body, reply.drip_interval)
            case "drip_headers":
                self._drip(connection, head + body, reply.drip_interval)
            case "interim":
                connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
                self._stopped.wait(reply.drip_interval)
                connection.sendall(head + body)
            case _:
                connection.sendall(head + body + (b"surplus" if reply.fault == "long" else b""))
        return reply.fault not in {"hang", "reset", "close", "truncate"}

    def _drip(self, connection: socket.socket, message: bytes, interval: float) -> None:
        for position in range(len(message)):
            connection.sendall(message[position : position + 1])
            if self._stopped.wait(interval):
                return
