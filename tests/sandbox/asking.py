"""Calls to a sandbox, over `requests` and over a bare socket."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING
from urllib.parse import quote

import requests

from sandbox import ERASE_PATH, PATH, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


def ask(sandbox: Sandbox, address: str = "a@example.com", **headers: str) -> requests.Response:
    """Look an address up with valid credentials, on a new connection."""
    return _call("GET", sandbox.url + PATH, sandbox, address, headers)


def erase(sandbox: Sandbox, address: str = "a@example.com", **headers: str) -> requests.Response:
    """Ask for an erasure with valid credentials, on a new connection."""
    return _call("POST", sandbox.url + ERASE_PATH, sandbox, address, headers)


def _call(method: str, url: str, sandbox: Sandbox, address: str, headers: dict[str, str]) -> requests.Response:
    return requests.request(
        method,
        url,
        params={"emailAddress": address},
        headers={"Connection": "close", **headers},
        auth=(sandbox.access_key, sandbox.access_key_secret),
        timeout=10,
    )


@contextlib.contextmanager
def asked(sandbox: Sandbox, *addresses: str) -> Iterator[socket.socket]:
    """Send look-ups in one packet, and yield the connection before any answer is read."""
    heads = (
        f"GET {PATH}?emailAddress={quote(address)} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {sandbox.access_token}\r\n\r\n"
        for address in addresses
    )
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
        connection.sendall("".join(heads).encode())
        yield connection


def read_all(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return the first head, and everything after it, until the sandbox closes the connection."""
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest
