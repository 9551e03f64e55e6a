"""No address and no secret appears in stderr or in STATE, whatever happens."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import textwrap
from typing import TYPE_CHECKING, SupportsIndex
from urllib.parse import quote

import pytest
from typing_extensions import override

from sandbox import Reply, Sandbox
from tap_gong_privacy import privacy
from tests.running import check_output, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARIES = [
    "Canary.One+tag@Example.COM",
    "kanarie-zwei_ü@exämple.de",
    '"o\'canary"@example.org',
    "canary/4%@example.net",
]
SECRET = "s3cr3t/ca+nary=="
LEVELS = ["INFO", "DEBUG"]
LEVEL = "TAP_GONG_PRIVACY_LOGLEVEL"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without limits, whose secrets are canaries."""
    with Sandbox(requests_per_second=0, access_key_secret=SECRET, access_token=SECRET) as unlimited:
        yield unlimited


def netted(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Put the net in front of stderr, and return the stream behind it. A fixture runs before pytest sets stderr."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    privacy.guard_stderr()
    return stream


@pytest.mark.parametrize(
    "text",
    [
        "canary@example.com",
        "GET /v2?emailAddress=canary%40example.com HTTP/1.1",
        "url='https://h/v2?emailAddress=Canary%2Btag%40example.com'",
        "{'email': 'canary@example.com'}",
        "<canary@example.com>",
        "CANARY@EXAMPLE.COM",
    ],
)
def test_the_net_hides_what_could_be_an_address(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raw or URL-encoded, the whole word goes; the words around it stay."""
    stderr = netted(monkeypatch)
    sys.stderr.write(f"before {text} after\n")
    shown = stderr.getvalue()
    assert shown.startswith("before ")
    assert shown.endswith(" after\n")
    assert "(hidden)" in shown
    assert "canary" not in shown.lower()


@pytest.mark.parametrize("secret", ["se cret", "käse/+=", "it's\t\"\\", "snow☃", "a%b", "half\ud800"], ids=ascii)
def test_the_net_hides_secrets_in_the_forms_in_which_errors_quote_them(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raw, URL-encoded, and as Python's `repr` and `ascii` write it."""
    stderr = netted(monkeypatch)
    privacy.hide([secret])
    for form in (secret, quote(secret, safe="", errors="replace"), repr(secret), ascii(secret)):
        sys.stderr.write(f"before {form} after\n")
        shown = stderr.getvalue().splitlines()[-1]
        assert re.fullmatch("before ['\"]?\\(hidden\\)['\"]? after", shown)


def test_the_net_hides_a_secret_that_holds_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longer secret is looked for first, so that no rest of it stays."""
    stderr = netted(monkeypatch)
    privacy.hide(["token"])
    privacy.hide(["token-of-tokens"])
    sys.stderr.write("a token-of-tokens, a token\n")
    assert stderr.getvalue() == "a (hidden), a (hidden)\n"


def test_the_net_lets_all_else_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other text is written as it is, the stream still works as one, and the net is put up once."""
    stderr = netted(monkeypatch)
    net = sys.stderr
    privacy.guard_stderr()
    assert sys.stderr is net
    privacy.hide(["secret"])
    assert net.write("12 addresses: 40% done\n") == 23
    net.flush()
    assert net.writable()
    assert not net.isatty()
    assert stderr.getvalue() == "12 addresses: 40% done\n"


def test_the_net_reads_each_character_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word of 400,000 characters is handled quickly, both next to an address and as part of one."""
    stderr = netted(monkeypatch)
    long = "x" * 400_000
    sys.stderr.write(f"{long} a@b.example {long}@b.example %4{long} {long}%40b.example\n")
    assert stderr.getvalue() == f"{long} (hidden) (hidden) %4{long} (hidden)\n"


def test_bytes_pass_through_the_net_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`buffer`, to which click writes if the encoding is ASCII, does not bypass the net."""
    stderr = netted(monkeypatch)
    privacy.hide(["sécret"])
    with io.TextIOWrapper(sys.stderr.buffer, encoding="utf-8") as wrapper:
        wrapper.write("é canary@example.com sécret\n")
    assert sys.stderr.buffer.write(b"canary%40example.com \xff\n") == 23
    assert stderr.getvalue() == "é (hidden) (hidden)\n(hidden) \N{REPLACEMENT CHARACTER}\n"


def test_the_net_has_what_the_stream_behind_it_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Libraries ask stderr for its name, its encoding, or to be reconfigured."""
    with (tmp_path / "log").open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        privacy.guard_stderr()
        assert (sys.stderr.name, sys.stderr.encoding) == (stream.name, "ascii")
        sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        assert stream.encoding == "utf-8"
        with pytest.raises(AttributeError):
            _ = sys.stderr.nonsense  # type: ignore[union-attr]
        sys.stderr.close()  # Otherwise it would flush when it is collected, and the stream behind it is closed by then.


def test_secrets_may_be_added_while_the_net_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that looks for the secrets known so far is not disturbed by a new one."""
    stderr = netted(monkeypatch)

    class Hiding(str):
        """Text that has another secret hidden whenever the net looks for one in it."""

        __slots__ = ()

        @override
        def replace(self, old: str, new: str, /, count: SupportsIndex = -1) -> Hiding:
            privacy.hide([f"{old} longer"])
            return Hiding(super().replace(old, new, count))

    privacy.hide(["token", "password"])
    sys.stderr.write(Hiding("a password, a token\n"))
    assert stderr.getvalue() == "a (hidden), a (hidden)\n"


def test_hiding_without_a_net_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """If the tap is used as a library, it does not touch stderr."""
    privacy.hide(["secret"])
    sys.stderr.write("secret\n")
    assert capsys.readouterr().err == "secret\n"


def test_an_unforeseen_error_is_described_without_its_message() -> None:
    """Its type and place are shown, never its words or its cause."""

    def fail() -> None:
        raise KeyError(CANARIES[1]) from ValueError(CANARIES[0])

    with pytest.raises(KeyError) as caught:
        fail()
    text = privacy.describe(caught.value)
    assert text.startswith("KeyError at ")
    assert text.endswith(" fail")
    assert "test_privacy.py:" in text
    assert "anar" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "name", ["urllib3.connectionpool", "requests", "backoff", "singer_sdk.mapper", "fsspec.local", "botocore.auth"]
)
def test_libraries_that_show_urls_or_values_are_silenced(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not even an error of theirs is logged, in loggers that exist by then or come later."""
    logger = logging.getLogger(name)
    levels = {known: logging.getLogger(known).level for known in list(logging.getLogger().manager.loggerDict)}
    try:
        logger.setLevel(logging.DEBUG)
        privacy.silence_libraries()
        logger.critical("canary")
        logging.getLogger(f"{name}.later").critical("canary")
        assert not caplog.records
    finally:
        for known, level in levels.items():
            logging.getLogger(known).setLevel(level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("way", ["pair", "token"])
def test_a_run_shows_no_address_and_no_secret(sandbox: Sandbox, level: str, way: str) -> None:
    """Whatever the outcomes, the log and the STATE hold neither addresses nor secrets."""
    hostile = {"requestId": CANARIES[0], "errors": [f"{address} {SECRET}" for address in CANARIES]}
    sandbox.answers = {
        CANARIES[1]: Reply(400, hostile),
        CANARIES[2]: Reply(500, hostile),
        CANARIES[3]: Reply(
            body={"requestId": SECRET, "emails": [], CANARIES[0]: 1, f"x{SECRET}": {CANARIES[1]: [SECRET]}}
        ),
    }
    credentials = sandbox.config if way == "pair" else {"api_url": sandbox.url, "access_token": SECRET}
    config = {**credentials, "email_addresses": CANARIES, "requests_per_second": 1000, "max_retries": 1}
    result = run_tap(config, env={LEVEL: level})
    check_output(result, CANARIES, [SECRET])
    assert result.returncode == 1
    assert result.states
    assert [record["status"] for record in result.records["lookups"]] == ["found", "rejected", "failed", "found"]
    assert "4 addresses: 2 found, 0 not found, 1 rejected, 1 failed, 0 not asked" in result.stderr


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("is_refused", [False, True])
def test_malformed_entries_are_shown_only_by_place(sandbox: Sandbox, level: str, *, is_refused: bool) -> None:
    """An entry may be anything, even a secret pasted into the wrong column. It reaches a record, and nothing else."""
    wrong = [SECRET, "sk-live-canary", "canary\nof two lines", {"password": "canary-in-json"}, ["canary-list"], 47.1125]
    config = {**sandbox.config, "email_addresses": [*wrong, CANARIES[0]], "fail_on_malformed_address": is_refused}
    result = run_tap(config, env={LEVEL: level})
    check_output(result, CANARIES, [SECRET, "47.1125", "canary", "sk-live"])
    assert result.returncode == int(is_refused)
    assert "email_addresses entry 1 " in result.stderr
    malformed = [row for row in result.records.get("lookups", []) if row["status"] == "malformed"]
    assert len(malformed) == (0 if is_refused else len(wrong))
    assert len(sandbox.calls) == (0 if is_refused else 1)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("fault", ["reset", "close", "truncate", "bad_gzip", "hang", "long"])
def test_network_faults_show_no_address(sandbox: Sandbox, level: str, fault: str) -> None:
    """Errors of requests and urllib3, which quote the URL, do not reach the log."""
    sandbox.answers = {"*": Reply(fault=fault, body={"requestId": "r", "emails": [], "pad": "x" * 100})}  # type: ignore[arg-type]
    config = {
        **sandbox.config,
        "email_addresses": CANARIES,
        "max_retries": 0,
        "request_timeout": 0.5,
        "requests_per_second": 1000,
    }
    result = run_tap(config, env={LEVEL: level})
    check_output(result, CANARIES, [SECRET])
    assert result.returncode == (0 if fault == "long" else 1)
    assert "4 addresses: " in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("status", [401, 403, 302])
def test_refusals_show_no_address(sandbox: Sandbox, status: int) -> None:
    """The message that stops the run shows the status, and a requestId only if it cannot be an address."""
    body = {"requestId": CANARIES[0], "errors": [CANARIES[0], SECRET]}
    sandbox.answers = {"*": Reply(status, body, {"Location": f"https://evil.example.com/?{quote(CANARIES[0])}"})}
    config = {**sandbox.config, "email_addresses": CANARIES}
    result = run_tap(config, env={LEVEL: "DEBUG"})
    check_output(result, CANARIES, [SECRET])
    assert result.returncode == 1
    assert f"Gong answered {status}" in result.stderr
    assert "api:data-privacy:read" in result.stderr
    assert "api_url" in result.stderr


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("at_test", [False, True])
def test_an_internal_error_shows_no_address(sandbox: Sandbox, tmp_path: Path, level: str, *, at_test: bool) -> None:
    """A bug whose exception quotes an address and a secret is one line that does not."""
    crash = f"""
    from tap_gong_privacy.singer import records

    def build(section, elements, shared, notice):
        raise RuntimeError(shared, {SECRET!r}) from ValueError({CANARIES!r})

    records.build = build
    """
    result = run_crashing(sandbox, tmp_path, crash, level, *(["--test"] if at_test else []))
    assert "Stopped by an internal error, please report it: RuntimeError at " in result
    assert "sitecustomize" in result


@pytest.mark.parametrize("level", LEVELS)
def test_a_crash_of_a_thread_shows_no_address(sandbox: Sandbox, tmp_path: Path, level: str) -> None:
    """What a look-up's thread raises ends the run, and is described like any other error."""
    crash = f"""
    from tap_gong_privacy.gong.client import Client

    def look_up(self, *given):
        raise RuntimeError(given, {SECRET!r})

    Client.look_up = look_up
    """
    assert "internal error, please report it: RuntimeError" in run_crashing(sandbox, tmp_path, crash, level)


@pytest.mark.parametrize("level", LEVELS)
def test_a_crash_at_setup_shows_no_address(sandbox: Sandbox, tmp_path: Path, level: str) -> None:
    """A bug before the run begins is one line, too."""
    crash = f"""
    from tap_gong_privacy import tap

    def read_list(*given, **named):
        raise RuntimeError(given, {SECRET!r})

    tap.read_list = read_list
    """
    assert "Internal error, please report it: RuntimeError" in run_crashing(sandbox, tmp_path, crash, level)


def test_the_net_catches_what_the_sdk_or_a_library_would_print(sandbox: Sandbox, tmp_path: Path) -> None:
    """Warnings, log lines and the traceback of a stray thread pass through the net."""
    crash = f"""
    import logging, sys, threading, warnings
    from tap_gong_privacy import tap
    read = tap.read_list

    def read_list(*given, **named):
        for address in {CANARIES!r}:
            logging.getLogger("tap-gong-privacy").warning("noise %s %s", address, {SECRET!r})
            logging.getLogger("some.library").error("noise %r", dict(a=address))
            warnings.warn(f"noise {{address}} {SECRET}")
            print("noise", address, {SECRET!r}, file=sys.stderr)
        return read(*given, **named)

    tap.read_list = read_list
    """
    shown = run_crashing(sandbox, tmp_path, crash, "DEBUG", code=0)
    assert shown.count("noise") >= 3 * len(CANARIES)
    assert "(hidden)" in shown


def run_crashing(sandbox: Sandbox, folder: Path, shim: str, level: str, *arguments: str, code: int = 1) -> str:
    """Run the command with a shim that bends the package once it is imported, check, and return stderr."""
    (folder / "sitecustomize.py").write_text(textwrap.dedent(shim), encoding="utf-8")
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    config = {**sandbox.config, "email_addresses": CANARIES, "requests_per_second": 1000}
    result = run_tap(config, *arguments, env={LEVEL: level, "PYTHONPATH": path})
    check_output(result, CANARIES, [SECRET])
    assert result.returncode == code
    return result.stderr
