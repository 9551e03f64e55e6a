"""The sandbox over real sockets: its rules, its limits, its faults and its command."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests

from sandbox import (
    EXAMPLE_ADDRESS,
    EXAMPLE_ANSWER,
    PATH,
    QUOTA_RETRY_AFTER,
    Fault,
    Reply,
    Sandbox,
    documented_answer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTIONS = ("emails", "calls", "meetings", "customerData", "customerEngagement")
REQUEST_ID = re.compile("4al[0-9a-z]{16}")


def ask(sandbox: Sandbox, address: str = "a@example.com", **headers: str) -> requests.Response:
    """Ask about an address with valid credentials, on a connection of its own."""
    return requests.get(
        sandbox.url + PATH,
        params={"emailAddress": address},
        headers={"Connection": "close", **headers},
        auth=(sandbox.access_key, sandbox.access_key_secret),
        timeout=10,
    )


def request_text(sandbox: Sandbox, address: str = "a@example.com") -> bytes:
    """Return the bytes of a valid request."""
    lines = [
        f"GET {PATH}?emailAddress={quote(address)} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {sandbox.access_token}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@contextlib.contextmanager
def asked(sandbox: Sandbox, *addresses: str) -> Iterator[socket.socket]:
    """Send requests at once, and yield the connection before anything of the answers is read."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
        connection.sendall(b"".join(request_text(sandbox, address) for address in addresses))
        yield connection


def read_all(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return the head and the body that come until the sandbox closes."""
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def declared_length(head: bytes) -> int:
    """Return what Content-Length says."""
    match = re.search(rb"Content-Length: (\d+)", head)
    assert match
    return int(match[1])


def shape(value: object) -> object:
    """Return a JSON value with its names and without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "value"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value)


def test_example_address_answers_the_documented_example_on_the_wire(sandbox: Sandbox) -> None:
    """The answer about the documentation's address is its example, a JSON text in a text too."""
    answer = ask(sandbox, EXAMPLE_ADDRESS, **{"Accept-Encoding": "identity"})
    assert answer.json() == EXAMPLE_ANSWER
    assert answer.headers["x-traceid"] == "4al018gzaztcr8nbukw"
    assert (
        r'"mirrorId": "{\"integrationId\":\"262834820328732\",\"crmObjectType\":\"CONTACT\",'
        r'\"crmId\":\"0031Q00002DFhi4QAD\"}"'
    ) in answer.text


def test_unknown_address_holds_nothing(sandbox: Sandbox) -> None:
    """An address that begins with `unknown` is answered with five empty arrays."""
    answer = ask(sandbox, "unknown.person@example.com")
    body = answer.json()
    assert answer.status_code == 200
    assert REQUEST_ID.fullmatch(body.pop("requestId"))
    assert body == {section: [] for section in SECTIONS}


def test_refused_address_is_a_malformed_request(sandbox: Sandbox) -> None:
    """An address that begins with `refused` is answered with 400 and the documented error."""
    answer = ask(sandbox, "refused@example.com")
    assert answer.status_code == 400
    assert answer.json() == documented_answer("refused@example.com")
    assert answer.json()["errors"] == ["An error has occurred"]


def test_any_other_address_has_all_sections_in_the_documented_shape(sandbox: Sandbox) -> None:
    """Every other answer has the names and types of the example, with one element or more."""
    answer = ask(sandbox, "someone@example.com")
    assert answer.json() == documented_answer("someone@example.com")
    assert shape(answer.json()) == shape(EXAMPLE_ANSWER)


def test_answers_differ_between_addresses_and_not_between_calls() -> None:
    """An address always has the same answer; sizes, times and request ids differ between them."""
    answers = [documented_answer(f"person{number}@example.com") for number in range(50)]
    assert answers == [documented_answer(f"person{number}@example.com") for number in range(50)]
    for section in SECTIONS:
        assert len({len(answer[section]) for answer in answers}) > 1, section
    assert len({answer["requestId"] for answer in answers}) == 50
    times = [email["sentTime"] for answer in answers for email in answer["emails"]]
    pattern = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(Z|-03:00|\.834\+05:30|\.233692Z)", re.ASCII)
    assert all(pattern.fullmatch(sent) for sent in times)


def test_example_answer_cannot_be_changed_through_an_answer() -> None:
    """Each answer about the example address is a copy."""
    documented_answer(EXAMPLE_ADDRESS)["emails"].clear()
    assert len(documented_answer(EXAMPLE_ADDRESS)["emails"]) == 1


@pytest.mark.parametrize("address", ["plus+tag@example.com", "O'Brien&co=1#x@example.com", "zoë@exämple.com"])
def test_address_arrives_as_it_was_written(sandbox: Sandbox, address: str) -> None:
    """An address that the client encodes properly is noted and answered letter by letter."""
    assert ask(sandbox, address).json() == documented_answer(address)
    assert [call.address for call in sandbox.calls] == [address]


@pytest.mark.parametrize("address, status", [("a@example.com", 200), ("refused@example.com", 400), ("", 400)])
def test_request_id_stands_in_body_and_header(sandbox: Sandbox, address: str, status: int) -> None:
    """Body and `x-traceid` name the same requestId, on answers and on errors."""
    answer = ask(sandbox, address)
    assert answer.status_code == status
    assert REQUEST_ID.fullmatch(answer.json()["requestId"])
    assert answer.headers["x-traceid"] == answer.json()["requestId"]


def test_missing_address_is_a_malformed_request(sandbox: Sandbox) -> None:
    """A call that names no address is answered with 400."""
    auth = (sandbox.access_key, sandbox.access_key_secret)
    answer = requests.get(sandbox.url + PATH, auth=auth, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["errors"] == ["An error has occurred"]


@pytest.mark.parametrize(
    "authorization, status",
    [
        ("Bearer sandbox-token", 200),
        ("Basic c2FuZGJveC1rZXk6c2FuZGJveC1zZWNyZXQ=", 200),
        ("Bearer sandbox-secret", 401),
        ("Basic c2FuZGJveC1rZXk6d3Jvbmc=", 401),
        ("sandbox-token", 401),
        (None, 401),
    ],
)
def test_credentials_are_checked(sandbox: Sandbox, authorization: str | None, status: int) -> None:
    """The key pair and the token are let in, and everything else is answered as Gong does."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    with contextlib.closing(connection):
        headers = {"Authorization": authorization} if authorization else {}
        connection.request("GET", f"{PATH}?emailAddress=a%40example.com", headers=headers)
        answer = connection.getresponse()
        body = json.load(answer)
    assert answer.status == status
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Gong.io API"'
        assert body["errors"] == ["Validate credentials failed. Please check your credentials and try again."]


def test_credentials_may_hold_any_character() -> None:
    """Credentials beyond ASCII are compared in UTF-8, as a pair and as a token."""
    with Sandbox(access_key="schlüssel", access_key_secret="p:ß", access_token="tökén") as sandbox:
        for headers in (
            {"Authorization": b"Bearer " + "tökén".encode()},
            {"Authorization": b"Basic c2NobMO8c3NlbDpwOsOf"},
        ):
            url = f"{sandbox.url}{PATH}?emailAddress=a%40example.com"
            assert requests.get(url, headers=headers, timeout=10).status_code == 200


@pytest.mark.parametrize("method, path", [("GET", "/v2/users"), ("GET", f"{PATH}/"), ("POST", PATH), ("DELETE", PATH)])
def test_everything_but_the_endpoint_is_denied(sandbox: Sandbox, method: str, path: str) -> None:
    """Another path or method is answered with 401, as Gong answers unknown paths."""
    answer = requests.request(
        method,
        f"{sandbox.url}{path}?emailAddress=a%40example.com",
        auth=(sandbox.access_key, sandbox.access_key_secret),
        timeout=10,
    )
    assert answer.status_code == 401
    assert [call.status for call in sandbox.calls] == [401]


def test_calls_beyond_the_rate_are_answered_with_429() -> None:
    """The fourth call within a second is told to wait one second, and that is enough."""
    with Sandbox() as sandbox:
        answers = [ask(sandbox) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[3].headers["Retry-After"] == "1"
        assert answers[3].json()["errors"] == ["An error has occurred"]
        time.sleep(1)
        assert ask(sandbox).status_code == 200


def test_rate_is_judged_over_a_sliding_second() -> None:
    """Each call is judged by the second that ends with it, not by the second of the clock."""
    with Sandbox(requests_per_second=2) as sandbox:
        assert ask(sandbox).status_code == 200
        time.sleep(0.6)
        assert [ask(sandbox).status_code for _ in range(2)] == [200, 429]
        time.sleep(0.5)
        assert [ask(sandbox).status_code for _ in range(2)] == [200, 429]


def test_denied_calls_count_towards_no_limit() -> None:
    """Calls with wrong credentials leave the second and the day to those who may call."""
    with Sandbox(requests_per_second=1, daily_quota=1) as sandbox:
        denied = requests.get(sandbox.url + PATH, timeout=10)
        assert [denied.status_code, ask(sandbox).status_code] == [401, 200]


def test_calls_beyond_the_quota_are_told_to_wait_for_hours() -> None:
    """Once the day's calls are spent, every further call is answered with 429."""
    with Sandbox(requests_per_second=0, daily_quota=2) as sandbox:
        answers = [ask(sandbox) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[2].headers["Retry-After"] == str(QUOTA_RETRY_AFTER)
    assert QUOTA_RETRY_AFTER > 3600


def test_zero_is_no_limit() -> None:
    """With both limits at 0 any number of calls is answered."""
    with Sandbox(requests_per_second=0, daily_quota=0) as sandbox:
        assert {ask(sandbox).status_code for _ in range(20)} == {200}


def test_scripted_answers_come_after_credentials_and_limits() -> None:
    """A script for all addresses changes neither the check of credentials nor the limits."""
    script: dict[str, Reply | list[Reply]] = {"*": Reply(503)}
    with Sandbox(requests_per_second=1, answers=script) as sandbox:
        assert requests.get(sandbox.url + PATH, timeout=10).status_code == 401
        assert [ask(sandbox).status_code for _ in range(2)] == [503, 429]
        assert [call.status for call in sandbox.calls] == [401, 503, 429]


def test_every_nth_call_fails() -> None:
    """`fail_every` answers each call of that number with 500."""
    with Sandbox(requests_per_second=0, fail_every=3) as sandbox:
        assert [ask(sandbox).status_code for _ in range(6)] == [200, 200, 500, 200, 200, 500]


def test_delays_add_up() -> None:
    """The sandbox's delay and that of a scripted answer pass before the answer."""
    with Sandbox(delay=0.1, answers={"slow@example.com": Reply(delay=0.9)}) as sandbox:
        durations = [
            ask(sandbox, address).elapsed.total_seconds() for address in ("quick@example.com", "slow@example.com")
        ]
    assert 0.1 <= durations[0] < 0.9
    assert 1.0 <= durations[1] < 5


def test_heavy_answers_are_the_same_for_all_but_the_special_addresses() -> None:
    """`answer_size` gives each address that many e-mails, and keeps empty and refused ones."""
    with Sandbox(requests_per_second=0, answer_size=500) as sandbox:
        first, second = (ask(sandbox, f"{name}@example.com") for name in "ab")
        unknown, refused = (ask(sandbox, f"{name}@example.com") for name in ("unknown", "refused"))
    assert len(first.json()["emails"]) == 500
    assert len({email["id"] for email in first.json()["emails"]}) == 500
    assert first.content == second.content
    assert unknown.json()["emails"] == []
    assert refused.json() == documented_answer("refused@example.com")


def test_large_bodies_are_compressed_for_clients_that_accept_it(sandbox: Sandbox) -> None:
    """A body over 1 KB goes out gzipped on request, a small one and any other do not."""
    plain = ask(sandbox, **{"Accept-Encoding": "identity"})
    packed = ask(sandbox, **{"Accept-Encoding": "gzip, deflate"})
    small = ask(sandbox, "unknown@example.com", **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert packed.content == plain.content
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in small.headers


def test_compression_can_be_switched_off() -> None:
    """Without `compress` a large body goes out as it is."""
    with Sandbox(compress=False) as sandbox:
        assert "Content-Encoding" not in ask(sandbox, **{"Accept-Encoding": "gzip"}).headers


def test_one_connection_serves_many_calls(sandbox: Sandbox) -> None:
    """A connection lives on after answers and errors alike."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    with contextlib.closing(connection):
        connection.connect()
        used = connection.sock
        statuses = []
        for name in ("a", "refused", "unknown"):
            connection.request(
                "GET",
                f"{PATH}?emailAddress={name}%40example.com",
                headers={"Authorization": f"Bearer {sandbox.access_token}"},
            )
            answer = connection.getresponse()
            statuses.append(answer.status)
            answer.read()
        assert connection.sock is used
    assert statuses == [200, 400, 200]


def test_requests_sent_at_once_are_answered_in_order(sandbox: Sandbox) -> None:
    """Two requests in one packet both get their answers."""
    with asked(sandbox, "refused@example.com", "unknown@example.com") as connection:
        connection.shutdown(socket.SHUT_WR)
        head, rest = read_all(connection)
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"HTTP/1.1 200 OK\r\n" in rest


def test_connection_is_closed_on_request(sandbox: Sandbox) -> None:
    """The sandbox closes the connection after an answer where the client asks for that."""
    text = request_text(sandbox).replace(b"Host:", b"Connection: close\r\nHost:")
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
        connection.sendall(text)
        head, body = read_all(connection)
    assert declared_length(head) == len(body)


def test_connections_do_not_wait_for_one_another(sandbox: Sandbox) -> None:
    """A call that hangs keeps no other from its answer."""
    sandbox.answers["stuck@example.com"] = Reply(fault="hang")
    with asked(sandbox, "stuck@example.com"):
        assert ask(sandbox).elapsed.total_seconds() < 2


def test_list_of_replies_is_used_up_to_its_last(sandbox: Sandbox) -> None:
    """Each call takes the next reply of a list, the last one stays, other addresses take `*`."""
    limited = Reply(429, headers={"Retry-After": "7"})
    sandbox.answers["a@example.com"] = [Reply(500), limited, Reply()]
    sandbox.answers["*"] = Reply(403)
    answers = [ask(sandbox) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 429, 200, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[3].json() == documented_answer("a@example.com")
    assert ask(sandbox, "refused@example.com").status_code == 403


@pytest.mark.parametrize(
    "body, sent",
    [
        (b"\xff\xfe", b"\xff\xfe"),
        ("<html>ü</html>", "<html>ü</html>".encode()),
        ({"emails": ["\ud800"]}, rb'{"emails": ["\ud800"]}'),
        ([], b"[]"),
        ("", b""),
    ],
)
def test_scripted_body_goes_out_as_bytes_text_or_json(sandbox: Sandbox, body: object, sent: bytes) -> None:
    """Bytes and text are sent unchanged, anything else as JSON."""
    sandbox.answers["*"] = Reply(body=body)
    assert ask(sandbox).content == sent


def test_scripted_headers_take_the_place_of_own_ones(sandbox: Sandbox) -> None:
    """A header of a scripted answer is sent once, instead of the sandbox's own."""
    sandbox.answers["*"] = Reply(302, headers={"Content-Type": "text/html", "Location": "/login"})
    with requests.Session() as session:
        session.auth = (sandbox.access_key, sandbox.access_key_secret)
        url = f"{sandbox.url}{PATH}?emailAddress=a"
        answer = session.get(url, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers["Location"] == "/login"
    assert answer.json()["errors"] == ["An error has occurred"]


def test_scripted_401_is_that_of_gong(sandbox: Sandbox) -> None:
    """A scripted 401 names the realm and the reason as the real one does."""
    sandbox.answers["*"] = Reply(401)
    answer = ask(sandbox)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Gong.io API"'
    assert answer.json()["errors"][0].startswith("Validate credentials failed.")


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


def test_close_ends_the_connection_without_an_answer(sandbox: Sandbox) -> None:
    """`close` makes the client read the end at once, and the next call is answered."""
    sandbox.answers["*"] = [Reply(fault="close"), Reply()]
    with asked(sandbox, "a") as connection:
        assert connection.recv(1) == b""
    assert ask(sandbox).status_code == 200
    assert [call.status for call in sandbox.calls] == [0, 200]


def test_hang_answers_nothing_until_the_sandbox_stops(sandbox: Sandbox) -> None:
    """`hang` keeps the connection open and silent, and the call is noted all the same."""
    sandbox.answers["*"] = Reply(fault="hang")
    with asked(sandbox, "a") as connection:
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert [call.status for call in sandbox.calls] == [0]
        sandbox.stop()
        assert connection.recv(1) == b""


def test_truncate_sends_less_than_it_says(sandbox: Sandbox) -> None:
    """`truncate` ends the connection amid the body."""
    sandbox.answers["*"] = Reply(body="0123456789", fault="truncate")
    with asked(sandbox, "a") as connection:
        head, body = read_all(connection)
    assert declared_length(head) == 10
    assert body == b"01234"


def test_long_sends_more_than_it_says(sandbox: Sandbox) -> None:
    """`long` leaves bytes on the connection behind the body."""
    sandbox.answers["*"] = Reply(body="0123456789", fault="long")
    with asked(sandbox, "a") as connection:
        connection.shutdown(socket.SHUT_WR)
        head, body = read_all(connection)
    assert declared_length(head) == 10
    assert body.startswith(b"0123456789")
    assert len(body) > 10


def test_bad_gzip_cannot_be_unpacked(sandbox: Sandbox) -> None:
    """`bad_gzip` calls a body gzip that is none."""
    sandbox.answers["*"] = Reply(fault="bad_gzip")
    with asked(sandbox, "a") as connection:
        connection.shutdown(socket.SHUT_WR)
        head, body = read_all(connection)
    assert b"Content-Encoding: gzip" in head
    assert declared_length(head) == len(body)
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(body)


@pytest.mark.parametrize("fault, at_once", [("drip", True), ("drip_headers", False)])
def test_drip_sends_byte_by_byte(sandbox: Sandbox, fault: Fault, at_once: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """`drip` holds the body back, `drip_headers` the head too, and both come to an end."""
    sandbox.answers["*"] = Reply(body="0123456789", fault=fault, drip_interval=0.02)
    with asked(sandbox, "a") as connection:
        began = time.monotonic()
        first = connection.recv(65_536)
        assert first.startswith(b"HTTP/1.1 200 OK\r\n") is at_once
        connection.shutdown(socket.SHUT_WR)
        head, body = read_all(connection)
        lasted = time.monotonic() - began
    assert (first + head + body).endswith(b"0123456789")
    assert lasted > 10 * 0.02


def test_drip_lets_the_connection_live(sandbox: Sandbox) -> None:
    """After a drip the same connection serves the next call."""
    sandbox.answers["a"] = Reply(body="{}", fault="drip", drip_interval=0.01)
    with asked(sandbox, "a", "unknown") as connection:
        connection.shutdown(socket.SHUT_WR)
        _, rest = read_all(connection)
    assert rest.startswith(b"{}HTTP/1.1 200 OK\r\n")


def test_calls_tell_when_what_and_how(sandbox: Sandbox) -> None:
    """Each call is noted with its start, address, status and headers."""
    before = time.monotonic()
    ask(sandbox, "first@example.com", **{"X-Test": "Yes"})
    time.sleep(0.2)
    ask(sandbox, "refused@example.com")
    first, second = sandbox.calls
    assert (first.address, first.status) == ("first@example.com", 200)
    assert (second.address, second.status) == ("refused@example.com", 400)
    assert first.headers["x-test"] == "Yes"
    assert before <= first.started < second.started <= time.monotonic()
    assert sandbox.intervals() == [second.started - first.started]
    assert 0.2 <= sandbox.intervals()[0] < 2


def test_config_reaches_the_sandbox(sandbox: Sandbox) -> None:
    """The settings hold what a tap needs, and nothing that names a second way in."""
    assert sandbox.config == {
        "api_url": f"http://127.0.0.1:{sandbox.port}",
        "access_key": "sandbox-key",
        "access_key_secret": "sandbox-secret",
    }


@pytest.mark.parametrize(
    "reply",
    [
        Reply(fault="hang"),
        Reply(delay=600),
        Reply(fault="drip", drip_interval=600),
        Reply(body=b" " * 50_000_000),
    ],
    ids=["hang", "delay", "drip", "unread"],
)
def test_stop_is_prompt_whatever_a_connection_waits_for(reply: Reply) -> None:
    """Stopping ends every connection, hanging, slow, unread or idle, its thread and the port."""
    threads = threading.enumerate()
    with Sandbox(answers={"*": reply}) as sandbox:  # noqa: SIM117 - stops before the clients do
        with asked(sandbox, "a"), asked(sandbox):
            deadline = time.monotonic() + 5
            while not sandbox.calls and time.monotonic() < deadline:
                time.sleep(0.01)
            began = time.monotonic()
            sandbox.stop()
            assert time.monotonic() - began < 0.5
            assert len(sandbox.calls) == 1
            assert threading.enumerate() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=1)


def command(*options: str) -> list[str]:
    """Return the command line of a sandbox."""
    return [sys.executable, "-m", "sandbox", *options]


@contextlib.contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command with its output buffered as usual, for 30 seconds at most."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command(*options), stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def test_forgotten_sandbox_keeps_no_process_alive() -> None:
    """A program that never stops its sandbox ends all the same, amid a connection."""
    program = (
        "import socket, time; from sandbox import Sandbox\n"
        "sandbox = Sandbox(); sandbox.start()\n"
        "client = socket.create_connection(('127.0.0.1', sandbox.port)); time.sleep(0.2)"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=10, check=False)
    assert ended.returncode == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_command_says_where_it_serves_and_ends_quietly(ending: signal.Signals) -> None:
    """The first line has all that a client needs, and a signal ends it without another word."""
    with running() as process:
        assert process.stdout
        first, second = process.stdout.readline(), process.stdout.readline()
        values = dict(re.findall(r"(\w+)=(\S+)", first))
        answer = requests.get(
            values["api_url"] + PATH,
            params={"emailAddress": "a@example.com"},
            auth=(values["access_key"], values["access_key_secret"]),
            timeout=10,
        )
        with asked(Sandbox(port=int(values["api_url"].rpartition(":")[2])), "idle@example.com"):
            process.send_signal(ending)
            rest, errors = process.communicate(timeout=5)
    assert first == (
        f"Sandbox: api_url={values['api_url']} access_key=sandbox-key"
        " access_key_secret=sandbox-secret access_token=sandbox-token\n"
    )
    assert second == f"Stop it with Ctrl-C, or: kill {process.pid}\n"
    assert answer.json() == documented_answer("a@example.com")
    assert (process.returncode, rest, errors) == (0, "", "")


def test_command_hands_its_options_on() -> None:
    """Each option of the command line shows in the answers."""
    options = "--requests-per-second 0 --daily-quota 2 --fail-every 2 --answer-size 99 --delay 0.2"
    with running(*options.split(), "--no-compress") as process:
        assert process.stdout
        match = re.search(r":(\d+) ", process.stdout.readline())
        assert match
        served = Sandbox(port=int(match[1]))
        answers = [ask(served) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 500, 429]
    assert len(answers[0].json()["emails"]) == 99
    assert "Content-Encoding" not in answers[0].headers
    assert answers[0].elapsed.total_seconds() >= 0.2


def test_command_says_in_one_line_that_its_port_is_taken(sandbox: Sandbox) -> None:
    """A port in use ends the command with exit code 1 and no traceback."""
    ended = subprocess.run(command("--port", str(sandbox.port)), capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert re.fullmatch(f"Cannot serve on port {sandbox.port}: .+\n", ended.stderr)


def test_command_refuses_negative_numbers() -> None:
    """A negative limit is a wrong command line."""
    ended = subprocess.run(command("--delay=-1"), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.endswith("error: numbers must not be negative\n")
