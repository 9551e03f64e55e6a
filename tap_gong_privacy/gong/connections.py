"""Connections on which a call waits for its turn, has its time and no more, and gets the answer that is its own."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3.connectionpool import HTTPConnectionPool

# urllib3 has looked at the connection just before: a shorter wait changes nothing.
_LONG_WAIT = 0.1
# Without a bound a server that closes them sooner than the pace allows a call would keep the call for ever.
_MOST_CONNECTIONS = 3


class Attempt:
    """One call under way, which the watch ends when its time is over."""

    def __init__(self, seconds: float, before_send: Callable[[], int]) -> None:
        """Begin the attempt.

        Args:
            seconds: What it may take, beside its wait.
            before_send: Waits for its turn; returns its ticket.
        """
        self._before_send = before_send
        self._lock = threading.Lock()
        self.deadline = time.monotonic() + seconds
        self.connection: HTTPConnection | None = None
        self.ticket = 0
        self.is_over = False
        self.is_expired = False

    def send(self) -> bool:
        """Wait for the moment to send. The wait does not count against the attempt's time.

        Returns:
            Whether it was so long that the connection may have been closed meanwhile.
        """
        began = time.monotonic()
        left, self.deadline = self.deadline - began, float("inf")
        self.ticket = self._before_send()
        now = time.monotonic()
        self.deadline = now + left
        return now - began > _LONG_WAIT

    def end(self) -> None:
        """Take the attempt from the watch: its connection may serve the next one."""
        with self._lock:
            self.is_over = True

    def expire(self, now: float) -> None:
        """Break the attempt's connection if its time is over."""
        with self._lock:
            if self.is_over or self.is_expired or now < self.deadline:
                return
            self.is_expired = True
            sock = self.connection.sock if self.connection else None
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


current = threading.local()
"""`attempt`: the call that the thread is making."""


class _FinalResponse(http.client.HTTPResponse):
    """A response that passes over all interim ones (1xx). The standard library does so with 100 alone.

    Such as 103 would be taken for the answer, and the answer behind it for that to the next call.
    """

    @override
    def begin(self) -> None:
        super().begin()
        while self.status < requests.codes.ok:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first line was read
            super().begin()


class _Watched(HTTPConnection):
    """Tells the thread's attempt which connection it is on, and lets it choose the moment to send."""

    response_class = _FinalResponse
    _tunnel_to: tuple[Any, ...] = ()

    @override
    def set_tunnel(self, *args: Any, **kwargs: Any) -> None:
        self._tunnel_to = args, kwargs
        super().set_tunnel(*args, **kwargs)

    @override
    def connect(self) -> None:
        current.attempt.connection = self
        super().connect()

    @override
    def _new_conn(self) -> socket.socket:
        # urllib3 gives each address of a host name the whole time-out, one after the other. Here they share it.
        whole = cast("float", self.timeout)
        with suppress(OSError):  # a name without an address: urllib3 says so
            self.timeout = whole / len(socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM))
        try:
            sock = super()._new_conn()
        finally:
            self.timeout = whole
        sock.settimeout(whole)
        return sock

    def _is_idle(self) -> bool:
        """Tell whether the connection is open, and nothing has come on it that nobody asked for."""
        sock = cast("socket.socket", self.sock)
        timeout = sock.gettimeout()
        sock.settimeout(0)
        try:
            # Over TLS what lies there may be a session ticket, which is no data.
            sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        finally:
            sock.settimeout(timeout)
        return False

    def _connect_anew(self) -> None:
        self.close()
        if self._tunnel_to:  # closing forgets it
            args, kwargs = self._tunnel_to
            self.set_tunnel(*args, **kwargs)
        self.connect()

    @override
    def request(self, *args: Any, **kwargs: Any) -> None:
        attempt: Attempt = current.attempt
        attempt.connection = self
        if self.sock is None:
            self.connect()
        connections = 1
        while attempt.send() and not self._is_idle():
            # It was closed during the wait. Whatever came on it is no answer to this call.
            if connections == _MOST_CONNECTIONS:
                raise ConnectionResetError
            self._connect_anew()
            connections += 1
        super().request(*args, **kwargs)


class _WatchedHTTPS(_Watched, HTTPSConnection):
    """The same over TLS."""


class Adapter(HTTPAdapter):
    """Has requests make its calls on such connections."""

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Refuse SOCKS also where PySocks is there: its connections know nothing of the attempt."""
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidSchema
        return super().proxy_manager_for(proxy, **kwargs)

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast("HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        pool.ConnectionCls = _WatchedHTTPS if pool.scheme == "https" else _Watched
        return pool
