"""One GET over HTTP: a whole response within its time, or the reason why there is none."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests.auth import AuthBase
from requests.utils import select_proxy
from typing_extensions import override
from urllib3.exceptions import DecodeError, HTTPError, NameResolutionError, ProtocolError, ReadTimeoutError

from tap_gong_privacy.gong.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping


class _SlowBodyError(OSError):
    """The body took longer than it may."""


class _InterimError(OSError):
    """An interim response came. The response itself is still to come on the same connection."""


_NETWORK = "Check the network and firewalls."
_PROXY = "Set HTTPS_PROXY to an http:// or https:// URL with a host, or exempt Gong's host with NO_PROXY."
_BAD_PROXY = Reason("HTTPS_PROXY is not a valid URL of a proxy, or has no host", _PROXY)
_SOCKS = Reason("SOCKS proxies cannot be used", _PROXY)
_BROKE_OFF = Reason("its answer broke off")
_NOT_DECOMPRESSED = Reason("its answer could not be decompressed")
_SLOW = "Run again later; raise request_timeout."
_NO_DATA = Reason("no data within {timeout:g} seconds (request_timeout)", _SLOW)
_NO_NAME = Reason("its host name could not be resolved", "Check api_url and this machine's DNS.")
# The first match counts, so the more specific errors come first.
_REASONS = (
    (_SlowBodyError, Reason("its answer took longer than {twice:g} seconds (twice request_timeout)", _SLOW)),
    (_InterimError, Reason("it sent an interim response (1xx) that was not asked for")),
    (
        requests.exceptions.SSLError,
        Reason("no trusted TLS connection", "If a proxy re-signs TLS, set REQUESTS_CA_BUNDLE to its CA."),
    ),
    (requests.exceptions.ProxyError, Reason("the proxy gave no connection", "Check HTTPS_PROXY.")),
    (
        requests.exceptions.ConnectTimeout,
        Reason("no connection within {connect:g} seconds (request_timeout, 10 at most)", _NETWORK),
    ),
    (requests.exceptions.Timeout, _NO_DATA),
    (ReadTimeoutError, _NO_DATA),
    (requests.exceptions.ContentDecodingError, _NOT_DECOMPRESSED),
    (DecodeError, _NOT_DECOMPRESSED),
    (requests.exceptions.ChunkedEncodingError, _BROKE_OFF),
    (ProtocolError, _BROKE_OFF),
    (requests.exceptions.ConnectionError, Reason("the connection failed", _NETWORK)),
    (requests.exceptions.InvalidHeader, Reason("its answer has headers that contradict each other")),
    (requests.RequestException, Reason("the request could not be made", "Check api_url and HTTPS_PROXY.")),
    (
        OSError,
        Reason("the connection could not be set up", "If REQUESTS_CA_BUNDLE is set, check that it is a readable file."),
    ),
)
_OTHER = Reason("the request failed")
# urllib3 raises a plain ValueError for a chunk of negative length.
_BROKEN = (requests.RequestException, HTTPError, OSError, ValueError)
# Sockets accept no more than 2^31 milliseconds.
_LONGEST_TIMEOUT = 2_000_000.0
_LONGEST_CONNECT = 10.0
_CHUNK = 64 * 1024


class TransportError(Exception):
    """No whole response came.

    Attributes:
        reason: Why.
        status: The HTTP status, if the response came as far as that.
    """

    def __init__(self, reason: Reason, status: int | None = None) -> None:
        """Initialize the error.

        Args:
            reason: Why.
            status: The HTTP status, if any.
        """
        super().__init__(reason.text)
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response.

    Attributes:
        status: The HTTP status.
        headers: The headers, case-insensitive.
        body: The body, decompressed; empty if the body of any response but a 200 broke off.
        arrived: When its last byte arrived (UTC).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    arrived: datetime


class Credentials(AuthBase):
    """The Authorization header. It is given to requests as `auth`, so that a `.netrc` cannot replace it."""

    def __init__(self, authorization: bytes) -> None:
        """Initialize the credentials.

        Args:
            authorization: The header's value.
        """
        self._authorization = authorization

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        # As bytes: text must be Latin-1, and the error for text that is not would quote it.
        r.headers["Authorization"] = self._authorization  # type: ignore[assignment]
        return r


class _Session(requests.Session):
    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Name no target. requests parses the target of a redirect that it does not follow, and may fail on it."""


class _Caller(NamedTuple):
    """A session, and what all of its requests have in common."""

    session: requests.Session
    template: requests.PreparedRequest
    settings: dict[str, Any]


class Transport:
    """Makes calls to one URL. It is safe to share between threads: a session is used by one call at a time."""

    def __init__(self, url: str, credentials: Credentials, timeout: float) -> None:
        """Initialize the transport.

        Args:
            url: The URL to call, without a query.
            credentials: The Authorization header.
            timeout: Seconds that each wait for data may take. Connecting may take as long, and 10 seconds at most; a
                body may take twice as long as a whole.
        """
        self._url = url
        self._credentials = credentials
        self._timeout = min(timeout, _LONGEST_TIMEOUT)
        self._connect_timeout = min(timeout, _LONGEST_CONNECT)
        self._idle: deque[_Caller] = deque()
        self._is_closed = False

    def get(self, query: dict[str, str]) -> Response:
        """Make one call. Redirects are not followed.

        Args:
            query: The query's parameters.

        Returns:
            The response.

        Raises:
            TransportError: If no whole response came.
        """
        try:
            caller = self._idle.pop()
        except IndexError:
            caller = self._new_caller()
        try:
            response = self._send(caller, query)
        except TransportError:
            # Whatever may still come on its connection must not be taken for the answer to another call.
            caller.session.close()
            raise
        self._idle.append(caller)
        if self._is_closed:
            self.close()
        return response

    def close(self) -> None:
        """Close all connections. A call that is under way closes its own when it ends."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().session.close()

    def _new_caller(self) -> _Caller:
        session = _Session()
        if urlsplit(self._url).scheme == "http":
            # Plain HTTP goes to loopback hosts only, and no proxy may see the credentials.
            session.trust_env = False
        request = requests.Request("GET", self._url, headers={"Accept": "application/json"}, auth=self._credentials)
        settings: dict[str, Any] = dict(
            session.merge_environment_settings(self._url, {}, stream=True, verify=None, cert=None),
        )
        _check_proxy(select_proxy(self._url, settings["proxies"]))
        return _Caller(session, session.prepare_request(request), settings)

    def _send(self, caller: _Caller, query: dict[str, str]) -> Response:
        request = caller.template.copy()
        request.url = f"{caller.template.url}?{urlencode(query)}"
        timeout = (self._connect_timeout, self._timeout)
        response: requests.Response | None = None
        try:
            response = caller.session.send(request, timeout=timeout, allow_redirects=False, **caller.settings)
            if response.status_code < requests.codes.ok:
                raise _InterimError
            connection = response.raw.connection
            body = self._body(response)
            if _may_hold_surplus(getattr(connection, "sock", None)):
                caller.session.close()
        except _BROKEN as error:
            status = None
            if response is not None:
                status = response.status_code
                response.close()
            # `from None`: the cause quotes the URL, and so the address.
            raise TransportError(self._reason(error), status) from None
        return Response(response.status_code, response.headers, body, datetime.now(UTC))

    def _body(self, response: requests.Response) -> bytes:
        deadline = time.monotonic() + 2 * self._timeout
        chunks: list[bytes] = []
        try:
            # Compressed, because the decompressor of urllib3 waits for as many chunks as it needs.
            while chunk := response.raw.read1(_CHUNK, decode_content=False):
                chunks.append(chunk)
                if time.monotonic() > deadline:
                    raise _SlowBodyError
            return _decompressed(b"".join(chunks), response.headers.get("Content-Encoding", ""))
        except _BROKEN:
            if response.status_code == requests.codes.ok:
                raise
            # The status alone says what happens next. The connection cannot be used again.
            response.close()
            return b""

    def _reason(self, error: Exception) -> Reason:
        reason = _classified(error)
        text = reason.text.format(timeout=self._timeout, connect=self._connect_timeout, twice=2 * self._timeout)
        return Reason(text, reason.advice)


def _decompressed(body: bytes, encoding: str) -> bytes:
    return urllib3.HTTPResponse(io.BytesIO(body), {"Content-Encoding": encoding}).data


def _may_hold_surplus(sock: object) -> bool:
    """Whether TLS may have buffered bytes after the body. urllib3 does not check for them before the next call."""
    if isinstance(sock, ssl.SSLSocket):
        return sock.pending() > 0
    # TLS within the TLS of a proxy cannot be asked.
    return not isinstance(sock, socket.socket)


def _classified(error: Exception) -> Reason:
    cause = error.args[0] if error.args else None
    if isinstance(getattr(cause, "reason", None), NameResolutionError):
        return _NO_NAME
    return next((reason for type_, reason in _REASONS if isinstance(error, type_)), _OTHER)


def _check_proxy(proxy: str | None) -> None:
    """Refuse a proxy that requests could not use. requests fails on some of them with a plain TypeError.

    Raises:
        TransportError: If it cannot be used.
    """
    if not proxy:
        return
    scheme, separator, _ = proxy.lower().partition("://")
    if separator and scheme.startswith("socks"):
        raise TransportError(_SOCKS)
    try:
        url = urlsplit(proxy if separator else f"http://{proxy}")
        is_usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise TransportError(_BAD_PROXY)
