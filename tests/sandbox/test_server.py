"""The sandbox over real sockets: credentials, limits, erasures, connections and scripted answers."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox import ERASE_PATH, PATH, QUOTA_RETRY_AFTER, Reply, Sandbox, documented_answer
from tests.sandbox.asking import ask, asked, erase, read_all

if TYPE_CHECKING:
    from collections.abc import Callable

ERROR = ["An error has occurred"]
CALLS = [("GET", PATH), ("POST", ERASE_PATH)]


@pytest.mark.parametrize("address, status", [("a@example.com", 200), ("refused@example.com", 400), ("", 400)])
@pytest.mark.parametrize("call", [ask, erase])
def test_each_answer_names_its_request(
    sandbox: Sandbox, call: Callable[..., requests.Response], address: str, status: int
) -> None:
    """Body and `x-traceid` name the same id, on answers and on errors; no address and a refused one are 400."""
    answer = call(sandbox, address)
    assert answer.status_code == status
    assert answer.headers["x-traceid"] == answer.json()["requestId"]
    assert answer.json().get("errors", ERROR) == ERROR


@pytest.mark.parametrize("method, path", CALLS)
@pytest.mark.parametrize(
    "authorization, status",
    [
        ("Bearer sandbox-token", 200),
        ("Basic c2FuZGJveC1rZXk6c2FuZGJveC1zZWNyZXQ=", 200),
        ("Bearer sandbox-secret", 401),
        ("Basic c2FuZGJveC1rZXk6d3Jvbmc=", 401),
        (None, 401),
    ],
)
def test_credentials_are_checked(
    sandbox: Sandbox, method: str, path: str, authorization: str | None, status: int
) -> None:
    """The key pair and the token are accepted, and everything else is answered as Gong does."""
    headers = {"Authorization": authorization} if authorization else {}
    url = f"{sandbox.url}{path}?emailAddress=a%40example.com"
    answer = requests.request(method, url, headers=headers, timeout=10)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Gong.io API"'
        assert answer.json()["errors"][0].startswith("Validate credentials failed.")


def test_credentials_may_hold_any_character() -> None:
    """Credentials beyond ASCII are compared in UTF-8, as a pair and as a token."""
    with Sandbox(access_key="schlüssel", access_key_secret="p:ß", access_token="tökén") as sandbox:
        for value in (b"Bearer " + "tökén".encode(), b"Basic c2NobMO8c3NlbDpwOsOf"):
            url = f"{sandbox.url}{PATH}?emailAddress=a%40example.com"
            assert requests.get(url, headers={"Authorization": value}, timeout=10).status_code == 200


@pytest.mark.parametrize(
    "method, path", [("GET", "/v2/users"), ("GET", f"{PATH}/"), ("POST", PATH), ("GET", ERASE_PATH), ("DELETE", PATH)]
)
def test_everything_but_the_two_calls_is_denied(sandbox: Sandbox, method: str, path: str) -> None:
    """Another path or method is answered with 401, as Gong answers unknown paths."""
    auth = (sandbox.access_key, sandbox.access_key_secret)
    answer = requests.request(method, f"{sandbox.url}{path}?emailAddress=a%40example.com", auth=auth, timeout=10)
    assert answer.status_code == 401
    assert [call.status for call in sandbox.calls] == [401]


def test_erasure_leaves_meetings_and_engagement_events() -> None:
    """E-mails, calls and CRM records of this address are gone, and nobody else's data."""
    with Sandbox(requests_per_second=0, erase_after=0) as sandbox:
        before = ask(sandbox).json()
        answer = erase(sandbox)
        after, other = ask(sandbox).json(), ask(sandbox, "b@example.com").json()
        calls = [(call.method, call.address) for call in sandbox.calls]
    assert answer.json().keys() == {"requestId"}
    assert {name: after[name] for name in ("emails", "calls", "customerData")} == {
        "emails": [],
        "calls": [],
        "customerData": [],
    }
    assert [after[name] for name in ("meetings", "customerEngagement")] == [
        before[name] for name in ("meetings", "customerEngagement")
    ]
    assert other == documented_answer("b@example.com")
    assert len({before["requestId"], answer.json()["requestId"], after["requestId"]}) == 3
    assert calls[1] == ("POST", "a@example.com")


def test_erasure_takes_its_time() -> None:
    """The answer comes at once; the data is there until `erase_after` has passed, also for a second request."""
    with Sandbox(requests_per_second=0, erase_after=0.5) as sandbox:
        assert erase(sandbox).status_code == 200
        assert ask(sandbox).json()["emails"]
        assert erase(sandbox).status_code == 200
        time.sleep(0.5)
        assert ask(sandbox).json()["emails"] == []


def test_erasure_reaches_heavy_answers() -> None:
    """The answer that all addresses share is not that of an erased one."""
    with Sandbox(requests_per_second=0, erase_after=0, answer_size=20) as sandbox:
        erase(sandbox)
        assert ask(sandbox).json()["emails"] == []
        assert len(ask(sandbox, "b@example.com").json()["emails"]) == 20


def test_erasure_takes_its_address_only_from_the_query(sandbox: Sandbox) -> None:
    """An address in the body is none, however long the body is."""
    auth = (sandbox.access_key, sandbox.access_key_secret)
    body = {"emailAddress": "a@example.com", "padding": " " * 300_000}
    answer = requests.post(sandbox.url + ERASE_PATH, json=body, auth=auth, timeout=10)
    assert (answer.status_code, answer.json()["errors"]) == (400, ERROR)


def test_both_calls_share_the_limits() -> None:
    """The fourth call within a second is told to wait one second, and that is enough."""
    with Sandbox() as sandbox:
        answers = [ask(sandbox), erase(sandbox), ask(sandbox), erase(sandbox), ask(sandbox)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[3].headers["Retry-After"] == "1"
        assert answers[3].json()["errors"] == ERROR
        time.sleep(1)
        assert ask(sandbox).status_code == 200


def test_calls_beyond_the_quota_are_told_to_wait_for_hours() -> None:
    """Once the day's calls are spent, every further call is answered with 429; denied calls spend none."""
    with Sandbox(requests_per_second=0, daily_quota=2) as sandbox:
        assert requests.get(sandbox.url + PATH, timeout=10).status_code == 401
        answers = [ask(sandbox) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[2].headers["Retry-After"] == str(QUOTA_RETRY_AFTER)
    assert QUOTA_RETRY_AFTER > 3600


def test_delays_add_up() -> None:
    """The sandbox waits for its own delay and for that of the scripted answer."""
    with Sandbox(delay=0.1, answers={"slow@example.com": Reply(delay=0.4)}) as sandbox:
        quick, slow = ask(sandbox, "quick@example.com"), ask(sandbox, "slow@example.com")
    assert quick.elapsed.total_seconds() >= 0.1
    assert slow.elapsed.total_seconds() >= 0.5


def test_large_bodies_are_compressed_for_clients_that_accept_it(sandbox: Sandbox) -> None:
    """A body over 1 KB is gzipped if the client accepts that and the sandbox may; a small one never is."""
    packed = ask(sandbox, **{"Accept-Encoding": "gzip, deflate"})
    plain = ask(sandbox, **{"Accept-Encoding": "identity"})
    small = ask(sandbox, "unknown@example.com", **{"Accept-Encoding": "gzip"})
    sandbox.compress = False
    forbidden = ask(sandbox, **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(packed.content)
    assert packed.json()["emails"] == plain.json()["emails"]
    assert not {"Content-Encoding"} & {*plain.headers, *small.headers, *forbidden.headers}


def test_requests_sent_at_once_are_answered_in_order(sandbox: Sandbox) -> None:
    """Two requests in one packet both get their answers."""
    with asked(sandbox, "refused@example.com", "unknown@example.com") as connection:
        connection.shutdown(socket.SHUT_WR)
        head, rest = read_all(connection)
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"HTTP/1.1 200 OK\r\n" in rest


def test_list_of_replies_is_used_up_to_its_last(sandbox: Sandbox) -> None:
    """Each call takes the next reply of a list, and the last one is repeated; other addresses take `*`."""
    limited = Reply(429, headers={"Retry-After": "7"})
    sandbox.answers = {"a@example.com": [Reply(500), limited, Reply()], "*": Reply(403)}
    answers = [ask(sandbox) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 429, 200, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[3].json() == documented_answer("a@example.com", call=4)
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
    """Bytes and text are sent unchanged, anything else as JSON; a scripted header replaces the sandbox's own."""
    sandbox.answers["*"] = Reply(body=body, headers={"Content-Type": "text/html"})
    answer = ask(sandbox)
    assert (answer.content, answer.headers["Content-Type"]) == (sent, "text/html")


def test_calls_tell_when_what_and_how(sandbox: Sandbox) -> None:
    """Each call is recorded with its start, address, status and headers."""
    before = time.monotonic()
    ask(sandbox, "first@example.com", **{"X-Test": "Yes"})
    ask(sandbox, "refused@example.com")
    first, second = sandbox.calls
    assert (first.address, first.status) == ("first@example.com", 200)
    assert (second.address, second.status) == ("refused@example.com", 400)
    assert first.headers["x-test"] == "Yes"
    assert before <= first.started < second.started <= time.monotonic()
    assert sandbox.intervals() == [second.started - first.started]


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
def test_stop_ends_every_connection(reply: Reply) -> None:
    """Stopping ends each connection, hanging, slow, unread or idle, its thread, and the listener."""
    threads = threading.enumerate()
    with Sandbox(answers={"*": reply}) as sandbox:  # noqa: SIM117 - stops before the clients do
        with asked(sandbox, "a"), asked(sandbox):
            while not sandbox.calls:
                time.sleep(0.01)
            sandbox.stop()
            assert len(sandbox.calls) == 1
            assert threading.enumerate() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=1)
