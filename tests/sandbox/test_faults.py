"""What goes wrong on the wire when a scripted answer says so."""

from __future__ import annotations

import socket

import pytest

from sandbox import Fault, Reply, Sandbox
from tests.sandbox.asking import ask, asked, read_all

BODY = b"0123456789"


def test_misspelt_fault_is_refused() -> None:
    """A fault that does not exist is an error, not a sound answer."""
    with pytest.raises(ValueError, match="no such fault: hangs"):
        Reply(fault="hangs")  # type: ignore[arg-type]


def test_reset_ends_the_connection_with_rst(sandbox: Sandbox) -> None:
    """`reset` makes the client's read fail."""
    sandbox.answers["*"] = Reply(fault="reset")
    with asked(sandbox, "a") as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert [call.status for call in sandbox.calls] == [0]


def test_hang_answers_nothing_until_the_sandbox_stops(sandbox: Sandbox) -> None:
    """`hang` leaves its own connection open and silent, and delays no other."""
    sandbox.answers["stuck@example.com"] = Reply(fault="hang")
    with asked(sandbox, "stuck@example.com") as connection:
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert ask(sandbox).status_code == 200
        sandbox.stop()
        assert connection.recv(1) == b""
    assert [call.status for call in sandbox.calls] == [0, 200]


@pytest.mark.parametrize(
    "fault, in_head, rest",
    [
        ("close", b"", b""),
        ("truncate", b"Content-Length: 10", BODY[:5]),
        ("long", b"Content-Length: 10", BODY + b"surplus"),
        ("bad_gzip", b"Content-Encoding: gzip", BODY),
        ("drip", b"Content-Length: 10", BODY),
        ("drip_headers", b"Content-Length: 10", BODY),
    ],
)
def test_fault_changes_the_bytes_of_an_answer(sandbox: Sandbox, fault: Fault, in_head: bytes, rest: bytes) -> None:
    """The head says one thing, and what follows it is another."""
    sandbox.answers["*"] = Reply(body=BODY, fault=fault, drip_interval=0.001)
    with asked(sandbox, "a") as connection:
        connection.shutdown(socket.SHUT_WR)
        head, received = read_all(connection)
    assert in_head in head
    assert received == rest


def test_interim_comes_before_the_answer(sandbox: Sandbox) -> None:
    """`interim` sends a 103, and then the answer."""
    sandbox.answers["*"] = Reply(fault="interim", drip_interval=0.01)
    with asked(sandbox, "a") as connection:
        connection.shutdown(socket.SHUT_WR)
        head, rest = read_all(connection)
    assert head.startswith(b"HTTP/1.1 103 ")
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")
