"""One GET over HTTP: whole, or a reason why not, within its time, on a connection of the calling thread's own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.auth import AuthBase
from typing_extensions import override
from urllib3.exceptions import HTTPError, NameResolutionError

from tap_gong_privacy.gong.connections import Adapter, Attempt, current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WATCH_EVERY = 0.25
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
        self._attempts: dict[int, Attempt] = {}
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
        attempt = current.attempt = Attempt(2 * self._timeout, self._before_send)
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
            session.mount("https://", Adapter(pool_maxsize=1))
            session.mount("http://", Adapter(pool_maxsize=1))
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


def _reason(error: Exception, attempt: Attempt, timeout: float) -> str:
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
