"""One run: when it stops early, and what it says."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from sandbox import Reply, Sandbox
from tap_gong_privacy.gong.client import Client, Lookup, Status
from tap_gong_privacy.gong.pacing import Pacer, Stop
from tap_gong_privacy.gong.transport import Credentials
from tap_gong_privacy.round import checkpoint
from tap_gong_privacy.round.checkpoint import Round
from tap_gong_privacy.round.run import Run
from tests.running import check_output, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOUND, REJECTED, FAILED = "found", "rejected", "failed"
REFUSED, SILENT = "refused", "silent"


class FakeClient(Client):
    """Answers by place, without HTTP."""

    def __init__(self, outcomes: str | list[str]) -> None:
        """Take the outcomes: `refused` is a 403, `failed` a 503, `silent` no answer."""
        self.outcomes = outcomes

    @override
    def look_up(self, address: str, place: int) -> Lookup:
        told = self.outcomes[place]
        if told == SILENT:
            return Lookup(Status.FAILED, NOW)
        if told == REFUSED:
            return Lookup(Status.FAILED, NOW, 403, is_refusal=True)
        return Lookup(Status(told), NOW, {FOUND: 200, REJECTED: 400, FAILED: 503}[told])


def addresses(count: int) -> tuple[str, ...]:
    """A list of so many."""
    return tuple(f"a{place}@x.example" for place in range(1, count + 1))


def made(outcomes: list[str], round_: Round | None = None, *, count: int = 0, limit: int | None = None) -> Run:
    """A run over as many addresses as there are outcomes, one in flight."""
    round_ = round_ or Round(addresses(count or len(outcomes)), "shape", checkpoint.empty())
    pacer = Pacer(1e6, 300)
    return Run(round_, FakeClient(outcomes), pacer, max_concurrency=1, requests_per_second=3, limit=limit)


def finish(run: Run) -> int:
    """Consume all look-ups, and return how many there were."""
    count = 0
    for _, lookup in run.lookups(lambda: None):
        run.take_down(lookup)
        count += 1
    return count


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What the tap logs."""
    logger = logging.getLogger("tap-gong-privacy")
    before = logger.propagate
    logger.propagate = True
    caplog.set_level(logging.INFO, "tap-gong-privacy")
    yield caplog
    logger.propagate = before


def test_three_failures_in_a_row_are_an_outage(log: pytest.LogCaptureFixture) -> None:
    """The third stops the run, counts itself, and is owed; one line says so."""
    run = made([FOUND, FAILED, FAILED, FAILED, FOUND])
    assert finish(run) == 4
    assert run.is_stopped
    assert not run.is_stopped_by_gong
    assert run.round.summary() == "5 addresses: 1 found, 0 not found, 0 rejected, 3 failed, 1 not asked"
    assert run.round.bookmark()["owed"] == [2, 3, 4]
    errors = [record.getMessage() for record in log.records if record.levelno >= logging.ERROR]
    assert errors == [
        "Stopped: 3 addresses in a row failed (the last one: HTTP 503). Run again later, with the same state."
    ]


@pytest.mark.parametrize("between", [FOUND, REJECTED])
def test_failures_that_another_answer_separates_are_none(between: str) -> None:
    """Only three in a row, in the list's order, count."""
    run = made([FAILED, FAILED, between] * 4)
    assert finish(run) == 12
    assert not run.is_stopped


def test_a_stop_by_gong_stays_one_where_failures_come_to_light_behind_it() -> None:
    """A 401 that came first is why the run stopped, and a spent budget no excuse for it."""
    run = made([FAILED] * 3 + [FOUND])
    pacer = run._pacer  # noqa: SLF001
    for number, (_, lookup) in enumerate(run.lookups(lambda: None)):
        if number == 0:
            pacer.stop(Stop("Gong answered 401"))
        run.take_down(lookup)
    assert run.is_stopped_by_gong


def test_two_failures_of_two_are_no_outage() -> None:
    """A list of two that fails is asked to its end."""
    run = made([FAILED, FAILED])
    assert finish(run) == 2
    assert not run.is_stopped


def test_refusals_and_faults_together_are_an_outage(log: pytest.LogCaptureFixture) -> None:
    """Refusals alone point at the configuration; a fault among them does not."""
    run = made([REFUSED, FAILED, REFUSED, FOUND])
    assert finish(run) == 3
    assert "3 addresses in a row failed" in log.text


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_refusals_before_any_answer_stop_with_what_to_check(count: int, log: pytest.LogCaptureFixture) -> None:
    """Three in a row, or all of a shorter list: the message names the status, the scope and `api_url`."""
    run = made([REFUSED] * count)
    assert finish(run) == min(count, 3)
    assert run.is_stopped
    (message,) = [record.getMessage() for record in log.records if record.levelno >= logging.ERROR]
    for named in ("403", "api:data-privacy:read", "api_url"):
        assert named in message


def test_refusals_behind_other_failures_stop_with_what_to_check() -> None:
    """A list of two of which the first fails and the second is refused is asked to its end."""
    run = made([FAILED, REFUSED])
    assert finish(run) == 2
    assert not run.is_stopped


@pytest.mark.parametrize("first", [FOUND, REJECTED])
def test_refusals_after_an_answer_are_an_outage_like_others(first: str, log: pytest.LogCaptureFixture) -> None:
    """Once Gong has answered any address of the round, the configuration is not to blame."""
    run = made([first, REFUSED, REFUSED, REFUSED, FOUND])
    assert finish(run) == 4
    assert "3 addresses in a row failed (the last one: HTTP 403)" in log.text


def test_an_answer_of_an_earlier_run_counts_for_the_round(log: pytest.LogCaptureFixture) -> None:
    """A resumed run whose addresses are refused does not blame the configuration."""
    before = Round(addresses(5), "shape", checkpoint.empty())
    before.record(Status.FOUND)
    run = made([REFUSED] * 4, Round(addresses(5), "shape", before.bookmark()))
    assert finish(run) == 3
    assert "in a row failed" in log.text


def test_the_pass_over_what_is_owed_counts_anew(log: pytest.LogCaptureFixture) -> None:
    """Failures at the list's end and at the beginning of the pass are not in a row; three within it are."""
    before = Round(addresses(7), "shape", checkpoint.empty())
    for status in (Status.FAILED, Status.FAILED, Status.FOUND, Status.FAILED, Status.FAILED):
        before.record(status)
    run = made([FAILED, FAILED, *[FAILED] * 4], Round(addresses(7), "shape", before.bookmark()))
    assert finish(run) == 5
    # Those asked in the pass are owed no longer, the other of it and the new ones are.
    assert run.round.bookmark()["owed"] == [5, 6, 7]
    assert run.round.summary() == "7 addresses: 1 found, 0 not found, 0 rejected, 6 failed, 0 not asked"
    assert "in a row failed" in log.text


def test_no_answer_has_no_status_to_show(log: pytest.LogCaptureFixture) -> None:
    """Where there was no HTTP status the line says that there was no answer."""
    assert finish(made([SILENT] * 4)) == 3
    assert "(the last one: no answer)" in log.text


def test_the_start_line_tells_what_is_ahead(log: pytest.LogCaptureFixture) -> None:
    """How many addresses, the pace and the expected time."""
    finish(made([FOUND] * 9))
    assert "Looking up 9 addresses at 3 calls a second at most: about 0:00:03" in log.text
    assert not [record for record in log.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("count, warns", [(10_000, False), (10_001, True)])
def test_more_than_gong_allows_in_a_day_is_warned_of(
    count: int,
    warns: bool,  # noqa: FBT001 - a parameter of the test
    log: pytest.LogCaptureFixture,
) -> None:
    """A list beyond Gong's default for a day gets one warning, which names the setting that helps."""
    run = made([FAILED] * 3, count=count)
    finish(run)
    warnings = [record.getMessage() for record in log.records if record.levelno == logging.WARNING]
    assert len(warnings) == warns
    assert all("10000" in warning and "max_requests_per_run" in warning for warning in warnings)


def test_a_resumed_run_says_so(log: pytest.LogCaptureFixture) -> None:
    """It tells how many it asks, how many were answered since when, and how to ask all."""
    before = Round(addresses(200), "shape", checkpoint.empty())
    for _ in range(198):
        before.record(Status.FOUND)
    began = before.bookmark()["began"]
    finish(made([FOUND, FOUND], Round(addresses(200), "shape", before.bookmark())))
    assert (
        f"asking 2 of 200 addresses; 198 were answered by earlier runs since {began}; "
        "run without state (Meltano: --full-refresh) to ask all"
    ) in log.text


def test_progress_is_said_at_most_every_30_seconds(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line tells what is done, of how many, the rate and the time left, by the monotonic clock."""
    clock = (5.0 * step for step in range(100_000))
    monkeypatch.setattr("tap_gong_privacy.round.run.time", SimpleNamespace(monotonic=lambda: next(clock)))
    run = made([FOUND] * 20)
    finish(run)
    lines = [record.getMessage() for record in log.records if " addresses done, " in record.getMessage()]
    # Five seconds for each look-up, and twenty of them: 100 seconds and a little.
    assert 2 <= len(lines) <= 4
    assert "of 20 addresses done, 0." in lines[0]
    assert lines[0].endswith(" left")


def test_a_limit_of_addresses_is_kept() -> None:
    """`--test` asks the first addresses alone."""
    assert finish(made([FOUND] * 5, limit=2)) == 2


def test_the_log_does_not_grow_with_the_list() -> None:
    """300 addresses make less than 60 lines, at DEBUG as many as 3, and name nobody."""
    listed = [f"{'unknown' if place % 3 else 'p'}{place}@x.example" for place in range(300)]
    lines = {}
    with Sandbox(requests_per_second=0) as sandbox:
        for level, count in (("INFO", 300), ("DEBUG", 300), ("DEBUG", 3)):
            config = {**sandbox.config, "email_addresses": listed[:count], "requests_per_second": 1000}
            result = run_tap(config, env={"TAP_GONG_PRIVACY_LOGLEVEL": level})
            check_output(result, listed)
            assert result.returncode == 0
            third = count // 3
            assert f"{count} addresses: {third} found, {2 * third} not found, 0 rejected" in result.stderr
            lines[level, count] = len(result.stderr.splitlines())
    assert lines["INFO", 300] < 60
    assert lines["DEBUG", 300] == lines["DEBUG", 3]


def test_progress_goes_on_while_gong_is_waited_for(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long wait is not silent."""
    monkeypatch.setattr("tap_gong_privacy.round.run._PROGRESS_SECONDS", 0.4)
    with Sandbox(requests_per_second=0, answers={"*": Reply(delay=1.5)}) as sandbox:
        pacer = Pacer(1000, 300)
        client = Client(
            sandbox.url,
            Credentials(b"Bearer sandbox-token"),
            pacer,
            request_timeout=9,
            max_retries=0,
            max_retry_wait=300,
        )
        round_ = Round(addresses(2), "shape", checkpoint.empty())
        finish(Run(round_, client, pacer, max_concurrency=2, requests_per_second=3))
    assert "0 of 2 addresses done, 0.00 a second, unknown time left" in log.text
