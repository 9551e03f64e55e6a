"""One GET over real sockets: a whole response within its time, or the reason why there is none."""

from __future__ import annotations

import gzip
import json
import socket
import socketserver
import ssl
import threading
import time
import traceback
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar, cast

import pytest
import trustme
from typing_extensions import override

from sandbox import PATH, Fault, Reply, Sandbox, documented_answer
from sandbox import request_id as sandbox_request_id
from tap_gong_privacy.gong import transport
from tap_gong_privacy.gong.transport import Credentials, Response, Transport, TransportError
from tests.gong.asking import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AUTHORIZATION = b"Bearer sandbox-token"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"

Server = TypeVar("Server", bound=socketserver.BaseServer)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the proxies of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Asker(Transport):
    """A transport that asks about addresses."""

    def __init__(self, url: str, *, timeout: float = 5, authorization: bytes = AUTHORIZATION) -> None:
        """Ask the Gong at a base URL."""
        super().__init__(url + PATH, Credentials(authorization), timeout)

    def ask(self, address: str = ADDRESS) -> Response:
        """Ask about an address."""
        return self.get({"emailAddress": address})

    def failed(self, address: str = ADDRESS) -> TransportError:
        """Ask about an address, which must fail without showing it or a secret, and return how."""
        with pytest.raises(TransportError) as caught:
            self.ask(address)
        said = "".join(traceback.format_exception(caught.value))
        assert not any(hidden in said for hidden in (ADDRESS, "emailAddress=", AUTHORIZATION.decode()))
        return caught.value


def request_id(response: Response) -> object:
    """The requestId of an answer, which the sandbox makes out of the address."""
    return json.loads(response.body)["requestId"]


def test_an_address_is_asked_exactly_as_it_is_written(sandbox: Sandbox) -> None:
    """Case, plus tags, quotes, percent signs and umlauts reach Gong."""
    addresses = [ADDRESS, '"a,b&c=d"@x.example', "50%25@x.example", "jürgen@bücher.example", "a+b/c?#@x.example"]
    asker = Asker(sandbox.url)
    for address in addresses:
        response = asker.ask(address)
        assert (response.status, request_id(response)) == (200, documented_answer(address)["requestId"])
    assert [call.address for call in sandbox.calls] == addresses


@pytest.mark.parametrize("compress", [True, False])
def test_compressed_answers_are_asked_for(compress: bool) -> None:  # noqa: FBT001
    """Each call accepts gzip, and a body is the same whether or not it was compressed."""
    with Sandbox(requests_per_second=0, compress=compress) as sandbox:
        sandbox.answers["*"] = Reply(body=documented_answer(ADDRESS, emails=5000))
        response = Asker(sandbox.url).ask()
        (call,) = sandbox.calls
    assert "gzip" in call.headers["accept-encoding"]
    assert response.headers.get("content-encoding") == ("gzip" if compress else None)
    assert json.loads(response.body) == documented_answer(ADDRESS, emails=5000)


@pytest.mark.parametrize("authorization", ["Bearer sandbox-token", "Bearer pässwörd✓"])
def test_the_credentials_are_sent_as_they_are(sandbox: Sandbox, authorization: str) -> None:
    """Characters beyond ASCII are sent as UTF-8, and raise nothing."""
    Asker(sandbox.url, authorization=authorization.encode()).ask()
    assert sandbox.calls[0].headers["authorization"].encode("latin-1").decode() == authorization


def test_a_netrc_does_not_replace_the_credentials(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.netrc` entry for the host is ignored."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password wrong\ndefault login other password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert Asker(sandbox.url).ask().status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["{url}/elsewhere", "http://[bad", "http://[::1/", "\xff\xfe"])
def test_redirects_are_not_followed(sandbox: Sandbox, status: int, location: str) -> None:
    """Wherever they lead to, the redirect is the response."""
    sandbox.answers["*"] = Reply(status, headers={"Location": location.format(url=sandbox.url)})
    assert Asker(sandbox.url).ask().status == status
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("status", [204, 400, 401, 404, 429, 503, 599])
def test_any_status_is_a_response(sandbox: Sandbox, status: int) -> None:
    """What it means is not for the transport to say; it never asks again by itself."""
    sandbox.answers["*"] = Reply(status, headers={"Retry-After": "1"})
    response = Asker(sandbox.url).ask()
    assert (response.status, response.headers["retry-after"]) == (status, "1")
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("fault", ["truncate", "bad_gzip", "drip"])
def test_a_status_counts_even_if_its_body_breaks_off(sandbox: Sandbox, fault: Fault) -> None:
    """A 403 with half a body is a 403, and spoils no other call."""
    sandbox.answers["a@x.example"] = Reply(403, body="x" * 1000, fault=fault, drip_interval=0.05)
    asker = Asker(sandbox.url, timeout=0.2)
    response = asker.ask("a@x.example")
    assert (response.status, response.body) == (403, b"")
    assert request_id(asker.ask()) == documented_answer(ADDRESS)["requestId"]


@pytest.mark.parametrize(
    "reply, status, reason",
    [
        (Reply(fault="reset"), None, "the connection failed"),
        (Reply(fault="close"), None, "the connection failed"),
        (Reply(fault="hang"), None, "no data within 0.3 seconds (request_timeout)"),
        (Reply(fault="truncate"), 200, "its answer broke off"),
        (Reply(headers={"Content-Length": "30000"}, fault="truncate"), 200, "its answer broke off"),
        (Reply(headers={"Transfer-Encoding": "chunked"}, body="-5\r\n{}\r\n0\r\n\r\n"), 200, None),
        (Reply(headers={"Transfer-Encoding": "chunked"}, body="50\r\n{}", fault="truncate"), 200, None),
        (Reply(fault="bad_gzip"), 200, "its answer could not be decompressed"),
        (
            Reply(fault="drip", drip_interval=0.02),
            200,
            "its answer took longer than 0.6 seconds (twice request_timeout)",
        ),
        (Reply(fault="interim"), 103, "it sent an interim response (1xx) that was not asked for"),
        (
            Reply(headers={"Content-Length": "5\r\nContent-Length: 7"}),
            None,
            "its answer has headers that contradict each other",
        ),
    ],
    ids=range(11),
)
def test_a_response_that_is_not_whole_is_a_fault_and_spoils_no_other_call(
    sandbox: Sandbox, reply: Reply, status: int | None, reason: str | None
) -> None:
    """The fault has its status, if one came, and a reason. The answer to the next call is its own."""
    sandbox.answers["a@x.example"] = reply
    asker = Asker(sandbox.url, timeout=0.3)
    for call in (1, 2):
        error = asker.failed("a@x.example")
        assert (error.status, error.reason.text) == (status, reason or error.reason.text)
        assert request_id(asker.ask()) == sandbox_request_id(ADDRESS, call)
    assert len(sandbox.calls) == 4


def test_headers_that_drip_have_the_time_of_each_wait(sandbox: Sandbox) -> None:
    """As long as each byte comes within `request_timeout`, they may take longer."""
    sandbox.answers["*"] = Reply(400, body="{}", fault="drip_headers", drip_interval=0.01)
    assert Asker(sandbox.url, timeout=0.3).ask().status == 400


class _Talk(socketserver.StreamRequestHandler):
    """Answers each request on a connection by a function, which returns None to end it."""

    @override
    def handle(self) -> None:
        server = cast("Talker", self.server)
        server.connections += 1
        with suppress(OSError):
            while self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                server.asked += 1
                try:
                    for part in server.answer(server.asked):
                        self.request.sendall(part)
                        time.sleep(server.pause)
                finally:
                    server.done.release()


class _Impatient(socketserver.BaseRequestHandler):
    """Answers any request once, and closes with trailing bytes."""

    @override
    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(numbered(1))
        time.sleep(0.02)
        with suppress(OSError):
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


class Talker(socketserver.ThreadingTCPServer):
    """A server that sends scripted bytes."""

    daemon_threads = True

    def __init__(self, answer: Callable[[int], list[bytes]], pause: float = 0.0) -> None:
        """Listen on a free port.

        Args:
            answer: Returns the parts of the answer to the nth request.
            pause: Seconds between two parts.
        """
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answer = answer
        self.pause = pause
        self.asked = self.connections = 0
        self.done = threading.Semaphore(0)
        """Is released once for each answer that has been sent."""
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def secure(self, authority: trustme.CA) -> None:
        """Speak TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{self.server_address[1]}"

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that break off are what is tested."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve in a separate thread."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def numbered(number: int, size: int = 0) -> bytes:
    """The answer to the nth request, of at least some size."""
    body = json.dumps({"requestId": number, "x": "x" * size}).encode()
    return OK % (len(body), body)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that only the tests' bundle trusts."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bundle that makes the authority trusted."""
    authority.cert_pem.write_to_path(str(tmp_path / "bundle.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    return tmp_path / "bundle.pem"


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize("size", [0, 7_000, 20_000, 100_000], ids=lambda size: f"{size} bytes")
@pytest.mark.parametrize("surplus", [b"surplus", numbered(666), b"x" * 50_000], ids=["bytes", "answer", "many_bytes"])
@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
@pytest.mark.parametrize("secure", [True, False], ids=["tls", "clear"])
def test_bytes_behind_a_body_are_no_answer_to_another_call(
    size: int,
    surplus: bytes,
    together: bool,  # noqa: FBT001
    secure: bool,  # noqa: FBT001
    authority: trustme.CA,
) -> None:
    """A surplus answer is never taken for the answer to the next call, whichever buffer holds it."""

    def answer(number: int) -> list[bytes]:
        parts = [numbered(number, size), surplus]
        return [b"".join(parts)] if together else parts

    with serving(Talker(answer)) as server:
        if secure:
            server.secure(authority)
        asker = Asker(server.url)
        seen = []
        for _ in range(3):
            seen.append(request_id(asker.ask()))
            assert server.done.acquire(timeout=10)
            time.sleep(0.05)  # Waits until it has arrived.
    assert seen == [1, 2, 3]


def test_a_compressed_body_that_drips_ends_too() -> None:
    """The deadline of a body is checked after each chunk, even if the chunk cannot be decompressed yet."""
    # The name of a file, which gzip may hold, is decompressed to nothing.
    head = b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 1000 + b"\0"
    body = head + gzip.compress(b"{}")[10:]
    start = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(Talker(lambda _: [start, *(bytes([byte]) for byte in body)], pause=0.02)) as server:
        error = Asker(server.url, timeout=0.2).failed()
        assert error.reason.text == "its answer took longer than 0.4 seconds (twice request_timeout)"


def test_connections_are_used_again_and_closed() -> None:
    """Calls one after the other share a connection; `close` ends it; a call after a fault makes a new one."""
    with serving(Talker(lambda number: [] if number == 3 else [numbered(number)])) as server:
        asker = Asker(server.url, timeout=0.2)
        assert [request_id(asker.ask()) for _ in range(2)] == [1, 2]
        assert server.connections == 1
        asker.failed()
        assert [request_id(asker.ask()) for _ in range(2)] == [4, 5]
        assert server.connections == 2
        asker.close()
        asker.ask()
        asker.ask()
        assert server.connections == 4


def test_a_connection_over_tls_is_used_again(bundle: Path, authority: trustme.CA) -> None:
    """Unread data of TLS itself, such as a session ticket, does not cause a new connection."""
    assert bundle.exists()
    with serving(Talker(lambda number: [numbered(number)])) as server:
        server.secure(authority)
        asker = Asker(server.url)
        for _ in range(3):
            asker.ask()
            assert server.done.acquire(timeout=10)
        assert (server.asked, server.connections) == (3, 1)


def test_calls_at_once_have_a_connection_each() -> None:
    """No call waits for another, and each has its own answer."""
    both = threading.Barrier(2)

    def answer(_number: int) -> list[bytes]:
        both.wait(5)
        return [numbered(1)]

    with serving(Talker(answer)) as server:
        asker = Asker(server.url)
        threads = [threading.Thread(target=asker.ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections == 2
        asker.close()


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    """A pause may outlast the server's patience: nothing was asked, so nothing has failed."""
    with serving(Talker(lambda _: [])) as server:
        server.RequestHandlerClass = _Impatient
        asker = Asker(server.url)
        for _ in range(3):
            assert asker.ask().status == 200
            time.sleep(0.1)


@pytest.mark.parametrize("timeout, longest", [(0.2, 10), (60, 0.2)])
def test_connecting_has_a_separate_timeout(timeout: float, longest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is `request_timeout`, and 10 seconds at most, for which this test has no time."""
    assert transport._LONGEST_CONNECT == 10  # noqa: SLF001
    monkeypatch.setattr(transport, "_LONGEST_CONNECT", longest)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as stack:
        for _ in range(4):  # Its queue is full, so that a later connection gets no answer at all.
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(deaf.getsockname())
        error = Asker(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=timeout).failed()
    assert error.reason.text == "no connection within 0.2 seconds (request_timeout, 10 at most)"


@pytest.mark.parametrize("timeout", [1e9, 1e300])
def test_a_time_of_ages_is_a_time(sandbox: Sandbox, timeout: float) -> None:
    """However long `request_timeout` is, no socket refuses it."""
    assert Asker(sandbox.url, timeout=timeout).ask().status == 200


def test_a_refused_connection_is_a_fault() -> None:
    """An address on which nothing listens."""
    with Sandbox() as gone:
        url = gone.url
    assert Asker(url).failed().reason.text == "the connection failed"


def test_an_unknown_host_is_a_fault() -> None:
    """A host name that does not resolve is named as such, without the name."""
    assert Asker("https://gong.invalid").failed().reason.text == "its host name could not be resolved"


def test_a_server_that_speaks_no_tls_is_a_fault() -> None:
    """`https` is never spoken in clear."""
    with serving(Talker(lambda _: [])) as server:
        server.RequestHandlerClass = _Impatient
        error = Asker(server.url.replace("http:", "https:")).failed()
    assert error.reason.text == "no trusted TLS connection"


def test_an_untrusted_certificate_is_a_fault(authority: trustme.CA) -> None:
    """TLS is verified: an untrusted certificate ends the call before the address is sent."""
    with serving(Talker(lambda number: [numbered(number)])) as server:
        server.secure(authority)
        error = Asker(server.url).failed()
        assert not server.asked
    assert error.reason.text == "no trusted TLS connection"
    assert "REQUESTS_CA_BUNDLE" in error.reason.advice


def test_a_bundle_that_is_not_there_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice names `REQUESTS_CA_BUNDLE`, and nothing its path."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    reason = Asker("https://localhost:9").failed().reason
    assert "REQUESTS_CA_BUNDLE" in reason.advice
    assert "nowhere" not in str(reason)


class _Tunnel(socketserver.BaseRequestHandler):
    """An HTTP proxy's CONNECT, for one connection."""

    @override
    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(4096)
        cast("Proxy", self.server).heads.append(head.decode("latin-1"))
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=_pump, args=(upstream, self.request), daemon=True).start()
            _pump(self.request, upstream)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65_536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that remembers what it received."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.heads: list[str] = []
        self.host = f"127.0.0.1:{self.server_address[1]}"


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize("scheme", ["http://", "http://user:pass%40word@", ""])
@pytest.mark.parametrize("exempt", [False, True], ids=["proxied", "no_proxy"])
def test_a_proxy_is_used_unless_the_host_is_exempt(
    exempt: bool,  # noqa: FBT001
    scheme: str,
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`HTTPS_PROXY` and `NO_PROXY` are honoured, and the proxy sees neither the address nor the credentials."""
    with serving(Talker(lambda number: [numbered(number)])) as server, serving(Proxy()) as proxy:
        server.secure(authority)
        monkeypatch.setenv("HTTPS_PROXY", scheme + proxy.host)
        monkeypatch.setenv("NO_PROXY", "localhost" if exempt else "elsewhere.example")
        asker = Asker(server.url)
        assert [asker.ask().status for _ in range(2)] == [200, 200]
        asker.close()
        assert len(proxy.heads) == (0 if exempt else 1)
        assert not any("example.com" in head or "sandbox-token" in head for head in proxy.heads)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy, reason",
    [
        ("socks5://user:canary@127.0.0.1:9", "SOCKS proxies cannot be used"),
        ("SOCKS5h://user:canary@127.0.0.1:9", "SOCKS proxies cannot be used"),
        ("socks4://canary:port", "SOCKS proxies cannot be used"),
        *(
            (proxy, "HTTPS_PROXY is not a valid URL of a proxy, or has no host")
            for proxy in (
                "http://user:canary@",
                "user:canary@",
                "http://:8080",
                "https://user:canary@:3128",
                "http://user:canary@127.0.0.1:port",
                "127.0.0.1:port",
                "http://127.0.0.1:99999",
                "http://127.0.0.1:0",
                "http://user:ca/nary@127.0.0.1:9",
                "http://[::1",
                "http://",
                "ftp://user:canary@127.0.0.1:9",
                "://127.0.0.1:9",
            )
        ),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_in_plain_words(
    name: str, proxy: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes out, the advice names the variable, and nothing shows the password."""
    monkeypatch.setenv(name, proxy)
    error = Asker("https://localhost:9").failed()
    assert error.reason.text == reason
    assert "HTTPS_PROXY" in error.reason.advice
    assert "nary" not in f"{error!r} {error.reason}"


@pytest.mark.parametrize("proxy", ["http://jürgen✓:canary@127.0.0.1:9", "http:// :9", "http://a b:9", "socks-gw:9"])
def test_no_proxy_ends_in_a_traceback(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other mistake in it makes the call fail, and nothing shows the password."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = Asker("https://localhost:9").failed()
    assert "SOCKS" not in error.reason.text
    assert "canary" not in f"{error!r} {error.reason}"


def test_a_proxy_that_is_down_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that gives no connection is named as the reason."""
    with Sandbox() as gone:
        monkeypatch.setenv("HTTPS_PROXY", gone.url)
    assert Asker("https://gong.invalid").failed().reason.text == "the proxy gave no connection"


def test_loopback_in_clear_goes_through_no_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """`http` is never sent to a proxy."""
    with serving(Proxy()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        assert Asker(sandbox.url).ask().status == 200
        assert not proxy.heads
