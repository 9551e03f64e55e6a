"""An operator's fortnight: the installed command runs each night on a list that has changed since the last night.

What the sandbox was asked decides. For a larger company:
`FORTNIGHT="300 60 15" .venv/bin/python -m pytest tests/round/test_fortnight.py` (people, calls a night, nights).
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections import Counter
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import Reply, Sandbox
from tests.running import Result, check_output, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox import Call

PEOPLE, CALLS, NIGHTS = map(int, os.environ.get("FORTNIGHT", "24 8 7").split())
EXCHANGED = max(2, PEOPLE // 30)
DOWN = Reply(503, headers={"Retry-After": "0"})


class Operator:
    """Runs the tap each night, and keeps the list and the state."""

    def __init__(self, folder: Path, sandbox: Sandbox, people: int = PEOPLE) -> None:
        """Begin with a list and no state."""
        self.sandbox = sandbox
        self.random = random.Random(people)  # noqa: S311 - a simulation
        self.newcomers = (f"person{number}@company.example" for number in itertools.count(1))
        self.listed = list(itertools.islice(self.newcomers, people))
        self.state: dict[str, Any] = {}
        self.rounds: list[list[Call]] = []
        self._path = folder / "state.json"

    @property
    def bookmark(self) -> dict[str, Any]:
        """What the state says of the round."""
        bookmark: dict[str, Any] = self.state.get("bookmarks", {}).get("lookups", {})
        return bookmark

    @property
    def is_between_rounds(self) -> bool:
        """Whether no round is under way."""
        return not any(self.bookmark.values())

    @property
    def asked(self) -> set[str]:
        """Who was asked in the round."""
        return {call.address for call in self.rounds[-1]}

    def insert(self, address: str) -> None:
        """Put an address into the list at any place."""
        self.listed.insert(self.random.randint(0, len(self.listed)), address)

    def remove(self) -> None:
        """Take anyone off the list."""
        self.listed.remove(self.random.choice(self.listed))

    def run(self, **settings: object) -> tuple[Result, list[str]]:
        """Run for a night, check that the run and the state fit the calls, and return whom it asked."""
        if self.is_between_rounds:
            self.rounds.append([])
        self._path.write_text(json.dumps(self.state))
        self.sandbox.calls.clear()
        config = {
            **self.sandbox.config,
            "email_addresses": self.listed,
            "max_requests_per_run": CALLS,
            "requests_per_second": 1000,
            "max_concurrency": 1,
            "max_retries": 0,
            **settings,
        }
        result = run_tap(config, "--state", str(self._path))
        check_output(result)
        self.state = result.states[-1]
        self.rounds[-1] += self.sandbox.calls
        return result, [call.address for call in self.sandbox.calls]

    def check(self, result: Result, asked: list[str]) -> None:
        """Check what a night owes: nobody asked twice but once more if owed, nobody passed over, and a true tally."""
        calls = self.rounds[-1]
        failed = {call.address for call in calls if call.status != HTTPStatus.OK}
        last = {call.address: call.status for call in calls}
        for address, count in Counter(call.address for call in calls).items():
            assert count <= 1 + (address in failed)
        assert len(asked) <= CALLS
        if len(asked) < CALLS:
            assert set(self.listed) <= self.asked, "a run stopped with calls to spend and people to ask"
        if self.is_between_rounds:
            assert set(self.listed) <= self.asked, "a round ended without asking everybody"

        statuses = [last.get(address) for address in set(self.listed)]
        found, unasked = statuses.count(HTTPStatus.OK), statuses.count(None)
        expected = (
            f"{found} found, 0 not found, 0 rejected, {len(statuses) - found - unasked} failed, {unasked} not asked"
        )
        assert f"{len(statuses)} addresses: {expected}" in result.stderr.splitlines()[-1]


Night: TypeAlias = "Callable[[Operator], None]"


def unchanged(_: Operator) -> None:
    """Leave the list as it is."""


def appended(operator: Operator) -> None:
    """A newcomer each night, at the end."""
    operator.listed.append(next(operator.newcomers))


def exported_from_a_crm(operator: Operator) -> None:
    """One person leaves, two join, and one is renamed."""
    operator.remove()
    operator.insert(next(operator.newcomers))
    operator.insert(next(operator.newcomers))
    operator.listed[operator.random.randrange(len(operator.listed))] = next(operator.newcomers)


def exchanged(operator: Operator) -> None:
    """Several people leave, and as many join."""
    for _ in range(EXCHANGED):
        operator.remove()
        operator.insert(next(operator.newcomers))


def shuffled(operator: Operator) -> None:
    """The list comes in any order."""
    operator.random.shuffle(operator.listed)


def turned(operator: Operator) -> None:
    """The list comes in the opposite order."""
    operator.listed.reverse()


def removed(operator: Operator) -> None:
    """One person leaves, whom the round may have asked already."""
    operator.remove()


def doubled(operator: Operator) -> None:
    """Two entries are there once more."""
    for address in operator.random.sample(operator.listed, 2):
        operator.insert(address)


def shortened(operator: Operator) -> None:
    """In the third night the list is cut to those that were asked already."""
    if len(operator.rounds) == 1 and len(operator.asked) == 2 * CALLS:
        operator.listed = [address for address in operator.listed if address in operator.asked]


@pytest.mark.parametrize(
    "night",
    [unchanged, appended, exported_from_a_crm, exchanged, shuffled, turned, removed, doubled, shortened],
    ids=lambda night: night.__name__,
)
def test_each_person_is_asked_once_in_a_round_however_the_list_changes(
    night: Night, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Each run exits 0, the first round is over in time, and each of its answers has cost one call."""
    operator = Operator(tmp_path, sandbox)
    present = set(operator.listed)
    for _ in range(NIGHTS):
        result, asked = operator.run()
        assert result.returncode == 0
        operator.check(result, asked)
        if operator.is_between_rounds and len(operator.rounds) == 1:
            assert present <= operator.asked
        night(operator)
        present &= set(operator.listed)

    assert len(operator.rounds) > 1
    for calls in operator.rounds:
        assert len(calls) == len({call.address for call in calls})


def test_failed_addresses_are_asked_again_once_and_block_no_other(sandbox: Sandbox, tmp_path: Path) -> None:
    """With a list from a CRM, and a third of the people answered only at a second try."""
    operator = Operator(tmp_path, sandbox)
    sandbox.answers |= {address: [DOWN, Reply()] for address in operator.listed[::3]}
    for _ in range(NIGHTS):
        operator.check(*operator.run())
        exported_from_a_crm(operator)

    first = Counter(call.address for call in operator.rounds[0])
    assert len(operator.rounds) > 1
    assert max(first.values()) == 2
    assert sandbox.answers.keys() >= {address for address, count in first.items() if count == 2}


class TestDaysBetweenRounds:
    """A daily schedule that asks each person once in 30 days."""

    PEOPLE = CALLS + 2

    @pytest.fixture
    def operator(self, sandbox: Sandbox, tmp_path: Path) -> Operator:
        """An operator whose list takes two nights."""
        return Operator(tmp_path, sandbox, self.PEOPLE)

    def run(self, operator: Operator, days: float = 30) -> list[str]:
        """Run for a night, and return whom it asked."""
        result, asked = operator.run(days_between_rounds=days)
        assert result.returncode == 0
        return asked

    def let_pass(self, operator: Operator, days: float) -> None:
        """Let days pass, by telling the state that all was so much earlier."""
        for key in ("began", "completed"):
            if earlier := operator.bookmark[key]:
                moment = datetime.fromisoformat(earlier) - timedelta(days=days)
                operator.bookmark[key] = moment.isoformat().replace("+00:00", "Z")

    def test_everybody_is_asked_once_in_the_days_and_newcomers_at_once(self, operator: Operator) -> None:
        """A night with nothing to ask costs no call; after the days all are asked, a newcomer of that night too."""
        everybody = list(operator.listed)
        assert self.run(operator) == everybody[:CALLS]
        self.let_pass(operator, 1)
        assert self.run(operator) == everybody[CALLS:]
        self.let_pass(operator, 1)
        result, asked = operator.run(days_between_rounds=30)
        operator.check(result, asked)
        assert (result.returncode, asked) == (0, [])
        assert "lookups" in result.schemas

        exported_from_a_crm(operator)
        self.let_pass(operator, 1)
        newcomers = [address for address in operator.listed if address not in everybody]
        assert self.run(operator) == newcomers
        self.let_pass(operator, 26.9)
        assert self.run(operator) == []
        appended(operator)
        self.let_pass(operator, 0.2)
        assert self.run(operator) == operator.listed[:CALLS]
        assert self.run(operator) == operator.listed[CALLS:]
        assert self.run(operator) == []

    def test_a_round_that_takes_longer_than_its_days_is_finished_first(self, operator: Operator) -> None:
        """A small budget passes nobody over."""
        assert self.run(operator) == operator.listed[:CALLS]
        self.let_pass(operator, 40)
        assert self.run(operator) == operator.listed[CALLS:]
        assert self.run(operator) == operator.listed[:CALLS]

    def test_without_days_again_the_next_run_asks_everybody(self, operator: Operator) -> None:
        """Once the days are 0, rounds follow each other without a rest."""
        self.run(operator)
        assert self.run(operator) == operator.listed[CALLS:]
        assert self.run(operator, days=0) == operator.listed[:CALLS]
        assert self.run(operator, days=0) == operator.listed[CALLS:]
        assert operator.is_between_rounds
