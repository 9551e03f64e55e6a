"""The installed command: its options, its files, its exit codes, and how it reaches Gong."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from sandbox import Reply, Sandbox
from tap_gong_privacy import settings
from tests.bookmarks import settled
from tests.running import COMMAND, Result, check_output, environment, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ADDRESSES = ["canary.One@example.com", "canary.Two@example.com", "canary.Three@example.com"]
STREAMS = {"lookups", "emails", "calls", "meetings", "customer_data", "customer_engagement"}
NO_JSON = [b"", b"{", b'{"a": canary}', b"\xff\xfe{}", '{"a": 1}'.encode("utf-16"), b"[" * 100_000]
NO_OBJECT = [b"[]", b"7", b'"canary"', b"null", b"true", b'[{"access_token": "canary"}]']


def short(value: object) -> str:
    """Return a parameter's name, in ASCII and not too long."""
    return ascii(value)[:120]


def config_of(sandbox: Sandbox, **more: object) -> dict[str, object]:
    """Return a config that asks about the addresses as fast as it can."""
    return {**sandbox.config, "email_addresses": ADDRESSES, "requests_per_second": 1000, **more}


def written(folder: Path, name: str, content: object) -> str:
    """Write a file, as JSON unless the content is bytes, and return its path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def assert_refused(result: Result, code: int, *words: str, is_plain: bool = False) -> None:
    """Check that a run ended with one log record at ERROR, or one plain line, before anything was written."""
    check_output(result, ADDRESSES)
    assert result.returncode == code
    assert not result.stdout
    *_, last = result.stderr.splitlines()
    assert [line for line in result.stderr.splitlines() if "rror" in line or "| ERROR " in line] == [last]
    assert last.startswith("Error: ") if is_plain else "| ERROR " in last
    assert all(word in last for word in words)
    assert "canary" not in result.stderr.lower()


def test_a_config_may_come_through_a_pipe(sandbox: Sandbox) -> None:
    """A pipe keeps secrets off the disk, and gives its content only once."""
    config = config_of(sandbox, email_addresses=ADDRESSES[:1])
    result = subprocess.run(
        [COMMAND, "--config", "/dev/stdin"], input=json.dumps(config).encode(), capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert [call.address for call in sandbox.calls] == ADDRESSES[:1]


MODES = [[], ["--test"], ["--discover"]]


@pytest.mark.parametrize("mode", MODES, ids=short)
def test_a_missing_config_file_is_a_wrong_command_line(mode: list[str]) -> None:
    """Exit code 2 and one plain line, under `--test` and `--discover`, too."""
    assert_refused(run_tap(None, "--config", "missing.json", *mode), 2, "missing.json", "no such file")


@pytest.mark.parametrize("mode", MODES, ids=short)
def test_a_folder_is_no_config_file(mode: list[str]) -> None:
    """What cannot be opened is a wrong command line."""
    assert_refused(run_tap(None, "--config", ".", *mode), 2, "directory")


@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_missing_state_or_catalog_file_is_a_wrong_command_line(sandbox: Sandbox, option: str) -> None:
    """Exit code 2, one plain line, and nothing is asked."""
    result = run_tap(config_of(sandbox), option, "missing.json")
    assert_refused(result, 2, option, "missing.json")
    assert not sandbox.calls


@pytest.mark.parametrize("arguments", [["--nonsense"], ["surplus"], ["--test=nonsense"], ["--config"]], ids=short)
def test_a_wrong_command_line_is_exit_code_2(arguments: list[str]) -> None:
    """Unknown options, surplus arguments and missing values are one plain line."""
    assert_refused(run_tap(None, *arguments), 2)


@pytest.mark.parametrize("mode", MODES, ids=short)
@pytest.mark.parametrize("content", NO_JSON[1::2], ids=short)
def test_a_config_file_that_is_no_json_is_refused(content: bytes, mode: list[str], tmp_path: Path) -> None:
    """One plain line says so, without the content, in each mode."""
    result = run_tap(None, "--config", written(tmp_path, "config.json", content), *mode)
    assert_refused(result, 1, "config.json", "not JSON")


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_a_later_config_does_not_set_stands(sandbox: Sandbox, nothing: object, tmp_path: Path) -> None:
    """Null and empty text count as not set, even after a file that sets it."""
    second = written(tmp_path, "second.json", {"email_addresses": nothing, "max_requests_per_run": 1})
    result = run_tap(config_of(sandbox), "--config", second)
    assert "3 addresses: 1 found, 0 not found, 0 rejected, 0 failed, 2 not asked" in result.stderr
    assert result.returncode == 0


def test_settings_in_place_of_a_file_are_not_shown() -> None:
    """JSON given as an option, or a stray word, never appears in the log."""
    assert_refused(run_tap(None, "--config", '{"access_token": "canary"}'), 2, "takes the path of a file")
    assert_refused(run_tap(None, "canary-secret"), 2, "unexpected argument", "not shown")


@pytest.mark.parametrize(
    "content",
    [
        b'{"email_addresses": ["canary@x.example"], "email_addresses": ["canary.b@x.example"]}',
        b'{"stream_maps": {"emails": {"canary": "1", "canary": null}}}',
    ],
    ids=["setting", "map"],
)
def test_a_name_that_a_config_repeats_is_refused(sandbox: Sandbox, content: bytes, tmp_path: Path) -> None:
    """JSON would keep the last: of two lists of addresses the first would never be asked."""
    second = written(tmp_path, "second.json", content)
    assert_refused(run_tap(config_of(sandbox), "--config", second), 1, "one name twice")
    assert not sandbox.calls


@pytest.mark.parametrize("mode", [[], ["--test"]], ids=short)
@pytest.mark.parametrize("content", NO_OBJECT[:3], ids=short)
def test_a_config_file_that_is_no_object_is_refused(content: bytes, mode: list[str], tmp_path: Path) -> None:
    """JSON of another shape has no settings."""
    result = run_tap(None, "--config", written(tmp_path, "config.json", content), *mode)
    assert_refused(result, 1, "JSON object of settings")


@pytest.mark.parametrize("content", NO_JSON[::2], ids=short)
@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_state_or_catalog_file_that_is_no_json_is_refused(
    sandbox: Sandbox, content: bytes, option: str, tmp_path: Path
) -> None:
    """One plain line names which of the two it is, and nothing is asked."""
    result = run_tap(config_of(sandbox), option, written(tmp_path, "file.json", content))
    assert_refused(result, 1, option.removeprefix("--"), "not JSON")
    assert not sandbox.calls


@pytest.mark.parametrize(
    "content",
    [
        [],
        7,
        "canary",
        None,
        {},
        {"bookmarks": None},
        {"bookmarks": ["canary"]},
        {"bookmarks": {"lookups": None}},
        {"bookmarks": {"lookups": {"partitions": [{"context": {"email_address": ADDRESSES[0]}}]}}},
        {"bookmarks": {"lookups": {"found": "AAAAAAAAAAA="}}, "canary": 1},
        {"bookmarks": {"users": {"starting_replication_value": "canary"}}},
    ],
    ids=short,
)
def test_a_state_of_another_shape_starts_over(sandbox: Sandbox, content: object, tmp_path: Path) -> None:
    """JSON that is not a state of this tap is accepted, and every address is asked."""
    result = run_tap(config_of(sandbox), "--state", written(tmp_path, "state.json", content))
    check_output(result)
    assert result.returncode == 0
    assert sorted(call.address for call in sandbox.calls) == sorted(ADDRESSES)
    assert "canary" not in result.stderr.lower()


@pytest.mark.parametrize(
    "content",
    [
        [],
        7,
        "canary",
        {},
        {"streams": None},
        {"streams": ["canary"]},
        {"streams": {"canary": 1}},
        {"streams": [{"canary": 1}]},
        {"streams": [{"tap_stream_id": "lookups", "schema": "canary", "metadata": []}]},
        {"streams": [{"tap_stream_id": "lookups", "schema": {"properties": ["canary"]}, "metadata": []}]},
        {"streams": [{"tap_stream_id": "lookups", "schema": {}, "metadata": "canary"}]},
        {"streams": [{"tap_stream_id": "lookups", "schema": {}, "metadata": [{"breadcrumb": 7}]}]},
    ],
    ids=short,
)
def test_a_catalog_of_another_shape_is_refused(sandbox: Sandbox, content: object, tmp_path: Path) -> None:
    """One plain line says that it is not a catalog, and nothing is asked."""
    result = run_tap(config_of(sandbox), "--catalog", written(tmp_path, "catalog.json", content))
    assert_refused(result, 1, "catalog")
    assert not sandbox.calls


def test_discovery_needs_no_config() -> None:
    """`--discover` lists the six streams with their keys."""
    result = run_tap(None, "--discover")
    assert result.returncode == 0
    streams = {stream["tap_stream_id"]: stream for stream in json.loads(result.stdout)["streams"]}
    assert streams.keys() == STREAMS
    assert all("email_address" in stream["key_properties"] for stream in streams.values())


@pytest.mark.parametrize(
    "content",
    [
        *NO_OBJECT,
        {},
        {"misspelt": "canary"},
        {"access_token": 5, "access_key": "canary\n", "api_url": "http://canary.example.com"},
        {"email_addresses": ["canary"], "max_retries": "canary", "batch_config": {}},
        {"stream_maps": {"lookups": None}, "email_addresses_file": "/nowhere/canary"},
    ],
    ids=short,
)
def test_discovery_judges_a_config_only_for_being_json(content: object, tmp_path: Path) -> None:
    """Settings that would be refused do not keep the streams from being listed."""
    result = run_tap(None, "--config", written(tmp_path, "config.json", content), "--discover")
    assert result.returncode == 0
    assert {stream["tap_stream_id"] for stream in json.loads(result.stdout)["streams"]} == STREAMS
    assert "canary" not in result.stderr


def test_discovery_asks_nothing_and_heeds_no_environment(sandbox: Sandbox) -> None:
    """`--config=ENV` with wrong variables does not matter to `--discover`."""
    result = run_tap(config_of(sandbox), "--config=ENV", "--discover", env={"TAP_GONG_PRIVACY_MAX_RETRIES": "x"})
    assert result.returncode == 0
    assert not sandbox.calls


def test_about_prints_each_setting_and_no_capability_that_deletes_rows() -> None:
    """Each setting has a description, secrets are marked, and neither BATCH nor ACTIVATE_VERSION is offered."""
    result = run_tap(None, "--about", "--format=json")
    assert result.returncode == 0
    about = json.loads(result.stdout)
    declared: dict[str, Any] = settings.DECLARED["properties"]
    shown = about["settings"]["properties"]
    assert declared.keys() <= shown.keys()
    assert all(shown[name]["description"] for name in shown)
    assert {name for name in shown if shown[name].get("secret")} == {"access_key_secret", "access_token"}
    assert not {"batch", "activate-version"} & set(about["capabilities"])
    assert {"catalog", "state", "discover", "about", "stream-maps", "schema-flattening"} <= set(about["capabilities"])


@pytest.mark.parametrize("arguments", [["--about"], ["--about", "--format=markdown"]], ids=short)
def test_about_names_each_setting_in_each_format(arguments: list[str]) -> None:
    """The text and the Markdown name every setting, and need no config."""
    result = run_tap(None, *arguments)
    assert result.returncode == 0
    assert all(name in result.stdout for name in settings.DECLARED["properties"])


def test_version_is_one_line() -> None:
    """`--version` prints the name and the version."""
    result = run_tap(None, "--version")
    assert result.returncode == 0
    assert (result.stdout + result.stderr).count("tap-gong-privacy v") == 1


def test_no_config_at_all_says_what_is_missing() -> None:
    """The bare command is one line that names the credentials."""
    assert_refused(run_tap(None), 1, "access_key_secret", "access_token")
    assert_refused(run_tap(None, "--test"), 1, "access_key_secret", "access_token")


@pytest.mark.parametrize(
    "reply,code",
    [
        (Reply(), 0),
        (Reply(body={"emails": []}), 0),
        (Reply(400), 0),
        (Reply(429, headers={"Retry-After": "3600"}), 1),
        (Reply(429, headers={"Retry-After": "0"}), 1),
        (Reply(429), 1),
        (Reply(401), 1),
        (Reply(403), 1),
        (Reply(404), 1),
        (Reply(302, headers={"Location": "/"}), 1),
        (Reply(500), 1),
        (Reply(503, headers={"Retry-After": "3600"}), 1),
        (Reply(body="<html>"), 1),
        (Reply(body={}), 1),
        (Reply(fault="reset"), 1),
        (Reply(fault="truncate"), 1),
    ],
    ids=short,
)
def test_the_connection_test_says_whether_the_first_address_is_answered(
    sandbox: Sandbox, reply: Reply, code: int
) -> None:
    """`--test` asks two addresses at most, once each, waits for nothing, and leaves the state alone."""
    sandbox.answers = {"*": reply}
    began = time.monotonic()
    result = run_tap(config_of(sandbox), "--test")
    seconds = time.monotonic() - began
    check_output(result, ADDRESSES)
    assert result.returncode == code
    asked = [call.address for call in sandbox.calls]
    assert asked in (ADDRESSES[:1], ADDRESSES[:2])
    assert not result.states
    assert seconds < 30


def test_the_connection_test_asks_what_state_calls_done(sandbox: Sandbox, tmp_path: Path) -> None:
    """`--test` neither uses nor changes the state."""
    sandbox.daily_quota = 1
    stopped = run_tap(config_of(sandbox, max_concurrency=1))
    state = written(tmp_path, "state.json", stopped.states[-1])
    assert settled(stopped.states[-1]["bookmarks"]["lookups"]) == 1
    sandbox.daily_quota = 0
    sandbox.calls.clear()
    before = (tmp_path / "state.json").read_bytes()
    result = run_tap(config_of(sandbox), "--state", state, "--test")
    check_output(result)
    assert result.returncode == 0
    assert sandbox.calls[0].address == ADDRESSES[0]
    assert not result.states
    assert (tmp_path / "state.json").read_bytes() == before


def test_the_connection_test_reads_the_environment(sandbox: Sandbox) -> None:
    """`--config=ENV --test` needs no file."""
    config = config_of(sandbox, email_addresses=json.dumps(ADDRESSES), requests_per_second="1000")
    env = {f"TAP_GONG_PRIVACY_{name.upper()}": str(value) for name, value in config.items()}
    result = run_tap(None, "--config=ENV", "--test", env=env)
    check_output(result, ADDRESSES, [sandbox.access_key_secret])
    assert result.returncode == 0
    assert sandbox.calls


def test_loopback_http_is_never_sent_through_a_proxy(sandbox: Sandbox) -> None:
    """No proxy variable leads credentials in clear text away from the machine."""
    with relay(lambda _: b"HTTP/1.1 502 Bad\r\n\r\n") as proxy:
        env = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), f"http://127.0.0.1:{proxy.port}")
        result = run_tap(config_of(sandbox), env={**env, "NO_PROXY": ""})
        check_output(result)
        assert result.returncode == 0
        assert not proxy.heads
    assert len(sandbox.calls) == len(ADDRESSES)


class Relay:
    """A listener that reads what comes first, and answers or passes on what follows.

    Attributes:
        port: Its port on loopback.
        heads: What came first on each connection.
    """

    def __init__(
        self,
        answer: Callable[[bytes], bytes],
        to_port: int | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Begin to listen.

        Args:
            answer: Makes the answer to the head of a request; not called where TLS is spoken.
            to_port: Where all that follows goes; None ends the connection.
            tls: Speak TLS, and pass on all.
        """
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer, self._to_port, self._tls = answer, to_port, tls
        self.port = self._listener.getsockname()[1]
        self.heads: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        # Closing a listener does not wake the thread that waits on it; shutting it down does.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as secure:
                    self._pass_on(secure)
                return
            head = b""
            while b"\r\n\r\n" not in head and (chunk := connection.recv(65_536)):
                head += chunk
            self.heads.append(head)
            connection.sendall(self._answer(head))
            self._pass_on(connection)

    def _pass_on(self, one: socket.socket) -> None:
        if self._to_port is None:
            return
        with socket.create_connection(("127.0.0.1", self._to_port)) as other:
            while True:
                pending = isinstance(one, ssl.SSLSocket) and one.pending()
                ready = [one] if pending else select.select([one, other], [], [])[0]
                for source, target in ((one, other), (other, one)):
                    if source in ready:
                        chunk = source.recv(65_536)
                        if not chunk:
                            return
                        target.sendall(chunk)


@contextlib.contextmanager
def relay(
    answer: Callable[[bytes], bytes] = lambda _: b"",
    to_port: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Relay]:
    """Run a relay."""
    running = Relay(answer, to_port, tls)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nothing trusts."""
    return trustme.CA()


@contextlib.contextmanager
def secured(sandbox: Sandbox, authority: trustme.CA, host: str) -> Iterator[Relay]:
    """Put TLS before a sandbox."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    with relay(to_port=sandbox.port, tls=context) as front:
        yield front


def bundle_of(authority: trustme.CA, folder: Path) -> dict[str, str]:
    """Return the variable that makes the authority trusted."""
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return {"REQUESTS_CA_BUNDLE": str(path)}


def test_untrusted_tls_is_refused(sandbox: Sandbox, authority: trustme.CA) -> None:
    """A certificate of an unknown authority gets neither credentials nor an address."""
    with secured(sandbox, authority, "localhost") as front:
        config = config_of(sandbox, api_url=f"https://localhost:{front.port}", max_retries=0)
        result = run_tap(config)
        check_output(result, ADDRESSES)
    assert result.returncode == 1
    assert not sandbox.calls
    errors = {reason for record in result.records["lookups"] for reason in record["errors"]}
    assert errors == {"Gong gave no answer: no trusted TLS connection"}


def test_requests_ca_bundle_makes_an_authority_trusted(sandbox: Sandbox, authority: trustme.CA, tmp_path: Path) -> None:
    """With the company's own bundle the same certificate is fine, but not for another host name."""
    env = bundle_of(authority, tmp_path)
    with secured(sandbox, authority, "localhost") as front:
        result = run_tap(config_of(sandbox, api_url=f"https://localhost:{front.port}/"), env=env)
        check_output(result)
        assert result.returncode == 0
        assert len(sandbox.calls) == len(ADDRESSES)
    with secured(sandbox, authority, "gong.example.com") as front:
        config = config_of(sandbox, api_url=f"https://localhost:{front.port}", max_retries=0)
        result = run_tap(config, env=env)
        check_output(result)
        assert result.returncode == 1
        assert len(sandbox.calls) == len(ADDRESSES)


def test_a_netrc_never_overrides_the_credentials(sandbox: Sandbox, authority: trustme.CA, tmp_path: Path) -> None:
    """The configured credentials are sent, whatever a .netrc has for the host; over TLS, where requests reads one."""
    netrc = written(
        tmp_path, ".netrc", b"machine localhost login evil password evil\ndefault login evil password evil\n"
    )
    (tmp_path / ".netrc").chmod(0o600)
    env = {"NETRC": netrc, "HOME": str(tmp_path), **bundle_of(authority, tmp_path)}
    token = {"access_key": None, "access_key_secret": None, "access_token": sandbox.access_token}
    with secured(sandbox, authority, "localhost") as front:
        for credentials in ({}, token):
            config = config_of(sandbox, **credentials)
            for api_url in (sandbox.url, f"https://localhost:{front.port}"):
                result = run_tap({**config, "api_url": api_url}, env=env)
                check_output(result)
                assert result.returncode == 0
    assert [call.status for call in sandbox.calls] == [200] * 4 * len(ADDRESSES)


def test_a_ca_bundle_that_is_not_there_is_named_in_plain_words(sandbox: Sandbox, authority: trustme.CA) -> None:
    """A wrong REQUESTS_CA_BUNDLE never turns verification off."""
    with secured(sandbox, authority, "localhost") as front:
        config = config_of(sandbox, api_url=f"https://localhost:{front.port}", max_retries=0)
        result = run_tap(config, env={"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"})
        check_output(result, ADDRESSES)
    assert result.returncode == 1
    assert not sandbox.calls
    stopped, *_ = [line for line in result.stderr.splitlines() if "Stopped: " in line]
    assert "REQUESTS_CA_BUNDLE" in stopped


def test_https_goes_through_the_proxy(sandbox: Sandbox, authority: trustme.CA, tmp_path: Path) -> None:
    """`HTTPS_PROXY` is honoured: the proxy sees the host, and neither credentials nor addresses."""
    env = bundle_of(authority, tmp_path)
    with (
        secured(sandbox, authority, "gong.example.com") as front,
        relay(lambda _: b"HTTP/1.1 200 Connection established\r\n\r\n", front.port) as proxy,
    ):
        env["HTTPS_PROXY"] = f"http://127.0.0.1:{proxy.port}"
        result = run_tap(config_of(sandbox, api_url="https://gong.example.com"), env=env)
        check_output(result, ADDRESSES)
        assert result.returncode == 0
        assert len(sandbox.calls) == len(ADDRESSES)
        assert proxy.heads
        for head in proxy.heads:
            assert head.startswith(b"CONNECT gong.example.com:443 HTTP/1.")
            assert b"anary" not in head
            assert b"authorization: basic" not in head.lower()


def test_no_proxy_is_honoured(sandbox: Sandbox, authority: trustme.CA, tmp_path: Path) -> None:
    """A host that `NO_PROXY` names is reached without the proxy."""
    env = bundle_of(authority, tmp_path)
    with secured(sandbox, authority, "localhost") as front, relay(lambda _: b"HTTP/1.1 502 Bad\r\n\r\n") as proxy:
        env |= {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": "localhost"}
        result = run_tap(config_of(sandbox, api_url=f"https://localhost:{front.port}"), env=env)
        check_output(result)
        assert result.returncode == 0
        assert not proxy.heads


def test_a_proxy_that_refuses_or_is_down_is_a_fault_that_shows_no_password(sandbox: Sandbox) -> None:
    """The addresses end failed with a reason of our own words, and the proxy's credentials stay hidden."""
    with relay(lambda _: b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as proxy:
        port = proxy.port
        config = config_of(sandbox, api_url="https://gong.example.com", max_retries=0)
        env = {"HTTPS_PROXY": f"http://user:proxy-canary@127.0.0.1:{port}"}
        refused = run_tap(config, env=env)
        assert proxy.heads
    down = run_tap(config, env=env)
    for result in (refused, down):
        check_output(result, ADDRESSES, ["proxy-canary"])
        assert result.returncode == 1
        reasons = {reason for record in result.records["lookups"] for reason in record["errors"]}
        assert reasons == {"Gong gave no answer: the proxy gave no connection"}


def test_compressed_answers_are_asked_for_and_redirects_never_followed(sandbox: Sandbox) -> None:
    """The request says what it accepts; a redirect to another host gets no call."""
    with Sandbox(requests_per_second=0) as other:
        sandbox.answers = {ADDRESSES[1]: Reply(307, headers={"Location": f"{other.url}/v2"})}
        result = run_tap(config_of(sandbox))
        check_output(result)
        assert not other.calls
    assert all("gzip" in call.headers["accept-encoding"] for call in sandbox.calls)
    assert [record["status"] for record in result.records["lookups"]] == ["found", "failed", "found"]


@pytest.mark.parametrize("name", ["TAP_GONG_PRIVACY_LOGLEVEL", "LOGLEVEL", "SINGER_SDK_LOG_CONFIG"])
def test_a_wrong_log_setting_is_one_line(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    """A mistake in a variable of the SDK does not end in a traceback either."""
    value = written(tmp_path, "log.yml", b"[") if name.endswith("CONFIG") else "canary"
    level = {} if name == "SINGER_SDK_LOG_CONFIG" else {"TAP_GONG_PRIVACY_LOGLEVEL": ""}
    assert_refused(
        run_tap(config_of(sandbox), env={**level, name: value}), 1, "the log cannot be set up", name, is_plain=True
    )


def test_empty_log_levels_count_as_not_set(sandbox: Sandbox) -> None:
    """An empty variable counts as not set."""
    result = run_tap(config_of(sandbox), env={"TAP_GONG_PRIVACY_LOGLEVEL": "", "LOGLEVEL": ""})
    assert result.returncode == 0
    assert "INFO" in result.stderr


def run_without(stream: str, config: dict[str, object], folder: Path) -> Result:
    """Run the command with a standard stream (`1` or `2`) closed from the start."""
    path = written(folder, "config.json", config)
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" --config "$1" {stream}>&-', COMMAND, path],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode(), config)


def test_an_output_that_is_closed_from_the_start_is_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    """Without a stdout there is nothing to ask for."""
    assert_refused(run_without("1", config_of(sandbox), tmp_path), 1, "standard output is closed", is_plain=True)
    assert not sandbox.calls


def test_a_log_that_is_closed_from_the_start_changes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    """If the process begins without a stderr, the run is the same, and no log reaches the output."""
    result = run_without("2", config_of(sandbox), tmp_path)
    check_output(result, ADDRESSES)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.records["lookups"]) == len(ADDRESSES)
