"""Replies: what the sandbox sends, and what goes wrong on the wire while it does."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Fault = Literal["", "reset", "close", "hang", "truncate", "long", "drip", "drip_headers", "bad_gzip", "interim"]

SILENT = frozenset({"reset", "close", "hang"})
"""The faults that leave a call without an answer."""

_GZIP_FROM = 1024


@dataclass(frozen=True)
class Reply:
    """A scripted answer.

    Attributes:
        status: The HTTP status.
        body: Bytes and text are sent unchanged, anything else as JSON. None means Gong's own
            body: with a 2xx status the answer about the address, otherwise an error.
        headers: Sent in addition to the sandbox's headers; they replace those of the same name.
        delay: Seconds to wait before the answer, in addition to the sandbox's own delay.
        fault: What goes wrong on the wire. `reset` and `close` end the connection unanswered,
            the first with RST. `hang` leaves it open and unanswered until the sandbox stops.
            `truncate` sends half of the body and closes. `long` sends more than Content-Length
            says. `drip` sends the body byte by byte, `drip_headers` the head too. `bad_gzip`
            declares a plain body as gzip. `interim` sends a 103 (early hints), and the answer
            after `drip_interval`. A reply with a fault is never compressed.
        drip_interval: Seconds between two bytes of a drip.
    """

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: Fault = ""
    drip_interval: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a misspelt fault, which would otherwise be sent as a sound answer."""
        if self.fault not in get_args(Fault):
            msg = f"no such fault: {self.fault}"
            raise ValueError(msg)


def encode(reply: Reply, own: Mapping[str, object], *, compress: bool) -> tuple[bytes, bytes]:
    """Return the head and the body of a reply.

    Args:
        reply: The reply.
        own: Gong's own body, for a reply that scripts none.
        compress: Whether a body over 1 KB is gzipped.
    """
    headers = {"Content-Type": "application/json"}
    if reply.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="Gong.io API"'
    content = reply.body
    if content is None:
        content = own
        headers["x-traceid"] = str(own["requestId"])
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
