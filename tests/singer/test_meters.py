"""METRIC lines: how many calls there were and how long they took, and how many records each stream has."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import metrics

from sandbox import EXAMPLE_ADDRESS, Reply, Sandbox
from tap_gong_privacy.round.progress import Calls
from tap_gong_privacy.singer.meters import CallMeter
from tests.running import Result, run_tap
from tests.streams import SECTIONS, STREAMS

if TYPE_CHECKING:
    from pathlib import Path


def points(text: str) -> list[dict[str, Any]]:
    """Return the METRIC lines in a log."""
    return [json.loads(point) for point in re.findall(r"METRIC: (\{.*\})", text)]


def record_counts(result: Result) -> dict[str, int]:
    """Return what the METRIC lines of a run say about each stream."""
    counts: dict[str, int] = {}
    for point in points(result.stderr):
        if point["metric"] == "record_count":
            stream = point["tags"]["stream"]
            counts[stream] = counts.get(stream, 0) + point["value"]
    return counts


def test_calls_are_written_by_status_at_the_interval(caplog: pytest.LogCaptureFixture) -> None:
    """Each line counts the calls since the one before; there is none before the interval is over, or without a call."""
    calls, now = Calls(), [0.0]
    meter = CallMeter(lambda: copy.deepcopy(calls), clock=lambda: now[0])
    calls.by_status.update({200: 3, 429: 1, None: 2})
    calls.seconds = 3.0
    with caplog.at_level("INFO", logger="singer_sdk.metrics"):
        now[0] = metrics.DEFAULT_LOG_INTERVAL - 1
        meter.tick()
        assert not caplog.messages
        now[0] += 1
        meter.tick()
        meter.tick()
        calls.by_status[200] += 1
        calls.seconds += 0.25
        meter.write()
        meter.write()
    written = points("\n".join(caplog.messages))
    assert [(point["metric"], point["value"], point["tags"].get("http_status_code")) for point in written] == [
        ("http_request_count", 3, 200),
        ("http_request_count", 1, 429),
        ("http_request_count", 2, "none"),
        ("http_request_duration", 0.5, None),
        ("http_request_count", 1, 200),
        ("http_request_duration", 0.25, None),
    ]
    assert {frozenset(point["tags"]) for point in written} <= {
        frozenset({"stream", "pid"}),
        frozenset({"stream", "pid", "http_status_code"}),
    }


@pytest.fixture
def answering(sandbox: Sandbox) -> Sandbox:
    """A sandbox that answers three addresses: one record in each section, two e-mails, and a refusal."""
    sandbox.answers = {
        "two@example.com": Reply(body={"emails": [{"id": "1"}, {"id": "2"}]}),
        "refused@example.com": Reply(400, {"errors": ["no"]}),
    }
    return sandbox


def run(sandbox: Sandbox, *arguments: str, **settings: object) -> Result:
    """Run the tap over the three addresses."""
    listed = [EXAMPLE_ADDRESS, "two@example.com", "refused@example.com"]
    config = {**sandbox.config, "email_addresses": listed, "fail_on_rejected_address": False, **settings}
    result = run_tap(config, *arguments)
    assert result.returncode == 0
    return result


def test_each_stream_counts_its_records(answering: Sandbox) -> None:
    """A run has the METRIC lines of each stream and of its calls, and none of them has a context with an address."""
    result = run(answering)
    assert record_counts(result) == {"lookups": 3, **dict.fromkeys(SECTIONS, 1), "emails": 3}
    calls = [point for point in points(result.stderr) if point["metric"] == "http_request_count"]
    assert {point["tags"]["http_status_code"]: point["value"] for point in calls} == {200: 2, 400: 1}
    assert sum(point["metric"] == "http_request_duration" for point in points(result.stderr)) == 1
    for point in points(result.stderr):
        assert not point["tags"].get("context")
        assert point["tags"].keys() <= {"stream", "pid", "http_status_code", "context", "status"}


def test_maps_do_not_change_what_is_counted(answering: Sandbox) -> None:
    """As in other taps, a stream counts under its own name what Gong returned, not what maps make of it."""
    stream_maps = {
        "emails": {"__alias__": "mails", "__filter__": "id == '1'"},
        "copy": {"__source__": "calls"},
        "lookups": {"__alias__": "proofs"},
        "meetings": None,
    }
    result = run(answering, stream_maps=stream_maps)
    assert len(result.records["mails"]) == 1
    assert record_counts(result) == {"lookups": 3, **dict.fromkeys(SECTIONS, 1), "emails": 3}


def test_a_stream_that_is_not_selected_counts_nothing(answering: Sandbox, tmp_path: Path) -> None:
    """Only what is selected is written, and only what is written has METRIC lines that count records."""
    catalog = json.loads(run_tap(None, "--discover").stdout)
    selected = {"emails", "calls"}
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in selected
    (tmp_path / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    counts = record_counts(run(answering, "--catalog", str(tmp_path / "catalog.json")))
    assert {stream: count for stream, count in counts.items() if count} == {"emails": 3, "calls": 1}
    assert counts.keys() <= set(STREAMS)
