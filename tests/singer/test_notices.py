"""What is logged about unusual answers: each undocumented name once, and nothing that could be an address."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.gong.outcomes import Outcome, Status
from tap_gong_privacy.singer.notices import Notices

if TYPE_CHECKING:
    from collections.abc import Iterable


def said(caplog: pytest.LogCaptureFixture, names: Iterable[str], *outcomes: Outcome) -> list[str]:
    """Return the log lines about undocumented names and whole outcomes."""
    with caplog.at_level(logging.WARNING):
        notices = Notices(logging.getLogger("notices"))
        for outcome in outcomes:
            notices.take(outcome)
        for name in names:
            notices.undocumented(name)
        notices.close()
    assert {record.levelno for record in caplog.records} <= {logging.WARNING}
    return caplog.messages


def test_each_name_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A field that each of a thousand records has is one line."""
    lines = said(caplog, ["legalHold", "x-1", "legalHold", "y_2"] * 1000)
    assert [line.rpartition(" ")[2] for line in lines] == ["legalHold", "x-1", "y_2"]


@pytest.mark.parametrize(
    "name", ["canary@example.com", "canary%40example.com", "", "canary " * 3, "canary" * 11, "cänary"]
)
def test_a_name_that_could_be_an_address_is_only_counted(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Only names of 1 to 64 plain characters are shown."""
    (line,) = said(caplog, [name, name])
    assert "2 times" in line
    assert "c" not in name or "canary" not in line


def test_at_most_twenty_names_are_said(caplog: pytest.LogCaptureFixture) -> None:
    """Names beyond twenty are counted, and names that were logged already are not counted again."""
    *lines, last = said(caplog, [f"n{number}" for number in range(23)] + ["n0", "n19", "n22"])
    assert len(lines) == 20
    assert "4 times" in last


def test_replaced_characters_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Two answers with such characters are one line, and so are their undocumented top-level fields."""
    outcome = Outcome(Status.FOUND, datetime.now(UTC), undocumented={"legalHolds": []}, is_repaired=True)
    first, second = said(caplog, [], outcome, outcome)
    assert "legalHolds" in first
    assert "U+2400" in second


def test_nothing_unusual_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    """An answer as documented says nothing."""
    assert not said(caplog, [], Outcome(Status.NOT_FOUND, datetime.now(UTC)))
