"""What the installed command says while it runs and at its end, as a user or a log collector reads it."""

from __future__ import annotations

import json
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Reply, Sandbox
from tests.running import Result, check_output, run_tap

if TYPE_CHECKING:
    from pathlib import Path

LISTED = [f"p{place}@x.example" for place in range(1, 8)]
INFO = {"TAP_GONG_PRIVACY_LOGLEVEL": "INFO"}
JSON_LOG = """
version: 1
disable_existing_loggers: false
formatters:
  json:
    (): singer_sdk.logging.StructuredFormatter
handlers:
  stderr:
    class: logging.StreamHandler
    formatter: json
    stream: ext://sys.stderr
root:
  level: INFO
  handlers: [stderr]
"""


def run(sandbox: Sandbox, *arguments: str, env: dict[str, str] | None = None, **settings: object) -> Result:
    """Run once as fast as it goes, and check all that any run owes."""
    config = {**sandbox.config, "email_addresses": LISTED, "requests_per_second": 1000, "max_concurrency": 1}
    result = run_tap({**config, **settings}, *arguments, env=env or INFO)
    check_output(result, LISTED)
    return result


def said(result: Result, level: str) -> list[str]:
    """Return what the tap itself logged at a level."""
    parts = [line.split(" | ", 3) for line in result.stderr.splitlines()]
    return [part[3] for part in parts if part[1].strip() == level and part[2].startswith("tap-gong-privacy")]


def metrics(result: Result) -> list[dict[str, Any]]:
    """The METRIC lines."""
    return [json.loads(line.partition("METRIC: ")[2]) for line in result.stderr.splitlines() if "METRIC: " in line]


def test_the_closing_line_has_numbers_for_a_log_in_json(sandbox: Sandbox, tmp_path: Path) -> None:
    """With the SDK's formatter they are under `extra`."""
    sandbox.answers = {
        LISTED[0]: Reply(400),
        LISTED[1]: [Reply(429, headers={"Retry-After": "0"}), Reply()],
        LISTED[2]: [Reply(503, headers={"Retry-After": "0"}), Reply()],
    }
    path = tmp_path / "log.yml"
    path.write_text(JSON_LOG)
    result = run(sandbox, env={"SINGER_SDK_LOG_CONFIG": str(path), "TAP_GONG_PRIVACY_LOGLEVEL": ""})
    last = json.loads(result.stderr.splitlines()[-1])
    assert last["message"] == (
        "7 addresses: 6 found, 0 not found, 1 rejected, 0 failed, 0 not asked; "
        "9 calls, 2 of them further tries, 1 answered with 429"
    )
    assert last["level"] == "error"
    assert last["extra"] == {
        "addresses": 7,
        "found": 6,
        "not_found": 0,
        "rejected": 1,
        "failed": 0,
        "malformed": 0,
        "not_asked": 0,
        "calls": 9,
        "further_tries": 2,
        "answered_with_429": 1,
    }


def test_the_places_come_before_the_closing_line(sandbox: Sandbox) -> None:
    """Who was rejected or failed, by place, and the setting that decides."""
    sandbox.answers = {LISTED[1]: Reply(400), LISTED[4]: Reply(404)}
    result = run(sandbox)
    *_, places, closing = result.stderr.splitlines()
    assert "| WARNING " in places
    assert places.endswith(
        "Of 7 addresses, rejected by Gong: address 2 (fail_on_rejected_address is true, so the round fails); "
        "failed: address 5"
    )
    assert "7 addresses: 5 found" in closing


def test_each_stream_and_the_calls_have_metrics(sandbox: Sandbox) -> None:
    """Record counts are those of the records written; tags hold neither a URL nor an address."""
    sandbox.answers[LISTED[1]] = [Reply(503, headers={"Retry-After": "0"}), Reply()]
    sandbox.answers[LISTED[2]] = Reply(fault="close")
    result = run(sandbox, max_retries=1)
    points = metrics(result)
    counted: Counter[str] = Counter()
    calls: Counter[object] = Counter()
    for point in points:
        assert "context" not in point["tags"] or not point["tags"]["context"]
        assert point["tags"].keys() <= {"stream", "pid", "context", "status", "http_status_code"}
        if point["metric"] == "record_count":
            counted[point["tags"]["stream"]] += point["value"]
        elif point["metric"] == "http_request_count":
            calls[point["tags"]["http_status_code"]] += point["value"]
    assert counted == {stream: len(records) for stream, records in result.records.items()}
    assert calls == {200: 6, 503: 1, "none": 2}
    (duration,) = [point for point in points if point["metric"] == "http_request_duration"]
    assert 0 < duration["value"] < 30


def test_metrics_do_not_grow_with_the_list(sandbox: Sandbox) -> None:
    """One address or forty: the same lines."""
    few, many = (run(sandbox, email_addresses=[f"q{place}@x.example" for place in range(count)]) for count in (1, 40))
    assert len(metrics(few)) == len(metrics(many))


def test_a_run_without_lookups_is_warned_of(sandbox: Sandbox, tmp_path: Path) -> None:
    """It writes no proof of the search, and asks all the same."""
    catalog = json.loads(run_tap(None, "--discover").stdout)
    (lookups,) = [stream for stream in catalog["streams"] if stream["stream"] == "lookups"]
    (entry,) = [entry for entry in lookups["metadata"] if entry["breadcrumb"] == []]
    entry["metadata"]["selected"] = False
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    result = run(sandbox, "--catalog", str(path))
    assert len(sandbox.calls) == len(LISTED)
    assert "lookups is not selected: this run writes no proof of the search" in said(result, "WARNING")


def dead_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    "reply, words",
    [
        (Reply(), ["Connection test passed: Gong answered."]),
        (Reply(400), ["Connection test passed: Gong answered."]),
        (Reply(401), ["Connection test failed: Gong answered 401", "credentials", "api:data-privacy:read", "api_url"]),
        (Reply(403), ["Connection test failed: Gong answered 403", "api:data-privacy:read", "api_url"]),
        (
            Reply(429, headers={"Retry-After": "60"}),
            ["Connection test failed: Gong's limit", "Run again after"],
        ),
        (Reply(503), ["Connection test failed: Gong answered 503"]),
        (Reply(body="<html>"), ["Connection test failed: Gong answered 200, but"]),
        (None, ["Connection test failed: the connection failed"]),
    ],
    ids=["ok", "400", "401", "403", "429", "503", "html", "dead"],
)
def test_a_connection_test_ends_with_its_result(sandbox: Sandbox, reply: Reply | None, words: list[str]) -> None:
    """The last line says that Gong answered, or why not and what to do."""
    sandbox.answers = {"*": reply} if reply else {}
    result = run(sandbox, "--test", api_url=sandbox.url if reply else f"http://127.0.0.1:{dead_port()}")
    last = result.stderr.splitlines()[-1]
    assert all(word in last for word in words)
    passed = "passed" in words[0]
    assert result.returncode == (0 if passed else 1)
    assert f"| {'INFO ' if passed else 'ERROR'}" in last


def test_a_connection_test_of_an_empty_list_tests_nothing(sandbox: Sandbox) -> None:
    """The run exits 0, and its last line says that nothing was tested."""
    result = run(sandbox, "--test", email_addresses=[])
    assert result.returncode == 0
    assert result.stderr.splitlines()[-1].endswith("Connection not tested: the list holds no address.")


def test_a_dead_host_stops_with_the_reason(sandbox: Sandbox) -> None:
    """A reason is logged when it first occurs, then counted, and named with fitting advice when the run stops."""
    result = run(sandbox, api_url=f"http://127.0.0.1:{dead_port()}", max_retries=1)
    assert result.returncode == 1
    first, counts, *_ = said(result, "WARNING")
    assert first == "address 1 of 7: the connection failed; up to 1 further try"
    assert counts == "Since the last such line: 5 x the connection failed"
    (stopped,) = [line for line in said(result, "ERROR") if line.startswith("Stopped: ")]
    assert stopped.startswith("Stopped: 3 addresses in a row failed (the last one: the connection failed). Check")


def test_a_server_that_fails_every_second_call_is_said_in_few_lines() -> None:
    """Reasons are bounded, however many tries fail."""
    listed = [f"q{place}@x.example" for place in range(6)]
    with Sandbox(requests_per_second=0, fail_every=2) as sandbox:
        result = run(sandbox, email_addresses=listed, max_concurrency=8)
    assert result.returncode == 0
    assert len(said(result, "WARNING")) <= 3


def test_a_server_that_throttles_is_said_in_few_lines() -> None:
    """A pause is logged when it begins, and a short run logs further ones as one count."""
    with Sandbox(requests_per_second=1) as sandbox:
        result = run(sandbox, email_addresses=LISTED[:3], max_concurrency=8)
    assert result.returncode == 0
    warnings = said(result, "WARNING")
    assert warnings[0] == "Gong asks to wait 1 s (429)"
    assert len(warnings) <= 2
    assert "answered with 429" in said(result, "INFO")[-1]
