"""One GET over HTTP: whole, or a reason why not, within its time, on a connection of the calling thread's own."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3.connectionpool import HTTPConnectionPool

_WATCH_EVERY = 0.25
# urllib3 has looked at the connection just before: a shorter wait changes nothing.
_LONG_WAIT = 0.1
# The first that fits: the more special ones come first.
_REASONS = (
    (requests.exceptions.SSLError, "no TLS connection that can be trusted"),
    (requests.exceptions.ProxyError, "the proxy gave no connection"),
    (requests.exceptions.ConnectTimeout, "no connection within {timeout:g} seconds (request_timeout)"),
    (requests.exceptions.Timeout, "no data within {timeout:g} seconds (request_timeout)"),
    (requests.exceptions.ContentDecodingError, "its answer could not be decompressed"),
    (requests.exceptions.ChunkedEncodingError, "its answer broke off"),
    (requests.exceptions.ConnectionError, "the connection failed"),
    (requests.exceptions.InvalidSchema, "SOCKS proxies cannot be used; give HTTPS_PROXY an http:// or https:// one"),
    (requests.exceptions.InvalidHeader, "its answer has headers that contradict each other"),
    (requests.RequestException, "the request could not be made; is the proxy's URL right?"),
    (OSError, "the connection could not be set up; is REQUESTS_CA_BUNDLE a file?"),
)
# A chunk of negative length, say, is a plain ValueError.
_BROKEN = (requests.RequestException, HTTPError, OSError, ValueError)
# Sockets take no more than 2^31 milliseconds.
_LONGEST_TIMEOUT = 2_000_000.0


class TransportError(Exception):
    """No whole answer came. The message is safe to show: it never holds a URL, an address or a body.

    Attributes:
        status: The HTTP status, where the answer came as far as that.
    """

    def __init__(self, message: str, status: int | None) -> None:
        """Initialize the error.

        Args:
            message: The reason.
            status: The HTTP status, if any.
        """
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Response:
    """An answer over HTTP.

    Attributes:
        status: The HTTP status.
        headers: Case-insensitive.
        body: Decompressed; empty where the body of an answer other than 200 broke off.
        arrived: When its last byte was there (UTC).
        ticket: What `before_send` returned for this call.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    arrived: datetime
    ticket: int


class Credentials(AuthBase):
    """The Authorization header. Given to requests as `auth`, so that no `.netrc` replaces it."""

    def __init__(self, authorization: bytes) -> None:
        """Initialize the credentials.

        Args:
            authorization: The header's value.
        """
        self._authorization = authorization

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        # Bytes: text would have to be Latin-1, and the error for one that is not would quote it.
        r.headers["Authorization"] = self._authorization  # type: ignore[assignment]
        return r


class _Attempt:
    """One call under way, which the watch ends when its time is over."""

    def __init__(self, seconds: float, before_send: Callable[[], int]) -> None:
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


_current = threading.local()


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
        _current.attempt.connection = self
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
        attempt: _Attempt = _current.attempt
        attempt.connection = self
        if self.sock is None:
            self.connect()
        if attempt.send() and not self._is_idle():
            # It was closed during the wait. Whatever came on it is no answer to this call.
            self._connect_anew()
            attempt.send()
        super().request(*args, **kwargs)


class _WatchedHTTPS(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Adapter(HTTPAdapter):
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


class _Session(requests.Session):
    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Name no target: requests parses one even where it is not to be followed, and fails on one that is no URL."""


class Transport:
    """Makes calls to one URL. Safe to share between threads: each has a session of its own."""

    def __init__(self, url: str, credentials: Credentials, timeout: float, before_send: Callable[[], int]) -> None:
        """Initialize the transport.

        Args:
            url: The URL to call, without a query.
            credentials: The Authorization header.
            timeout: Seconds that connecting, and each wait for data, may take; a whole call at most twice that.
            before_send: Called on the calling thread once it is connected, right before the request is sent; it may
                wait. What it raises ends the call; what it returns is the response's `ticket`.
        """
        self._url = url
        self._credentials = credentials
        self._timeout = min(timeout, _LONGEST_TIMEOUT)
        self._before_send = before_send
        self._local = threading.local()
        self._attempts: dict[int, _Attempt] = {}
        self._watch: threading.Thread | None = None
        self._lock = threading.Lock()

    def get(self, query: dict[str, str]) -> Response:
        """Make one call. Redirects are not followed.

        Args:
            query: The query's parameters.

        Returns:
            The response.

        Raises:
            TransportError: If no whole answer came.
        """
        session, template, settings = self._session()
        request = template.copy()
        request.url = f"{template.url}?{urlencode(query)}"
        attempt = _current.attempt = _Attempt(2 * self._timeout, self._before_send)
        self._attempts[threading.get_ident()] = attempt
        self._start_watch()
        response: requests.Response | None = None
        try:
            response = session.send(request, timeout=self._timeout, allow_redirects=False, **settings)
            body = self._body(response)
        except _BROKEN as error:
            # `from None`: the cause carries the URL, and so the address.
            status = None if response is None else response.status_code
            raise TransportError(_reason(error, attempt, self._timeout), status) from None
        finally:
            attempt.end()
        if attempt.is_expired and response.status_code == requests.codes.ok:
            raise TransportError(_too_slow(self._timeout), response.status_code)
        return Response(response.status_code, response.headers, body, datetime.now(UTC), attempt.ticket)

    @staticmethod
    def _body(response: requests.Response) -> bytes:
        try:
            return response.content
        except _BROKEN:
            if response.status_code == requests.codes.ok:
                raise
            # The status has said what there is to know.
            return b""

    def _session(self) -> tuple[requests.Session, requests.PreparedRequest, dict[str, Any]]:
        if not hasattr(self._local, "session"):
            session = _Session()
            session.mount("https://", _Adapter(pool_maxsize=1))
            session.mount("http://", _Adapter(pool_maxsize=1))
            if urlsplit(self._url).scheme == "http":
                # Loopback: no proxy may see the credentials.
                session.trust_env = False
            template = session.prepare_request(
                requests.Request("GET", self._url, headers={"Accept": "application/json"}, auth=self._credentials),
            )
            settings = session.merge_environment_settings(self._url, {}, stream=True, verify=None, cert=None)
            self._local.session = session, template, dict(settings)
        session_: tuple[requests.Session, requests.PreparedRequest, dict[str, Any]] = self._local.session
        return session_

    def _start_watch(self) -> None:
        if self._watch is None:
            with self._lock:
                if self._watch is None:
                    self._watch = threading.Thread(target=self._keep_watch, name="watch", daemon=True)
                    self._watch.start()

    def _keep_watch(self) -> None:
        pause = min(_WATCH_EVERY, self._timeout / 10)
        while True:
            time.sleep(pause)
            now = time.monotonic()
            for attempt in list(self._attempts.values()):
                attempt.expire(now)


def _too_slow(timeout: float) -> str:
    return f"its answer took longer than {2 * timeout:g} seconds (twice request_timeout)"


def _reason(error: Exception, attempt: _Attempt, timeout: float) -> str:
    """Say what went wrong in words of our own."""
    if attempt.is_expired:
        return _too_slow(timeout)
    if _is_caused_by_name(error):
        return "its host name could not be resolved"
    reason = next((reason for type_, reason in _REASONS if isinstance(error, type_)), "the request failed")
    return reason.format(timeout=timeout)


def _is_caused_by_name(error: BaseException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NameResolutionError)
