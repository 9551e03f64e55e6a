"""A stand-in for Gong on loopback, for trying the tap, for tests and for benchmarks.

`python -m sandbox` serves `GET /v2/data-privacy/data-for-email-address`.
The address alone decides the answer, its `requestId` included:

* `test@test.com`: the example values of Gong's documentation, letter by letter;
* an address that begins with `unknown`: 200, with five empty arrays;
* an address that begins with `refused`: 400;
* any other: 200, with at least one made-up element in each of the five sections.

As at Gong, wrong credentials and unknown paths are answered with 401, and calls beyond the
limit of a second or of a day with 429. The day is the sandbox's lifetime, and a call that was
answered with 401 or 429 counts towards neither limit.
"""

from __future__ import annotations

import argparse
import base64
import copy
import functools
import gzip
import json
import os
import random
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, Self, get_args
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATH = "/v2/data-privacy/data-for-email-address"
EXAMPLE_ADDRESS = "test@test.com"
EXAMPLE_ANSWER: dict[str, Any] = {
    "requestId": "4al018gzaztcr8nbukw",
    "emails": [
        {
            "from": "test@test.com",
            "id": "223mjfaaqqjuegabiyrmpctvcwwl75oz",
            "sentTime": "2019-01-20T00:00:00-08:00",
            "mailbox": "test@test.com",
            "messageHash": "l3z7w2s7oircdabnkwizmycm6g2uwznc",
        }
    ],
    "calls": [
        {
            "id": "7782342274025937895",
            "status": "COMPLETED",
            "externalSystems": [
                {
                    "system": "Salesforce",
                    "objects": [{"objectType": "Task", "externalId": "0013601230sV7grAAC"}],
                }
            ],
        }
    ],
    "meetings": [{"id": "8059707022269524529.sb5gr1tgpt5dd799eh035rb3dk@google.com_2022-06-30T13:00:00Z"}],
    "customerData": [
        {
            "system": "Salesforce",
            "objects": [
                {
                    "id": "7782342274025937895",
                    "objectType": "Contact",
                    "externalId": "0013601230sV7grAAC",
                    "mirrorId": '{"integrationId":"262834820328732","crmObjectType":"CONTACT",'
                    '"crmId":"0031Q00002DFhi4QAD"}',
                    "fields": [{"name": "name", "value": "Gong Inc."}],
                }
            ],
        }
    ],
    "customerEngagement": [
        {
            "eventType": "ExternalCallViewing",
            "timestamp": "2019-01-20T08:00:00Z",
            "contentId": "7782342274025937895",
            "contentUrl": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
            "reportingSystem": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
            "eventName": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
            "sourceEventId": "https://app.gong.io/e/c-share/tkn=5vjaxkqnzmp515b220vlzto2i",
        }
    ],
}
QUOTA_RETRY_AFTER = 21_600
"""Seconds that an answer beyond the daily quota tells to wait."""

Fault = Literal["", "reset", "close", "hang", "truncate", "long", "drip", "drip_headers", "bad_gzip", "interim"]

_ERROR = "An error has occurred"
_ACCESS_DENIED = "Validate credentials failed. Please check your credentials and try again."
_ALPHANUMERICS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SYSTEMS = ("Salesforce", "HubSpot", "MicrosoftDynamic", "Generic")
_EVENT_TYPES = ("contentShared", "contentViewed", "customEvent", "digitalInteraction")
_TIME_ENDINGS = ("Z", "-03:00", ".834+05:30", ".233692Z")
_GZIP_FROM = 1024


def documented_answer(address: str, emails: int = 0) -> dict[str, Any]:
    """Return the body that the sandbox answers about an address.

    Args:
        address: The address that is asked about.
        emails: How many e-mails a made-up answer holds; 0 lets the address decide.
    """
    if address == EXAMPLE_ADDRESS:
        return copy.deepcopy(EXAMPLE_ANSWER)
    draw, request_id = _drawn_from(address)
    if address.startswith("refused"):
        return {"requestId": request_id, "errors": [_ERROR]}
    if address.startswith("unknown"):
        sections = ("emails", "calls", "meetings", "customerData", "customerEngagement")
        return {"requestId": request_id, **{section: [] for section in sections}}
    systems = draw.sample(_SYSTEMS, k=draw.randint(1, 2))
    return {
        "requestId": request_id,
        "emails": [_email(draw) for _ in range(emails or draw.randint(1, 6))],
        "calls": [_call(draw) for _ in range(draw.randint(1, 3))],
        "meetings": [_meeting(draw) for _ in range(draw.randint(1, 3))],
        "customerData": [_customer_data(draw, system) for system in systems],
        "customerEngagement": [_event(draw) for _ in range(draw.randint(1, 4))],
    }


def _drawn_from(address: str) -> tuple[random.Random, str]:
    """Return a source of values that is the same for an address each time, and a requestId."""
    draw = random.Random(address)  # noqa: S311 - made-up data, not cryptography
    return draw, "4al" + "".join(draw.choices(_ALPHANUMERICS, k=16))


def _email(draw: random.Random) -> dict[str, Any]:
    return {
        "from": f"sender{draw.randint(1, 9)}@example.com",
        "id": _hash(draw),
        "sentTime": _time(draw),
        "mailbox": f"mailbox{draw.randint(1, 9)}@example.com",
        "messageHash": _hash(draw),
    }


def _call(draw: random.Random) -> dict[str, Any]:
    links = [
        {"objectType": draw.choice(("Conversation", "Task")), "externalId": _external_id(draw)}
        for _ in range(draw.randint(1, 2))
    ]
    system = {"system": draw.choice(_SYSTEMS), "objects": links}
    return {"id": _number(draw), "status": "COMPLETED", "externalSystems": [system]}


def _meeting(draw: random.Random) -> dict[str, Any]:
    return {"id": f"{_number(draw)}.{_hash(draw)}@google.com_2022-06-30T13:00:00Z"}


def _customer_data(draw: random.Random, system: str) -> dict[str, Any]:
    kind, external_id = draw.choice(("Lead", "Contact")), _external_id(draw)
    mirror = {"integrationId": _number(draw), "crmObjectType": kind.upper(), "crmId": external_id}
    fields = {
        "name": f"Example {draw.randint(1, 999)} Inc.",
        "Amount": draw.randint(1, 99_999) / 100,
        "Newsletter__c": draw.choice((True, False, None)),
        "Regions__c": draw.sample(("AMER", "APAC", "EMEA"), k=2),
    }
    record = {
        "id": _number(draw),
        "objectType": kind,
        "externalId": external_id,
        "mirrorId": json.dumps(mirror),
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
    }
    return {"system": system, "objects": [record]}


def _event(draw: random.Random) -> dict[str, Any]:
    return {
        "eventType": draw.choice(_EVENT_TYPES),
        "timestamp": _time(draw),
        "contentId": _number(draw),
        "contentUrl": f"https://app.gong.io/e/c-share/tkn={_hash(draw)}",
        "reportingSystem": draw.choice(_SYSTEMS),
        "eventName": draw.choice(("Viewed a recording", "Opened a link")),
        "sourceEventId": _hash(draw),
    }


def _hash(draw: random.Random) -> str:
    return f"{draw.getrandbits(128):032x}"


def _number(draw: random.Random) -> str:
    return str(draw.randrange(10**18, 10**19))


def _external_id(draw: random.Random) -> str:
    return f"003{draw.getrandbits(60):015X}"


def _time(draw: random.Random) -> str:
    bits = draw.getrandbits(16)
    date = f"{2019 + bits % 6}-{1 + bits % 12:02}-{1 + bits % 28:02}"
    return f"{date}T{bits % 24:02}:{bits % 60:02}:{bits % 59:02}{draw.choice(_TIME_ENDINGS)}"


@dataclass(frozen=True)
class Reply:
    """A scripted answer.

    Attributes:
        status: The HTTP status.
        body: Bytes and text are sent as they are, anything else as JSON. None stands for the
            documented answer: with a status of 2xx that about the address, else an error.
        headers: Sent besides the sandbox's own, or in place of those of the same name.
        delay: Seconds to wait before the answer, on top of the sandbox's own delay.
        fault: What goes wrong on the wire. `reset` and `close` end the connection unanswered,
            the first with RST; `hang` keeps it open and unanswered until the sandbox stops;
            `truncate` sends half of the body and closes; `long` sends more than Content-Length
            says; `drip` sends the body byte by byte, `drip_headers` the head too; `bad_gzip`
            calls a plain body gzip; `interim` sends a 103 (early hints) before the answer, which
            follows after `drip_interval`. The body of a fault is never compressed.
        drip_interval: Seconds between two bytes of a drip.
    """

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: Fault = ""
    drip_interval: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a misspelt fault, which would go unnoticed as a sound answer."""
        if self.fault not in get_args(Fault):
            msg = f"no such fault: {self.fault}"
            raise ValueError(msg)


_DOCUMENTED = Reply()


def _encode(reply: Reply, address: str, emails: int, *, compress: bool) -> tuple[bytes, bytes]:
    """Return the head and the body of an answer."""
    headers = {"Content-Type": "application/json"}
    content = reply.body
    if reply.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="Gong.io API"'
    if content is None:
        content = _content(reply.status, address, emails)
        headers["x-traceid"] = content["requestId"]
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    body = text.encode() if isinstance(text, str) else text
    if reply.fault == "bad_gzip":
        headers["Content-Encoding"] = "gzip"
    elif compress and not reply.fault and len(body) > _GZIP_FROM:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, compresslevel=1, mtime=0)
    headers["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {reply.status} {responses.get(reply.status, '')}"]
    lines += [f"{name}: {value}" for name, value in {**headers, **reply.headers}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1"), body


def _content(status: int, address: str, emails: int) -> dict[str, Any]:
    """Return the documented body for a status."""
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return documented_answer(address, emails)
    error = _ACCESS_DENIED if status == HTTPStatus.UNAUTHORIZED else _ERROR
    return {"requestId": _drawn_from(address)[1], "errors": [error]}


@functools.lru_cache(maxsize=4096)
def _documented_message(address: str, emails: int, *, compress: bool) -> bytes:
    return b"".join(_encode(_DOCUMENTED, address, emails, compress=compress))


@dataclass(frozen=True)
class Call:
    """A request that the sandbox has read.

    Attributes:
        started: `time.monotonic()` when the request had been read.
        address: The address asked about, empty where none was named.
        status: The status of its answer, 0 where a fault left it without one.
        headers: The request's headers, their names in lower case.
    """

    started: float
    address: str
    status: int
    headers: Mapping[str, str]


class _Request(NamedTuple):
    started: float
    method: str
    path: str
    address: str
    headers: dict[str, str]


def _parse(head: bytes, started: float) -> _Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path, _, query = rest.partition(" ")[0].partition("?")
    address = parse_qs(query).get("emailAddress", [""])[0]
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return _Request(started, method, path, address, headers)


@dataclass(kw_only=True, eq=False)
class Sandbox:
    """A stand-in for Gong, serving on loopback from `start` to `stop` or as a context.

    Attributes:
        port: The TCP port; 0 takes a free one and then is its number.
        requests_per_second: How many calls may start within any second; 0 is no limit.
        daily_quota: How many calls are answered at all; 0 is no limit.
        delay: Seconds to wait before each answer.
        answer_size: How many e-mails every answer but an empty one holds, the same for all
            addresses and encoded beforehand; 0 gives each address an answer of its own.
        fail_every: Each call of this number is answered with 500; 0 lets none fail.
        compress: Whether bodies over 1 KB go out gzipped where the client accepts that.
        access_key: The key of the key pair.
        access_key_secret: The secret of the key pair.
        access_token: The OAuth token, accepted in place of the key pair.
        answers: Scripted answers by address, `*` for all others. Of a list each call takes the
            first, the last one stays. Credentials and limits come first.
        calls: The calls so far, in the order in which they were answered.
    """

    port: int = 0
    requests_per_second: int = 3
    daily_quota: int = 10_000
    delay: float = 0.0
    answer_size: int = 0
    fail_every: int = 0
    compress: bool = True
    access_key: str = "sandbox-key"
    access_key_secret: str = "sandbox-secret"  # noqa: S105 - opens nothing but a sandbox
    access_token: str = "sandbox-token"  # noqa: S105 - as above
    answers: dict[str, Reply | list[Reply]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Prepare what the threads share."""
        pair = base64.b64encode(f"{self.access_key}:{self.access_key_secret}".encode()).decode()
        accepted = (f"Basic {pair}", f"Bearer {self.access_token}")
        self._authorizations = {text.encode().decode("latin-1") for text in accepted}
        self._lock = threading.Lock()
        self._admitted = 0
        self._latest = deque[float](maxlen=self.requests_per_second)
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
        """Return the seconds between the starts of each two consecutive calls."""
        starts = sorted(call.started for call in self.calls)
        return [later - earlier for earlier, later in pairwise(starts)]

    def start(self) -> None:
        """Begin to serve, in threads that do not keep the process alive."""
        if self.answer_size:
            for compress in {False, self.compress}:
                _documented_message("", self.answer_size, compress=compress)
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """End every connection, whatever it waits for, and free the port."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        # Closing a listener does not wake the thread that waits on it; a connection does.
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
                    if not self._answer(connection, _parse(head, time.monotonic())):
                        return
        del self._connections[connection]

    def _answer(self, connection: socket.socket, request: _Request) -> bool:
        """Answer one request, and return whether the connection lives on."""
        with self._lock:
            reply = self._refusal(request) or self._chosen(request.address)
            status = 0 if reply.fault in {"reset", "close", "hang"} else reply.status
            self.calls.append(Call(request.started, request.address, status, request.headers))
        delay = self.delay + reply.delay
        if delay and self._stopped.wait(delay):
            return False
        compress = self.compress and "gzip" in request.headers.get("accept-encoding", "")
        if reply is _DOCUMENTED:
            shared = self.answer_size and not request.address.startswith("unknown")
            address = "" if shared else request.address
            connection.sendall(_documented_message(address, self.answer_size, compress=compress))
            lives = True
        else:
            message = _encode(reply, request.address, self.answer_size, compress=compress)
            lives = self._send(connection, reply, *message)
        return lives and request.method == "GET" and request.headers.get("connection") != "close"

    def _refusal(self, request: _Request) -> Reply | None:
        """Return the answer to a call that never comes to its address, else None."""
        known = request.method == "GET" and request.path == PATH
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

    def _chosen(self, address: str) -> Reply:
        """Return the scripted answer about an address, else the documented one."""
        scripted = self.answers.get(address, self.answers.get("*"))
        if isinstance(scripted, list):
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        return scripted or (Reply(400) if address.startswith("refused") else _DOCUMENTED)

    def _send(self, connection: socket.socket, reply: Reply, head: bytes, body: bytes) -> bool:
        """Send an answer as its fault has it, and return whether the connection lives on."""
        match reply.fault:
            case "hang":
                self._stopped.wait()
            case "reset" | "close":
                # With linger on and no time for it, closing sends RST.
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT comes, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for Gong on loopback.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="TCP port (default: a free one)")
    add("--requests-per-second", type=int, default=3, metavar="N", help="0: any (default: 3)")
    add("--daily-quota", type=int, default=10_000, metavar="N", help="0: any (default: 10000)")
    add("--delay", type=float, default=0, metavar="SECONDS", help="wait before each answer")
    add("--answer-size", type=int, default=0, metavar="N", help="e-mails in each answer")
    add("--fail-every", type=int, default=0, metavar="N", help="answer each Nth call with 500")
    add("--no-compress", dest="compress", action="store_false", help="never gzip an answer")
    options = vars(parser.parse_args(arguments))
    if any(value < 0 for value in options.values()):
        parser.error("numbers must not be negative")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with Sandbox(**options) as sandbox:
            secrets = f"{sandbox.access_key_secret} access_token={sandbox.access_token}"
            sys.stdout.write(
                f"Sandbox: api_url={sandbox.url} access_key={sandbox.access_key}"
                f" access_key_secret={secrets}\nStop it with Ctrl-C, or: kill {os.getpid()}\n"
            )
            sys.stdout.flush()
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        return 0
    except (OSError, OverflowError) as error:
        parser.exit(1, f"Cannot serve on port {options['port']}: {error}\n")


def _interrupt(*_: object) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the end
    raise KeyboardInterrupt
