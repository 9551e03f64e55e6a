"""What a run logs about its calls: each kind of trouble once, then counts, at most every 30 seconds."""

from __future__ import annotations

import logging

import pytest
from typing_extensions import override

from tap_gong_privacy.gong.outcomes import Reason
from tap_gong_privacy.round.progress import Progress, duration


class Clock:
    """A clock that does not move until it is set."""

    def __init__(self) -> None:
        """Begin at an arbitrary second."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Heard(logging.Logger):
    """A logger that keeps its records."""

    def __init__(self) -> None:
        """Accept every level."""
        super().__init__("heard", logging.DEBUG)
        self.lines: list[tuple[int, str]] = []

    @override
    def handle(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.lines.append((record.levelno, record.getMessage()))

    def pop(self) -> list[str]:
        """Return the lines since the last time."""
        lines = [line for _, line in self.lines]
        self.lines.clear()
        return lines


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def heard() -> Heard:
    """A log."""
    return Heard()


@pytest.fixture
def progress(heard: Heard, clock: Clock) -> Progress:
    """The progress of a run that asks about the places 17 and 20 of 200."""
    return Progress(heard, [17, 20], 200, clock=clock)


def test_a_reason_is_said_when_it_first_occurs(progress: Progress, heard: Heard) -> None:
    """At WARNING, with the place in the list, and the tries that are left."""
    progress.failed(0, Reason("Gong answered 503"), 5)
    progress.failed(1, Reason("Gong answered 503"), 5)
    progress.failed(1, Reason("the connection failed"), 0)
    assert heard.lines == [
        (logging.WARNING, "address 17 of 200: Gong answered 503; up to 5 further tries"),
        (logging.WARNING, "address 20 of 200: the connection failed; no further tries"),
    ]


def test_more_of_the_same_is_counted_at_most_every_30_seconds(progress: Progress, heard: Heard, clock: Clock) -> None:
    """One line has the counts by reason since the last such line, and nothing is said if there is nothing new."""
    for _ in range(4):
        progress.failed(0, Reason("Gong answered 503"), 5)
        progress.failed(0, Reason("Gong answered 500"), 5)
    progress.paused(3, is_asked=True)
    progress.paused(3, is_asked=True)
    assert len(heard.pop()) == 3
    clock.now += 29
    progress.tick(0, 2)
    assert heard.pop() == []
    clock.now += 1
    progress.tick(0, 2)
    (counts, _) = heard.pop()
    assert counts == (
        "Since the last such line: 3 x Gong answered 503, 3 x Gong answered 500, 1 x pauses imposed by Gong (429)"
    )
    progress.failed(0, Reason("Gong answered 503"), 5)
    clock.now += 29
    progress.tick(0, 2)
    assert heard.pop() == []
    progress.say_trouble()
    assert heard.pop() == ["Since the last such line: 1 x Gong answered 503"]
    progress.say_trouble()
    assert heard.pop() == []


def test_trouble_after_a_quiet_time_is_said_at_once(progress: Progress, heard: Heard, clock: Clock) -> None:
    """After a quiet interval new trouble is logged at once."""
    progress.failed(0, Reason("Gong answered 503"), 5)
    clock.now += 45
    progress.tick(0, 2)
    heard.pop()
    clock.now += 1
    progress.failed(0, Reason("Gong answered 503"), 5)
    progress.tick(0, 2)
    assert heard.pop() == ["Since the last such line: 1 x Gong answered 503"]


def test_the_reasons_that_are_named_are_bounded(progress: Progress, heard: Heard) -> None:
    """A broken server that answers any status does not fill the log."""
    for status in range(500, 600):
        progress.failed(0, Reason(f"Gong answered {status}"), 5)
    assert len(heard.pop()) == 20
    progress.say_trouble()
    assert heard.pop() == ["Since the last such line: 80 x other reasons"]


@pytest.mark.parametrize(
    "seconds, is_asked, line",
    [
        (12.3, True, "Gong asks to wait 12 s (429)"),
        (2.0, True, "Gong asks to wait 2 s (429)"),
        (0.25, False, "Gong answered 429 without a time to wait; waiting 0.2 s"),
    ],
)
def test_a_pause_is_said_when_it_begins(
    progress: Progress,
    heard: Heard,
    seconds: float,
    is_asked: bool,  # noqa: FBT001 - a parameter of the test
    line: str,
) -> None:
    """With its length, and whether Gong asked for it."""
    progress.paused(seconds, is_asked=is_asked)
    assert heard.lines == [(logging.WARNING, line)]


def test_progress_is_said_at_most_every_30_seconds(progress: Progress, heard: Heard, clock: Clock) -> None:
    """What is done of how many, the rate, and the time left of this run."""
    for done in range(100):
        progress.tick(done, 400)
        clock.now += 1
    assert heard.pop() == [
        "30 of 400 addresses done, 1.00 a second, about 0:06:10 left",
        "60 of 400 addresses done, 1.00 a second, about 0:05:40 left",
        "90 of 400 addresses done, 1.00 a second, about 0:05:10 left",
    ]


def test_progress_goes_on_while_gong_is_waited_for(progress: Progress, heard: Heard, clock: Clock) -> None:
    """During a long wait progress is logged, with the trouble so far."""
    progress.called(503, 0.5, is_further_try=False)
    progress.called(None, 0.5, is_further_try=True)
    progress.paused(300, is_asked=True)
    heard.pop()
    clock.now += 30
    progress.tick(0, 2)
    assert heard.pop() == [
        "0 of 2 addresses done, 0.00 a second, unknown time left; 1 further tries, 1 pauses imposed by Gong"
    ]


def test_calls_are_counted_by_status(progress: Progress) -> None:
    """A copy of the counts does not change with later calls."""
    progress.called(429, 0.5, is_further_try=False)
    progress.called(None, 1.0, is_further_try=True)
    before = progress.snapshot()
    progress.called(429, 0.25, is_further_try=True)
    assert (before.total, before.limited, before.further_tries, before.seconds) == (2, 1, 1, 1.5)
    assert before.by_status == {429: 1, None: 1}
    assert (progress.calls.total, progress.calls.limited) == (3, 2)


@pytest.mark.parametrize(
    "seconds, text",
    [(0.0, "0:00:01"), (3723, "1:02:03"), (180_000, "2 days, 2:00:00"), (1e300, "more than 10,000 years")],
)
def test_a_duration_can_be_read(seconds: float, text: str) -> None:
    """Any duration has a text, however long it is."""
    assert duration(seconds) == text
