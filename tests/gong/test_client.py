"""One look-up over real HTTP: what each answer and each fault of the network means."""

from __future__ import annotations

import http.server
import json
import logging
import socket
import socketserver
import ssl
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, TypeVar, cast

import pytest
from typing_extensions import override

from sandbox import EXAMPLE_ANSWER, Fault, Reply, Sandbox, documented_answer
from tap_gong_privacy.gong.client import Client, Status
from tap_gong_privacy.gong.pacing import BudgetSpentError, CutError, Pacer
from tap_gong_privacy.gong.transport import Credentials, Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_gong_privacy.gong.client import Lookup

ADDRESS = "Jane.O'Doe+gong@example.com"
AUTHORIZATION = b"Bearer sandbox-token"
SECTIONS = ("emails", "calls", "meetings", "customerData", "customerEngagement")

# Self-signed, for localhost and 127.0.0.1, valid until 2126; it protects nothing but these tests.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8u6qdRlINYsTD2xP
mbUZCEdWT8wLZkDZ6QPyDh0F9oWhRANCAAQ1jggfv6Ol7cZD/W3721pDp5AQ4QYK
78UKuii0Yjoxd2oyhVG7aw4Z3CulMj1c5SLGj2PMS3IRbQj4g0Af0iVA
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIULHRMz8vbf5dMKqrcJNnY1PyWh4MwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDIwMTEwM1oYDzIxMjYxMDMx
MjAxMTAzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ1jggfv6Ol7cZD/W3721pDp5AQ4QYK78UKuii0Yjoxd2oyhVG7aw4Z
3CulMj1c5SLGj2PMS3IRbQj4g0Af0iVAo28wbTAdBgNVHQ4EFgQUBSU2k6AXpg9C
lzsfWjhW0YQHqUgwHwYDVR0jBBgwFoAUBSU2k6AXpg9ClzsfWjhW0YQHqUgwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAIrbOAU5KXyiTw6OQRf5WEv1GTNRIXA+uN4QNshrQptOAiAJ
CLN5Qah0oT0L2feOldMi9dPp+ZCNBKjVuT5f9kHRug==
-----END CERTIFICATE-----
"""


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without backoff, and reach no proxy of the machine's."""
    monkeypatch.setattr("backoff.full_jitter", lambda _: 0.0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Asker:
    """A client with a pacer of its own."""

    def __init__(
        self,
        api_url: str,
        *,
        request_timeout: float = 5,
        max_retries: int = 0,
        max_retry_wait: float = 300,
        budget: int | None = None,
        authorization: bytes = AUTHORIZATION,
    ) -> None:
        """Set the client up; it makes 1000 calls a second at most."""
        self.pacer = Pacer(1000, max_retry_wait, budget)
        self.client = Client(
            api_url,
            Credentials(authorization),
            self.pacer,
            request_timeout=request_timeout,
            max_retries=max_retries,
            max_retry_wait=max_retry_wait,
        )

    def ask(self, address: str = ADDRESS, place: int = 0) -> Lookup:
        """Look up an address."""
        return self.client.look_up(address, place)

    def stopped(self) -> str:
        """Look up an address, which must stop the run, and return why."""
        with pytest.raises(CutError):
            self.ask()
        assert self.pacer.stopped is not None
        return self.pacer.stopped.message


def test_an_answer_is_found_with_what_gong_holds(sandbox: Sandbox) -> None:
    """A 200 that holds something is `found`, with Gong's requestId and the time at which it arrived."""
    before = datetime.now(UTC)
    lookup = Asker(sandbox.url).ask("test@test.com")
    assert (lookup.status, lookup.http_status, lookup.errors) == (Status.FOUND, 200, ())
    assert lookup.request_id == EXAMPLE_ANSWER["requestId"]
    assert before <= lookup.looked_up_at <= datetime.now(UTC)
    assert lookup.answer is not None
    assert lookup.answer.holds_something


def test_an_address_is_asked_exactly_as_it_is_written(sandbox: Sandbox) -> None:
    """Case, plus tags, quotes, percent signs and umlauts reach Gong, and nothing else is sent in the query."""
    addresses = [ADDRESS, '"a,b&c=d"@x.example', "50%25@x.example", "jürgen@bücher.example", "a+b/c?#@x.example"]
    asker = Asker(sandbox.url)
    for address in addresses:
        asker.ask(address)
    assert [call.address for call in sandbox.calls] == addresses


def test_compressed_answers_are_asked_for_and_the_credentials_sent(sandbox: Sandbox) -> None:
    """Each call accepts gzip and carries the Authorization header as it was given."""
    sandbox.answers["*"] = Reply(body={**documented_answer(ADDRESS, emails=50)})
    lookup = Asker(sandbox.url).ask()
    (call,) = sandbox.calls
    assert "gzip" in call.headers["accept-encoding"]
    assert call.headers["authorization"] == AUTHORIZATION.decode()
    assert lookup.answer is not None
    assert len(lookup.answer.sections["emails"]) == 50


def test_five_empty_sections_are_not_found(sandbox: Sandbox) -> None:
    """A 200 that holds nothing is `not_found`."""
    lookup = Asker(sandbox.url).ask("unknown@example.com")
    assert (lookup.status, lookup.http_status, lookup.errors) == (Status.NOT_FOUND, 200, ())


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("content", [[], None], ids=["empty", "null"])
def test_one_documented_section_is_enough(sandbox: Sandbox, section: str, content: object) -> None:
    """The other sections may be missing."""
    sandbox.answers["*"] = Reply(body={section: content})
    assert Asker(sandbox.url).ask().status is Status.NOT_FOUND


@pytest.mark.parametrize(
    "body",
    [
        "<html>Please log in</html>",
        "",
        "{}",
        "null",
        "[]",
        "7",
        '"emails"',
        '{"requestId": "4al0"}',
        '{"emails": {}}',
        '{"emails": [7]}',
        '{"calls": "none"}',
        '{"emails": []',
        '{"emails": [], "emails": NaN}',
        b'{"emails": [], "x": "\xff"}',
        '{"emails": [], "errors": ["partial"]}',
        '{"emails": [], "cursor": "next"}',
        '{"emails": [], "records": {"cursor": "next"}}',
        '{"emails": [{"id": "1"}], "emails": []}',
        "[" * 100_000,
    ],
    ids=range(19),
)
def test_a_200_that_is_no_answer_is_tried_again_then_fails(sandbox: Sandbox, body: object) -> None:
    """Whatever is no answer is never `not_found`: it is a fault, and nothing of it is shown."""
    sandbox.answers["*"] = Reply(body=body)
    lookup = Asker(sandbox.url, max_retries=2).ask()
    assert (lookup.status, lookup.http_status, lookup.answer) == (Status.FAILED, 200, None)
    assert len(sandbox.calls) == 3
    (reason,) = lookup.errors
    assert reason.startswith("Gong answered 200, but ")
    assert lookup.request_id == ("4al0" if "4al0" in str(body) else None)


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 299, 408, 500, 502, 503, 504, 599])
def test_faults_are_tried_again_then_fail(sandbox: Sandbox, status: int) -> None:
    """Other 2xx, 408 and 5xx are tried `max_retries` times more, and then the address has failed."""
    sandbox.answers["*"] = Reply(status, body={"emails": [], "requestId": "4alrequest"})
    lookup = Asker(sandbox.url, max_retries=2).ask()
    assert (lookup.status, lookup.http_status) == (Status.FAILED, status)
    assert not lookup.is_refusal
    assert lookup.errors
    # What a 204 sends behind its head is no body.
    assert lookup.request_id == (None if status == 204 else "4alrequest")
    assert lookup.undocumented == ({} if status == 204 else {"emails": []})
    assert len(sandbox.calls) == 3


@pytest.mark.parametrize(
    "first",
    [Reply(500), Reply(408), Reply(202), Reply(body="{}"), Reply(fault="reset"), Reply(fault="truncate")],
    ids=["500", "408", "202", "unusable", "reset", "truncate"],
)
def test_a_fault_may_pass(sandbox: Sandbox, first: Reply) -> None:
    """An answer after a fault counts, and nothing of the fault is left."""
    sandbox.answers["*"] = [first, Reply()]
    lookup = Asker(sandbox.url, max_retries=1).ask()
    assert (lookup.status, lookup.http_status, lookup.errors) == (Status.FOUND, 200, ())
    assert len(sandbox.calls) == 2


def test_an_interim_response_is_no_answer(sandbox: Sandbox) -> None:
    """What comes behind a 103 is the answer to the same call, and not to the next one on that connection."""
    sandbox.answers["*"] = Reply(fault="interim")
    asker = Asker(sandbox.url, max_retries=0)
    for place, address in enumerate(["a@x.example", "unknown@x.example", "b@x.example"]):
        lookup = asker.ask(address, place)
        assert (lookup.http_status, lookup.request_id) == (200, documented_answer(address)["requestId"])
    assert len(sandbox.calls) == 3


def test_no_retries_means_one_try(sandbox: Sandbox) -> None:
    """`max_retries` 0 gives up after the first fault."""
    sandbox.answers["*"] = Reply(500)
    assert Asker(sandbox.url, max_retries=0).ask().status is Status.FAILED
    assert len(sandbox.calls) == 1


def test_each_address_has_its_own_retries(sandbox: Sandbox) -> None:
    """What one address used up is there for the next."""
    sandbox.answers["*"] = Reply(500)
    asker = Asker(sandbox.url, max_retries=1)
    asker.ask("a@x.example", 0)
    asker.ask("b@x.example", 1)
    assert [call.address[0] for call in sandbox.calls] == ["a", "a", "b", "b"]


def test_a_refused_address_is_rejected_at_once(sandbox: Sandbox) -> None:
    """A 400 is final, with Gong's own messages."""
    sandbox.answers["*"] = Reply(400, body={"requestId": "4al0", "errors": ["bad address", 7, "twice"], "code": 5})
    lookup = Asker(sandbox.url, max_retries=3).ask()
    assert (lookup.status, lookup.http_status, lookup.request_id) == (Status.REJECTED, 400, "4al0")
    assert lookup.errors == ("bad address", "7", "twice")
    assert lookup.undocumented == {"code": 5}
    assert not lookup.is_refusal
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"errors": "text"}', '{"errors": []}', '{"errors": [{}]}'])
def test_a_rejection_without_messages_has_a_reason_of_the_taps_own(sandbox: Sandbox, body: str) -> None:
    """`errors` is never empty for a rejected address."""
    sandbox.answers["*"] = Reply(400, body=body)
    lookup = Asker(sandbox.url).ask()
    assert (lookup.status, lookup.errors) == (Status.REJECTED, ("Gong answered 400 without a message",))


@pytest.mark.parametrize("request_id", ["4al0-Z_9", "x" * 64])
def test_refused_credentials_stop_the_run_with_all_that_there_is_to_check(sandbox: Sandbox, request_id: str) -> None:
    """A 401 names the status, Gong's requestId, the credentials, the scope and `api_url`, and is not tried again."""
    sandbox.answers["*"] = Reply(401, body={"requestId": request_id, "errors": [f"no such user {ADDRESS}"]})
    message = Asker(sandbox.url, max_retries=3).stopped()
    for named in ("401", request_id, "credentials", "api:data-privacy:read", "api_url"):
        assert named in message
    assert ADDRESS not in message
    assert "\n" not in message
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("request_id", [ADDRESS, "x" * 65, "", "a b", "a\nb", 7, None, ["a"]], ids=range(8))
def test_a_request_id_that_could_be_anything_is_not_shown(sandbox: Sandbox, request_id: object) -> None:
    """Of an error body only a requestId of 1 to 64 of `[A-Za-z0-9_-]` is shown."""
    sandbox.answers["*"] = Reply(401, body={"requestId": request_id})
    assert "(requestId not given)" in Asker(sandbox.url).stopped()


def test_wrong_credentials_are_refused_by_gong_itself(sandbox: Sandbox) -> None:
    """The sandbox refuses a wrong token, which the message does not show."""
    message = Asker(sandbox.url, authorization=b"Bearer wrong-token").stopped()
    assert "401" in message
    assert "wrong-token" not in message


def test_credentials_may_hold_any_character(sandbox: Sandbox) -> None:
    """Bytes beyond ASCII are sent as UTF-8, and raise nothing."""
    message = Asker(sandbox.url, authorization="Bearer pässwörd✓".encode()).stopped()
    assert "401" in message
    assert sandbox.calls[0].headers["authorization"].encode("latin-1").decode() == "Bearer pässwörd✓"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 402, 403, 404, 405, 410, 422, 451, 499])
def test_refusals_fail_at_once_and_redirects_are_not_followed(sandbox: Sandbox, status: int) -> None:
    """3xx and other 4xx end the address `failed` without a further try, wherever they point."""
    headers = {"Location": sandbox.url + "/elsewhere"} if status < 400 else {}
    sandbox.answers["*"] = Reply(status, body={"requestId": "4al0", "errors": ["no"]}, headers=headers)
    lookup = Asker(sandbox.url, max_retries=3).ask()
    assert (lookup.status, lookup.http_status, lookup.is_refusal) == (Status.FAILED, status, True)
    assert lookup.errors
    assert len(sandbox.calls) == 1


def test_a_status_tells_even_where_its_body_breaks_off(sandbox: Sandbox) -> None:
    """A 403 with half a body is a 403."""
    sandbox.answers["*"] = Reply(403, body="x" * 1000, fault="truncate")
    assert Asker(sandbox.url).ask().http_status == 403


@pytest.mark.parametrize(
    "fault, http_status, reason",
    [
        ("reset", None, "the connection failed"),
        ("close", None, "the connection failed"),
        ("truncate", 200, "its answer broke off"),
        ("bad_gzip", 200, "its answer could not be decompressed"),
    ],
)
def test_broken_connections_are_tried_again_then_fail(
    sandbox: Sandbox, fault: Fault, http_status: int | None, reason: str
) -> None:
    """A fault on the wire leaves the HTTP status that came, if any, and a reason in the tap's own words."""
    sandbox.answers["*"] = Reply(fault=fault)
    lookup = Asker(sandbox.url, max_retries=2).ask()
    assert (lookup.status, lookup.http_status, lookup.request_id) == (Status.FAILED, http_status, None)
    assert lookup.errors == (f"Gong gave no answer: {reason}",)
    assert len(sandbox.calls) == 3


def test_the_last_status_stands_where_a_later_try_has_none(sandbox: Sandbox) -> None:
    """`http_status` is the last one that there was."""
    sandbox.answers["*"] = [Reply(503), Reply(fault="reset")]
    lookup = Asker(sandbox.url, max_retries=1).ask()
    assert (lookup.status, lookup.http_status) == (Status.FAILED, 503)


@pytest.mark.parametrize("location", ["http://[bad", "http://[::1/", "\xff\xfe"])
def test_a_redirect_to_nowhere_is_a_refusal(sandbox: Sandbox, location: str) -> None:
    """A redirect is not followed, so where it leads to is not even read."""
    sandbox.answers["*"] = Reply(302, headers={"Location": location})
    lookup = Asker(sandbox.url, max_retries=2).ask()
    assert (lookup.status, lookup.http_status) == (Status.FAILED, 302)
    assert len(sandbox.calls) == 1


def test_a_chunk_of_negative_length_is_a_fault(sandbox: Sandbox) -> None:
    """What no HTTP library expects fails the address, not the run."""
    headers = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
    sandbox.answers["*"] = [Reply(headers=headers, body="-5\r\n{}\r\n0\r\n\r\n"), Reply()]
    assert Asker(sandbox.url, max_retries=1).ask().status is Status.FOUND
    assert len(sandbox.calls) == 2


def test_an_answer_longer_than_it_says_spoils_no_other(sandbox: Sandbox) -> None:
    """What follows Content-Length is not read as part of this answer or of the next."""
    sandbox.answers["*"] = [Reply(fault="long"), Reply(fault="long"), Reply()]
    asker = Asker(sandbox.url, max_retries=1)
    assert [asker.ask(f"a{place}@x.example", place).status for place in range(3)] == [Status.FOUND] * 3


def test_a_shorter_content_length_makes_no_answer(sandbox: Sandbox) -> None:
    """A body cut by a wrong Content-Length is a fault."""
    sandbox.answers["*"] = Reply(headers={"Content-Length": "30"})
    assert Asker(sandbox.url).ask().status is Status.FAILED


def test_silence_ends_after_the_timeout(sandbox: Sandbox) -> None:
    """No data for `request_timeout` is a fault."""
    sandbox.answers["*"] = Reply(fault="hang")
    lookup = Asker(sandbox.url, request_timeout=0.2, max_retries=1).ask()
    assert lookup.errors == ("Gong gave no answer: no data within 0.2 seconds (request_timeout)",)
    assert len(sandbox.calls) == 2


@pytest.mark.parametrize("fault", ["drip", "drip_headers"])
def test_a_drip_ends_too(sandbox: Sandbox, fault: Fault) -> None:
    """An answer that comes byte by byte ends after twice `request_timeout`, though each wait is short."""
    sandbox.answers["*"] = Reply(fault=fault, drip_interval=0.05)
    lookup = Asker(sandbox.url, request_timeout=0.3).ask()
    expected = "Gong gave no answer: its answer took longer than 0.6 seconds (twice request_timeout)"
    assert (lookup.status, lookup.errors) == (Status.FAILED, (expected,))


def test_a_try_cut_by_its_time_does_not_harm_the_next(sandbox: Sandbox) -> None:
    """After a drip was cut the next try is answered."""
    sandbox.answers["*"] = [Reply(fault="drip", drip_interval=0.05), Reply()]
    lookup = Asker(sandbox.url, request_timeout=0.3, max_retries=1).ask()
    assert lookup.status is Status.FOUND


def test_many_addresses_of_a_host_share_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting takes `request_timeout` in all, however many addresses the host name has that do not answer."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: 8 * resolve(*args, **kwargs))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as stack:
        for _ in range(4):  # its queue is full: whoever comes later gets no answer at all
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(deaf.getsockname())
        began = time.monotonic()
        lookup = Asker(f"http://127.0.0.1:{deaf.getsockname()[1]}", request_timeout=1).ask()
        assert time.monotonic() - began < 4
    assert lookup.errors == ("Gong gave no answer: no connection within 1 seconds (request_timeout)",)


def test_a_refused_connection_is_a_fault() -> None:
    """Nobody listens: the address fails, after its tries."""
    with Sandbox() as gone:
        url = gone.url
    lookup = Asker(url, max_retries=1).ask()
    assert lookup.errors == ("Gong gave no answer: the connection failed",)
    assert (lookup.status, lookup.http_status) == (Status.FAILED, None)


def test_an_unknown_host_is_a_fault() -> None:
    """A host name that does not resolve is named as such, without the name."""
    lookup = Asker("https://gong.invalid").ask()
    assert lookup.errors == ("Gong gave no answer: its host name could not be resolved",)


class _TLSAnswers(http.server.BaseHTTPRequestHandler):
    """Holds nothing about anybody."""

    protocol_version = "HTTP/1.1"

    @override
    def setup(self) -> None:
        server = cast("TLSServer", self.server)
        server.connections += 1
        time.sleep(server.pause)
        super().setup()
        self.connection.settimeout(server.patience)

    def do_GET(self) -> None:
        """Answer."""
        cast("TLSServer", self.server).asked += 1
        body = json.dumps({"emails": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class TLSServer(http.server.ThreadingHTTPServer):
    """A Gong behind TLS, whose certificate no system trusts."""

    def __init__(self, certificate: Path) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _TLSAnswers)
        self.asked = self.connections = 0
        self.pause = 0.0
        """Seconds between the connection and the handshake."""
        self.patience = 60.0
        """Seconds that a connection may be idle."""
        certificate.write_text(CERTIFICATE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{self.server_port}"

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that break off are what is tested."""


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
            back = threading.Thread(target=_pump, args=(upstream, self.request), daemon=True)
            back.start()
            _pump(self.request, upstream)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(65_536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that remembers what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.heads: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


Server = TypeVar("Server", bound=socketserver.BaseServer)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve in a thread of its own."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


class _Clear(socketserver.BaseRequestHandler):
    """Answers in clear, whatever it is asked."""

    @override
    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_server_that_speaks_no_tls_is_a_fault() -> None:
    """`https` is never spoken in clear."""
    with serving(socketserver.TCPServer(("127.0.0.1", 0), _Clear)) as server:
        lookup = Asker(f"https://127.0.0.1:{server.server_address[1]}").ask()
    assert lookup.errors == ("Gong gave no answer: no TLS connection that can be trusted",)


def test_an_untrusted_certificate_is_a_fault(tmp_path: Path) -> None:
    """TLS is verified: a certificate that nobody vouches for ends the try before the address is sent."""
    with serving(TLSServer(tmp_path / "own.pem")) as server:
        lookup = Asker(server.url).ask()
        assert lookup.errors == ("Gong gave no answer: no TLS connection that can be trusted",)
        assert not server.asked


def test_a_bundle_of_ones_own_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`REQUESTS_CA_BUNDLE` says whom to trust."""
    with serving(TLSServer(tmp_path / "own.pem")) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
        assert Asker(server.url).ask().status is Status.NOT_FOUND
        assert server.asked == 1


def test_tls_has_the_timeout_that_addresses_of_a_host_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handshake may take `request_timeout`, however many addresses the host name has."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: 8 * resolve(*args, **kwargs))
    with serving(TLSServer(tmp_path / "own.pem")) as server:
        server.pause = 1.0
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
        assert Asker(server.url, request_timeout=4).ask().errors == ()


def waited(seconds: float) -> int:
    """Wait before a call, as for a turn, and return a ticket."""
    time.sleep(seconds)
    return 1


def test_a_connection_over_tls_outlives_a_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there unread, such as a session ticket, is no reason to connect anew."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
    with serving(TLSServer(tmp_path / "own.pem")) as server:
        transport = Transport(server.url, Credentials(AUTHORIZATION), 5, lambda: waited(0.2))
        assert [transport.get({}).status for _ in range(3)] == [200] * 3
        assert (server.asked, server.connections) == (3, 1)


class _Impatient(socketserver.BaseRequestHandler):
    """Closes a connection on which it is asked nothing for a while, with a last word."""

    @override
    def handle(self) -> None:
        self.request.settimeout(0.3)
        server = cast("ImpatientServer", self.server)
        with suppress(TimeoutError):
            while self.request.recv(65_536):
                server.asked += 1
                self.request.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"emails": []}')
        self.request.sendall(server.last_word)


class ImpatientServer(socketserver.ThreadingTCPServer):
    """A server with little patience."""

    daemon_threads = True

    def __init__(self, last_word: bytes) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Impatient)
        self.asked = 0
        self.last_word = last_word
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.mark.parametrize(
    "last_word", [b"", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"], ids=["none", "400"]
)
def test_a_connection_that_is_closed_during_the_wait_is_made_anew(last_word: bytes) -> None:
    """A pause may outlast the server's patience: nothing was asked, so nothing has failed or was refused."""
    waits = [0.0, 0.8]
    with serving(ImpatientServer(last_word)) as server:
        transport = Transport(server.url, Credentials(AUTHORIZATION), 5, lambda: waited(waits.pop(0) if waits else 0))
        assert [transport.get({}).status for _ in range(2)] == [200, 200]
        assert server.asked == 2
    assert not waits


def test_a_connection_that_is_closed_time_and_again_is_a_fault() -> None:
    """It is made anew twice; then the call fails, unsent, instead of waiting for ever or trusting a last word."""
    waits = [0.0, 0.8, 0.8, 0.8]
    with serving(ImpatientServer(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as server:
        transport = Transport(server.url, Credentials(AUTHORIZATION), 5, lambda: waited(waits.pop(0)))
        assert transport.get({}).status == 200
        with pytest.raises(TransportError, match="the connection failed"):
            transport.get({})
        assert (server.asked, waits) == (1, [])


def test_a_tunnel_that_is_closed_during_the_wait_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a proxy the new connection leads to Gong as the first did."""
    waits = [0.0, 0.8]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
    with serving(TLSServer(tmp_path / "own.pem")) as server, serving(Proxy()) as proxy:
        server.patience = 0.3
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        transport = Transport(server.url, Credentials(AUTHORIZATION), 5, lambda: waited(waits.pop(0) if waits else 0))
        assert [transport.get({}).status for _ in range(2)] == [200, 200]
        assert (server.asked, server.connections, len(proxy.heads)) == (2, 2, 2)


def test_contradicting_headers_are_named(sandbox: Sandbox) -> None:
    """Two lengths for one body are a fault of the answer, not of the way to it."""
    sandbox.answers["*"] = Reply(headers={"Content-Length": "5\r\nContent-Length: 7"})
    (reason,) = Asker(sandbox.url).ask().errors
    assert reason == "Gong gave no answer: its answer has headers that contradict each other"


def test_a_bundle_that_is_not_there_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong `REQUESTS_CA_BUNDLE` is named."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    (reason,) = Asker("https://localhost:9").ask().errors
    assert "REQUESTS_CA_BUNDLE" in reason


@pytest.mark.parametrize("exempt", [False, True], ids=["proxied", "no_proxy"])
def test_a_proxy_is_used_unless_the_host_is_exempt(
    exempt: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`HTTPS_PROXY` and `NO_PROXY` are honoured, and the proxy sees neither the address nor the credentials."""
    with serving(TLSServer(tmp_path / "own.pem")) as server, serving(Proxy()) as proxy:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "localhost" if exempt else "elsewhere.example")
        assert Asker(server.url).ask().status is Status.NOT_FOUND
        assert len(proxy.heads) == (0 if exempt else 1)
        assert not any("example.com" in head or "sandbox-token" in head for head in proxy.heads)


@pytest.mark.parametrize("scheme", ["socks5", "SOCKS5h", "socks4"])
def test_a_socks_proxy_is_refused_in_plain_words(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not a package for it is there, nothing goes out."""
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://user:canary@127.0.0.1:9")
    (reason,) = Asker("https://localhost:9").ask().errors
    assert reason.startswith("Gong gave no answer: SOCKS proxies cannot be used")
    assert "canary" not in reason


def test_a_proxy_that_is_down_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that gives no connection is named as the reason."""
    with Sandbox() as gone:
        url = gone.url
    monkeypatch.setenv("HTTPS_PROXY", url)
    lookup = Asker("https://gong.invalid").ask()
    assert lookup.errors == ("Gong gave no answer: the proxy gave no connection",)


def test_loopback_in_clear_goes_through_no_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """`http` is never sent to a proxy."""
    with serving(Proxy()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert Asker(sandbox.url).ask().status is Status.FOUND
        assert not proxy.heads


def test_a_netrc_does_not_replace_the_credentials(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.netrc` entry for the host has no say."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password wrong\ndefault login other password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert Asker(sandbox.url).ask().status is Status.FOUND
    assert sandbox.calls[0].headers["authorization"] == AUTHORIZATION.decode()


def test_connections_are_used_again(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answered calls of one thread share a connection."""
    opened: list[object] = []
    connect = socket.create_connection

    def counted(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        opened.append(address)
        return connect(address, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("socket.create_connection", counted)
    monkeypatch.setattr(
        "urllib3.util.connection.create_connection",
        lambda address, timeout, **_: counted(address, timeout=timeout),
    )
    asker = Asker(sandbox.url)
    for place in range(3):
        asker.ask(f"a{place}@x.example", place)
    assert len(sandbox.calls) == 3
    assert len(opened) == 1


LATER = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)


def date(seconds: float) -> str:
    """An HTTP date, by a clock of Gong's that is years off."""
    return format_datetime(LATER + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "1"},
        {"Retry-After": " 1.0 "},
        {"Retry-After": date(1), "Date": date(0)},
        {"Retry-After": "Wednesday, 21-Oct-15 07:28:01 GMT", "Date": "Wed Oct 21 07:28:00 2015"},
    ],
    ids=["seconds", "fraction", "date", "old_dates"],
)
@pytest.mark.parametrize("status", [429, 503])
def test_gong_is_waited_for_as_long_as_it_says(sandbox: Sandbox, status: int, headers: dict[str, str]) -> None:
    """Retry-After is read as seconds or as a date against the answer's own `Date`, for 429 and for 5xx."""
    sandbox.answers["*"] = [Reply(status, headers=headers), Reply()]
    assert Asker(sandbox.url, max_retries=1).ask().status is Status.FOUND
    assert 1 <= sandbox.intervals()[0] < 5


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "headers", [{"Retry-After": "0"}, {"Retry-After": date(-9), "Date": date(0)}], ids=["zero", "past"]
)
def test_a_wait_that_is_over_is_none(sandbox: Sandbox, status: int, headers: dict[str, str]) -> None:
    """A date in the past, and zero, mean at once."""
    sandbox.answers["*"] = [Reply(status, headers=headers), Reply()]
    assert Asker(sandbox.url, max_retries=1).ask().status is Status.FOUND
    assert sandbox.intervals()[0] < 1


UNREADABLE = [
    None,
    "",
    "soon",
    "-5",
    "1e3",
    "1,5",
    "0x10",
    "\xb2",
    "Mon, 32 Jan 2026 00:00:00 GMT",
    "Mon, 01 Jan 2026 00:00:00 +99999",
    "Mon, 01 Jan 2026 00:00:00 +9999999999999",
    "Mon, 01 Jan 99999999999999 00:00:00 GMT",
    "Mon, 01 Jan 99999999999999999999999 00:00:00 GMT",
]


@pytest.mark.parametrize("value", UNREADABLE, ids=range(len(UNREADABLE)))
def test_an_unreadable_wait_is_one_step_of_backoff(
    sandbox: Sandbox, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Retry-After that is absent or unreadable raises nothing and leads to backoff: of the pause, or of the try."""
    steps: list[float] = []

    def step(value: float) -> float:
        steps.append(value)
        return 0.0

    monkeypatch.setattr("backoff.random_jitter", step)
    monkeypatch.setattr("backoff.full_jitter", step)
    headers = {} if value is None else {"Retry-After": value}
    sandbox.answers["*"] = [Reply(429, headers=headers), Reply(503, headers=headers), Reply()]
    assert Asker(sandbox.url, max_retries=1).ask().status is Status.FOUND
    assert steps == [1, 1]


@pytest.mark.parametrize("value", ["", "yesterday", "Mon, 01 Jan 99999999999999999999999 00:00:00 GMT"])
def test_without_a_date_of_gongs_ones_own_clock_has_to_do(sandbox: Sandbox, value: str) -> None:
    """Where `Date` is absent or unreadable, a Retry-After date is read against the time of arrival."""
    until = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    sandbox.answers["*"] = Reply(429, headers={"Retry-After": until, "Date": value})
    asked = datetime.now(UTC)
    assert come_back(Asker(sandbox.url).stopped()) - asked < timedelta(hours=2, seconds=10)


def come_back(message: str) -> datetime:
    """When the message says to come back."""
    _, _, rest = message.partition("run again after ")
    text = rest.split(",")[0]
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "21600"}, {"Retry-After": date(21_600), "Date": date(0)}], ids=["seconds", "date"]
)
def test_a_long_limit_stops_the_run_and_says_when_to_come_back(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """A Retry-After beyond `max_retry_wait` stops at once; the time is in UTC, by the clock of this machine."""
    sandbox.answers["*"] = Reply(429, headers=headers)
    before = datetime.now(UTC).replace(microsecond=0)
    message = Asker(sandbox.url, max_retries=5).stopped()
    assert timedelta(hours=6) <= come_back(message) - before < timedelta(hours=6, seconds=10)
    assert "429" in message
    assert "run goes on where it was" in message
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("value", ["9" * 12, "9" * 19, "9" * 400])
def test_a_limit_beyond_all_time_stops_the_run(sandbox: Sandbox, value: str) -> None:
    """However many digits Retry-After has, it is longer than `max_retry_wait`, and no date can be given."""
    sandbox.answers["*"] = Reply(429, headers={"Retry-After": value})
    assert "429" in Asker(sandbox.url).stopped()
    assert len(sandbox.calls) == 1


def test_a_limit_uses_up_no_retry(sandbox: Sandbox) -> None:
    """Any number of 429 leaves an address its tries."""
    limit = Reply(429, headers={"Retry-After": "0"})
    sandbox.answers["*"] = [limit, limit, Reply(500), limit, limit, Reply()]
    assert Asker(sandbox.url, max_retries=1).ask().status is Status.FOUND
    assert len(sandbox.calls) == 6


def test_limits_without_end_stop_the_run(sandbox: Sandbox) -> None:
    """Nothing but 429 for longer than `max_retry_wait` stops the run, though each wait alone is short."""
    sandbox.answers["*"] = Reply(429, headers={"Retry-After": "0.1"})
    began = time.monotonic()
    message = Asker(sandbox.url, max_retry_wait=0.5).stopped()
    assert time.monotonic() - began >= 0.5
    assert "run again after" in message
    assert len(sandbox.calls) >= 4


def test_limits_without_end_and_without_a_time_name_none(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Gong never said for how long, no time is made up."""
    monkeypatch.setattr("backoff.random_jitter", lambda _: 0.1)
    sandbox.answers["*"] = Reply(429)
    message = Asker(sandbox.url, max_retry_wait=0.3).stopped()
    assert "Gong did not say for how long" in message
    assert "run again later" in message


def test_another_answer_ends_the_count_of_limits(sandbox: Sandbox) -> None:
    """The time of limits without end begins anew after each other answer."""
    limit = Reply(429, headers={"Retry-After": "0.2"})
    fault = Reply(500, headers={"Retry-After": "0"})
    sandbox.answers["*"] = [limit, limit, fault, limit, limit, fault, limit, limit, Reply()]
    assert Asker(sandbox.url, max_retry_wait=0.5, max_retries=2).ask().status is Status.FOUND


@pytest.mark.parametrize("status", [500, 408])
def test_a_fault_that_asks_for_too_long_a_wait_ends_the_address_at_once(sandbox: Sandbox, status: int) -> None:
    """A 5xx with a Retry-After beyond `max_retry_wait` is not tried again, and the run goes on."""
    sandbox.answers["*"] = Reply(status, headers={"Retry-After": "301"})
    asker = Asker(sandbox.url, max_retries=5)
    assert asker.ask().status is Status.FAILED
    assert asker.pacer.stopped is None
    assert len(sandbox.calls) == 1


def test_backoff_grows_with_each_try(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries grow exponentially, with jitter, up to a minute."""
    steps: list[float] = []

    def step(value: float) -> float:
        steps.append(value)
        return 0.0

    monkeypatch.setattr("backoff.full_jitter", step)
    sandbox.answers["*"] = Reply(500)
    Asker(sandbox.url, max_retries=9).ask()
    assert steps == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_spent_budget_cuts_what_was_not_asked(sandbox: Sandbox) -> None:
    """Without a call left a look-up has no outcome, and nothing is asked."""
    asker = Asker(sandbox.url, budget=1)
    asker.ask()
    with pytest.raises(BudgetSpentError):
        asker.ask(place=1)
    assert len(sandbox.calls) == 1


def test_a_look_up_that_the_budget_cuts_off_after_a_fault_has_failed(sandbox: Sandbox) -> None:
    """Every try counts; the fault that was met is the outcome."""
    sandbox.answers["*"] = Reply(500)
    lookup = Asker(sandbox.url, budget=2, max_retries=5).ask()
    assert (lookup.status, lookup.http_status) == (Status.FAILED, 500)
    assert len(sandbox.calls) == 2


def test_a_look_up_that_the_budget_cuts_off_after_a_limit_counts_as_not_asked(sandbox: Sandbox) -> None:
    """A 429 counts for the budget, and is no outcome."""
    sandbox.answers["*"] = Reply(429, headers={"Retry-After": "0"})
    with pytest.raises(BudgetSpentError):
        Asker(sandbox.url, budget=3).ask()
    assert len(sandbox.calls) == 3


@pytest.mark.parametrize(
    "reply",
    [Reply(401), Reply(500), Reply(body="{}"), *(Reply(fault=fault) for fault in ("reset", "truncate", "bad_gzip"))],
    ids=range(6),
)
def test_no_error_shows_an_address_or_a_secret(
    sandbox: Sandbox, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    """What is raised, logged or kept as a reason holds neither, and no cause that would."""
    caplog.set_level(logging.DEBUG, "tap_gong_privacy")
    sandbox.answers["*"] = reply
    asker = Asker(sandbox.url)
    shown: list[object] = []
    try:
        shown.append(asker.ask().errors)
    except CutError as error:
        shown += [error, error.__cause__, asker.pacer.stopped]
    text = repr(shown) + "".join(record.getMessage() for record in caplog.records if "urllib3" not in record.name)
    for hidden in ("Jane", "example.com", "sandbox-token"):
        assert hidden not in text
