"""One run: when it stops early, and what it logs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from sandbox import Sandbox
from tap_gong_privacy import settings
from tap_gong_privacy.gong.client import Client
from tap_gong_privacy.gong.outcomes import Reason, Status
from tap_gong_privacy.gong.pacing import Pacer, Stop
from tap_gong_privacy.gong.transport import Response, Transport, TransportError
from tap_gong_privacy.round import checkpoint
from tap_gong_privacy.round.addresses import Entry
from tap_gong_privacy.round.checkpoint import Round
from tap_gong_privacy.round.progress import Progress
from tap_gong_privacy.round.run import Run
from tests.running import check_output, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOUND, REJECTED, FAILED, REFUSED, SILENT = 200, 400, 503, 403, 0
LOGGER = logging.getLogger("tap-gong-privacy")
ANSWER = {"requestId": "r", "emails": [{"id": "1"}]}
NO_NAME = Reason("its host name could not be resolved", "Check api_url and this machine's DNS.")


class FakeTransport(Transport):
    """Answers one status after the other, without HTTP."""

    def __init__(self, statuses: Sequence[int]) -> None:
        """Take the statuses; 0 means no answer."""
        self.statuses = iter(statuses)

    @override
    def get(self, parameters: Mapping[str, str]) -> Response:
        status = next(self.statuses)
        if status == SILENT:
            raise TransportError(NO_NAME)
        body = ANSWER if status == FOUND else {"requestId": "r"}
        return Response(status, {}, json.dumps(body).encode(), NOW)

    @override
    def close(self) -> None:
        """Nothing is open."""


def entries(count: int) -> tuple[Entry, ...]:
    """A list of so many addresses."""
    return tuple(Entry(f"a{place}@x.example") for place in range(1, count + 1))


def new_round(count: int, bookmark: checkpoint.Bookmark | None = None) -> Round:
    """A round over a list of so many addresses."""
    return Round(entries(count), "shape", bookmark or checkpoint.empty())


def after(count: int, statuses: Sequence[Status]) -> Round:
    """The same list in a later run, after a run in which its first addresses ended so."""
    before = new_round(count)
    for entry, status in zip(entries(count), statuses, strict=False):
        before.record(entry, status)
    return new_round(count, before.bookmark())


def made(statuses: Sequence[int], round_: Round | None = None, **more: object) -> Run:
    """A run with one look-up in flight and no further tries, in which Gong answers with these statuses."""
    round_ = round_ or new_round(len(statuses))
    raw = {"access_token": "t", "max_concurrency": 1, "max_retries": 0, **more}
    _, own = settings.load(raw, settings.DECLARED, {})
    to_do = round_.to_do
    progress = Progress(LOGGER, [round_.place_of(entry) for entry in to_do if not entry.is_malformed], round_.total)
    pacer = Pacer(1e6, own.max_retry_wait, own.max_requests_per_run)
    client = Client(FakeTransport(statuses), pacer, progress, own.max_retries, own.max_retry_wait)
    return Run(own, round_, client, progress, to_do)


def finish(run: Run) -> int:
    """Consume all outcomes, and return how many there were."""
    count = 0
    for entry, outcome in run.outcomes():
        run.record(entry, outcome)
        count += 1
    return count


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What the tap logs."""
    before = LOGGER.propagate
    LOGGER.propagate = True
    caplog.set_level(logging.INFO, LOGGER.name)
    yield caplog
    LOGGER.propagate = before


def said(log: pytest.LogCaptureFixture, level: int) -> list[str]:
    """Return the messages at a level."""
    return [record.getMessage() for record in log.records if record.levelno == level]


def test_three_failures_in_a_row_are_an_outage(log: pytest.LogCaptureFixture) -> None:
    """The third one stops the run and is owed; one line names the reason and what fits it."""
    run = made([FOUND, FAILED, SILENT, SILENT, FOUND])
    assert finish(run) == 4
    assert run.stopped
    assert run.stopped.is_outage
    assert run.round.summary() == "5 addresses: 1 found, 0 not found, 0 rejected, 3 failed, 1 not asked"
    owed = new_round(5, run.round.bookmark())
    assert [owed.place_of(entry) for entry in owed.to_do] == [5, 2, 3, 4]
    assert said(log, logging.ERROR) == [
        (
            "Stopped: 3 addresses in a row failed (the last one: its host name could not be resolved). Check api_url "
            "and this machine's DNS. The next run with the same state resumes after them."
        )
    ]


@pytest.mark.parametrize("between", [FOUND, REJECTED])
def test_an_answer_between_failures_prevents_an_outage(between: int) -> None:
    """Only three in a row, in the list's order, count."""
    run = made([FAILED, FAILED, between] * 4)
    assert finish(run) == 12
    assert run.stopped is None


def test_the_first_reason_to_stop_is_kept() -> None:
    """A 401 that came first is why the run stopped, so that a spent budget is no excuse for it."""
    run = made([FAILED] * 3 + [FOUND])
    for number, (entry, outcome) in enumerate(run.outcomes()):
        if number == 0:
            run._client.pacer.stop(Stop("Gong answered 401"))  # noqa: SLF001
        run.record(entry, outcome)
    assert run.stopped == Stop("Gong answered 401")


@pytest.mark.parametrize("statuses", [[FAILED, FAILED], [FAILED, REFUSED]])
def test_two_failures_of_two_are_no_outage(statuses: list[int]) -> None:
    """A list of two that fails is asked to its end, unless both are refusals."""
    run = made(statuses)
    assert finish(run) == 2
    assert run.stopped is None


def test_refusals_and_faults_together_are_an_outage(log: pytest.LogCaptureFixture) -> None:
    """Only refusals suggest a wrong configuration; a fault among them rules that out."""
    assert finish(made([REFUSED, FAILED, REFUSED, FOUND])) == 3
    assert "3 addresses in a row failed" in log.text


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_refusals_before_any_answer_stop_with_what_to_check(count: int, log: pytest.LogCaptureFixture) -> None:
    """Three in a row, or all of a shorter list: the message names the status, the scope and `api_url`."""
    run = made([REFUSED] * count)
    assert finish(run) == min(count, 3)
    assert run.stopped
    (message,) = said(log, logging.ERROR)
    for named in ("403", "api:data-privacy:read", "api_url"):
        assert named in message


@pytest.mark.parametrize("first", [FOUND, REJECTED])
def test_refusals_after_an_answer_are_an_outage_like_others(first: int, log: pytest.LogCaptureFixture) -> None:
    """Once Gong has answered any address of the round, the configuration is not to blame."""
    assert finish(made([first, REFUSED, REFUSED, REFUSED, FOUND])) == 4
    assert "3 addresses in a row failed (the last one: Gong answered 403)" in log.text


def test_an_answer_of_an_earlier_run_counts_for_the_round(log: pytest.LogCaptureFixture) -> None:
    """A resumed run whose addresses are refused does not blame the configuration."""
    assert finish(made([REFUSED] * 4, after(5, [Status.FOUND]))) == 3
    assert "in a row failed" in log.text


def test_second_tries_count_failures_from_zero(log: pytest.LogCaptureFixture) -> None:
    """Failures at the list's end and at the first second tries are not in a row; three second tries are."""
    earlier = [Status.FAILED, Status.FAILED, Status.FOUND, Status.FAILED, Status.FAILED]
    run = made([FAILED] * 6, after(7, earlier))
    assert finish(run) == 5
    assert "in a row failed" in log.text
    # Those that had their second try are owed no longer.
    later = new_round(7, run.round.bookmark())
    assert [later.place_of(entry) for entry in later.to_do] == [5, 6, 7]
    assert run.round.summary() == "7 addresses: 1 found, 0 not found, 0 rejected, 6 failed, 0 not asked"


def test_a_malformed_entry_does_not_interrupt_an_outage() -> None:
    """It says nothing about Gong, and costs no call."""
    first, second, third, fourth = entries(4)
    round_ = Round((first, Entry("wrong", is_malformed=True), second, third, fourth), "shape", checkpoint.empty())
    run = made([FAILED] * 4, round_)
    assert finish(run) == 4
    assert run.stopped
    assert run.calls.started == 3


def test_the_start_line_tells_what_is_ahead(log: pytest.LogCaptureFixture) -> None:
    """How many addresses, the pace and the expected time."""
    finish(made([FOUND] * 9))
    assert said(log, logging.INFO)[0] == "Looking up 9 addresses, at 3 calls a second at most: about 0:00:03"
    assert not said(log, logging.WARNING)


def test_the_estimate_is_cut_to_the_budget(log: pytest.LogCaptureFixture) -> None:
    """A run that may make six calls does not promise to take the time of nine."""
    run = made([FOUND] * 9, max_requests_per_run=6)
    assert finish(run) == 6
    assert run.has_spent_budget
    assert said(log, logging.INFO)[0] == (
        "Looking up 9 addresses, 6 of them in this run (max_requests_per_run), at 3 calls a second at most: "
        "about 0:00:02"
    )


@pytest.mark.parametrize("count, warns", [(10_000, False), (10_001, True)])
def test_more_than_gong_allows_in_a_day_is_warned_of(
    count: int,
    warns: bool,  # noqa: FBT001 - a parameter of the test
    log: pytest.LogCaptureFixture,
) -> None:
    """A list beyond Gong's default for a day gets one warning, which names the setting that helps."""
    finish(made([FAILED] * 3, new_round(count)))
    warnings = [line for line in said(log, logging.WARNING) if "Gong's default" in line]
    assert len(warnings) == warns
    assert all("10000 calls a day" in line and "max_requests_per_run" in line for line in warnings)


def test_a_resumed_run_says_so(log: pytest.LogCaptureFixture) -> None:
    """It tells how many it asks, how many were answered since when, and how to ask all."""
    round_ = after(200, [Status.FOUND] * 198)
    finish(made([FOUND, FOUND], round_))
    assert (
        f"asking 2 of 200 addresses; 198 were answered by earlier runs since {round_.began}; "
        "run without state (Meltano: --full-refresh) to ask all"
    ) in said(log, logging.INFO)


def test_a_tick_that_raises_ends_the_run() -> None:
    """A signal or a closed pipe is noticed while Gong is waited for."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(made([FOUND]).outcomes(interrupt))


def test_the_log_does_not_grow_with_the_list() -> None:
    """300 addresses make less than 60 lines, as many as 3 addresses do at DEBUG, and no line shows an address."""
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
