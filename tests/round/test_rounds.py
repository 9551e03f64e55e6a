"""Rounds through the installed command: stopped, resumed, owed, over; and what ends or restarts one."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Reply, Sandbox
from tap_gong_privacy.round import checkpoint
from tests.bookmarks import kept, settled
from tests.running import Result, check_output, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTED = [f"p{place}@x.example" for place in range(1, 8)]
DOWN = Reply(503, headers={"Retry-After": "0"})
LATER = Reply(429, headers={"Retry-After": "7200"})
EMPTY = checkpoint.empty()


class Pipeline:
    """The command, run again and again with the state that it left."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        """Begin without state."""
        self.folder = folder
        self.sandbox = sandbox
        self.state: object = None
        self.settings: dict[str, object] = {
            "email_addresses": LISTED,
            "max_retries": 0,
            "requests_per_second": 1000,
            "max_concurrency": 1,
        }
        self.catalog: Any = None
        self.answers: dict[str, Reply | list[Reply]] = sandbox.answers

    def run(self, **settings: object) -> Result:
        """Run once, check all that any run owes, and keep its last STATE."""
        self.sandbox.calls.clear()
        config = {**self.sandbox.config, **self.settings, **settings}
        options: list[str] = []
        for name, content in (("state", self.state), ("catalog", self.catalog)):
            if content is not None:
                path = self.folder / f"{name}.json"
                path.write_text(json.dumps(content))
                options += [f"--{name}", str(path)]
        result = run_tap(config, *options)
        check_output(result, LISTED)
        if result.states:
            self.state = result.states[-1]
        return result

    def discover(self) -> Any:  # noqa: ANN401 - any JSON
        """A catalog of all streams."""
        return json.loads(run_tap(None, "--discover").stdout)

    @property
    def asked(self) -> list[str]:
        """Who was asked about in the last run."""
        return [call.address for call in self.sandbox.calls]

    @property
    def bookmark(self) -> dict[str, Any]:
        """What the last run left."""
        assert isinstance(self.state, dict)
        bookmark = self.state["bookmarks"]["lookups"]
        assert isinstance(bookmark, dict)
        return bookmark


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline into nowhere, from a sandbox without limits."""
    with Sandbox(requests_per_second=0) as sandbox:
        yield Pipeline(tmp_path, sandbox)


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, object]]:
    """A sandbox, and the state of a run that it stopped when three addresses were done."""
    with Sandbox(requests_per_second=0) as sandbox:
        pipeline = Pipeline(tmp_path_factory.mktemp("half"), sandbox)
        pipeline.answers[LISTED[3]] = LATER
        assert pipeline.run().returncode == 1
        assert settled(pipeline.bookmark) == 3
        pipeline.answers.clear()
        yield sandbox, pipeline.state


@pytest.fixture
def halted(half_done: tuple[Sandbox, object], tmp_path: Path) -> Pipeline:
    """A pipeline that was stopped when three addresses were done, and that may go on."""
    sandbox, state = half_done
    pipeline = Pipeline(tmp_path, sandbox)
    pipeline.state = json.loads(json.dumps(state))
    return pipeline


def looked_up(result: Result) -> dict[str, str]:
    """The outcome of each address that has one."""
    return {record["email_address"]: record["status"] for record in result.records.get("lookups", [])}


def closing(result: Result) -> str:
    """What the last line of the log says of the round."""
    return result.stderr.splitlines()[-1].rpartition("| ")[2].partition(";")[0]


def level_of_closing(result: Result) -> str:
    """Its level."""
    return result.stderr.splitlines()[-1].split("|")[1].strip()


def test_a_whole_run_ends_its_round(pipeline: Pipeline) -> None:
    """Exit 0, the empty bookmark, and the next run asks every address again."""
    for _ in range(2):
        result = pipeline.run()
        assert result.returncode == 0
        assert closing(result) == "7 addresses: 7 found, 0 not found, 0 rejected, 0 failed, 0 not asked"
        assert level_of_closing(result) == "INFO"
        assert pipeline.bookmark == EMPTY
        assert sorted(pipeline.asked) == LISTED
        assert list(looked_up(result)) == LISTED
        assert "answered by earlier runs" not in result.stderr


def test_the_state_follows_each_address(pipeline: Pipeline) -> None:
    """A STATE comes after each address at the latest, never ahead of its `lookups` record."""
    result = pipeline.run()
    written = 0
    seen = []
    for message in result.messages:
        if message["type"] == "RECORD" and message["stream"] == "lookups":
            written += 1
        elif message["type"] == "STATE":
            seen.append(settled(message["value"]["bookmarks"]["lookups"]))
            assert seen[-1] in {written, 0}
    assert seen[-8:-1] == [0, 1, 2, 3, 4, 5, 6]
    assert seen[-1] == 0


@pytest.mark.parametrize("count", [0, 1])
def test_a_state_equal_to_the_first_one_is_written_too(pipeline: Pipeline, count: int) -> None:
    """The last message is a STATE, also on a quiet day, and in a round of one address, which ends as it began."""
    result = pipeline.run(email_addresses=LISTED[:count])

    assert result.messages[-1] == {"type": "STATE", "value": {"bookmarks": {"lookups": EMPTY}}}
    assert [message["type"] for message in result.messages].count("STATE") == 2


def test_a_limit_stops_the_run_and_the_next_goes_on(pipeline: Pipeline) -> None:
    """A daily quota ends the run with exit 1, one line that says when to come back, and a state that goes on."""
    pipeline.answers[LISTED[3]] = [LATER, Reply()]
    before = datetime.now(UTC).replace(microsecond=0)
    stopped = pipeline.run()
    assert stopped.returncode == 1
    assert looked_up(stopped) == dict.fromkeys(LISTED[:3], "found")
    assert closing(stopped) == "7 addresses: 3 found, 0 not found, 0 rejected, 0 failed, 4 not asked"
    assert level_of_closing(stopped) == "ERROR"
    (line,) = [line for line in stopped.stderr.splitlines() if "Run again after " in line]
    come_back = datetime.fromisoformat(line.partition("Run again after ")[2].split(";")[0])
    assert timedelta(hours=2) <= come_back - before < timedelta(hours=2, minutes=2)
    began = pipeline.bookmark["began"]

    finished = pipeline.run()
    assert finished.returncode == 0
    assert pipeline.asked == LISTED[3:]
    assert (
        f"asking 4 of 7 addresses; 3 were answered by earlier runs since {began}; "
        "run without state (Meltano: --full-refresh) to ask all"
    ) in finished.stderr
    assert closing(finished) == "7 addresses: 7 found, 0 not found, 0 rejected, 0 failed, 0 not asked"
    assert pipeline.bookmark == EMPTY


def test_a_list_cut_to_what_is_done_ends_its_round(halted: Pipeline) -> None:
    """Nothing is left to ask: the round is over, and the next run asks everyone on the list again."""
    cut = LISTED[:3]
    assert halted.run(email_addresses=cut).returncode == 0
    assert halted.asked == []
    assert halted.bookmark == EMPTY
    assert halted.run(email_addresses=cut).returncode == 0
    assert halted.asked == cut


@pytest.mark.parametrize("reply", [Reply(401), LATER], ids=["401", "429"])
def test_look_ups_before_the_stopping_place_are_finished(pipeline: Pipeline, reply: Reply) -> None:
    """Slower answers of earlier addresses are emitted; those in flight behind are dropped and asked again."""
    pipeline.answers |= {LISTED[1]: Reply(delay=1), LISTED[2]: [reply, Reply()], LISTED[3]: Reply(delay=0.5)}
    stopped = pipeline.run(max_concurrency=7, requests_per_second=20)
    assert stopped.returncode == 1
    assert list(looked_up(stopped)) == LISTED[:2]
    assert settled(pipeline.bookmark) == 2
    finished = pipeline.run()
    assert finished.returncode == 0
    assert sorted(pipeline.asked) == LISTED[2:]


def test_calls_in_flight_when_the_run_stops_are_counted(pipeline: Pipeline) -> None:
    """The run does not wait for their answers, but Gong has counted them."""
    pipeline.answers |= {LISTED[0]: Reply(401, delay=1), LISTED[1]: Reply(fault="hang")}
    result = pipeline.run(max_concurrency=2)
    assert len(pipeline.asked) == 2
    assert "; 2 calls, 0 of them further tries, " in result.stderr.splitlines()[-1]


def test_refused_credentials_stop_at_once(pipeline: Pipeline) -> None:
    """With a 401 one call is made, nothing is emitted, and the message says what to check."""
    result = pipeline.run(access_key_secret="wrong")
    assert result.returncode == 1
    assert len(pipeline.asked) == 1
    assert not looked_up(result)
    for named in ("401", "credentials", "api:data-privacy:read", "api_url"):
        assert named in result.stderr
    assert closing(result) == "7 addresses: 0 found, 0 not found, 0 rejected, 0 failed, 7 not asked"
    assert pipeline.run().returncode == 0
    assert len(pipeline.asked) == 7


def test_a_failed_address_is_owed_one_more_try(pipeline: Pipeline) -> None:
    """The run exits 1; the next asks that address alone, and however it went the round is over."""
    pipeline.answers[LISTED[2]] = DOWN
    first = pipeline.run()
    assert first.returncode == 1
    assert looked_up(first)[LISTED[2]] == "failed"
    assert closing(first) == "7 addresses: 6 found, 0 not found, 0 rejected, 1 failed, 0 not asked"
    assert kept(pipeline.bookmark)["owed"] == 1

    second = pipeline.run()
    assert second.returncode == 1
    assert pipeline.asked == [LISTED[2]]
    assert "asking 1 of 7 addresses; 6 were answered by earlier runs" in second.stderr
    assert closing(second) == "7 addresses: 6 found, 0 not found, 0 rejected, 1 failed, 0 not asked"
    assert pipeline.bookmark == EMPTY

    assert pipeline.run().returncode == 1
    assert sorted(pipeline.asked) == LISTED


def test_an_owed_address_that_is_answered_makes_the_round_whole(pipeline: Pipeline) -> None:
    """Then the exit code is 0: it speaks for the round."""
    pipeline.answers[LISTED[2]] = [DOWN, Reply()]
    assert pipeline.run().returncode == 1
    second = pipeline.run()
    assert second.returncode == 0
    assert looked_up(second) == {LISTED[2]: "found"}
    assert closing(second) == "7 addresses: 7 found, 0 not found, 0 rejected, 0 failed, 0 not asked"


def test_what_is_owed_is_asked_after_the_rest(pipeline: Pipeline) -> None:
    """The next run asks what was not reached first, in the list's order."""
    pipeline.answers |= {LISTED[0]: [DOWN, Reply()], LISTED[4]: [LATER, Reply()]}
    assert pipeline.run().returncode == 1
    result = pipeline.run()
    assert pipeline.asked == [*LISTED[4:], LISTED[0]]
    assert list(looked_up(result)) == [*LISTED[4:], LISTED[0]]
    assert result.returncode == 0


@pytest.mark.parametrize("tolerant", [False, True])
def test_the_exit_code_speaks_for_the_round(pipeline: Pipeline, tolerant: bool) -> None:  # noqa: FBT001
    """An address that an earlier run had rejected counts in the run that finishes the round, and is never owed."""
    pipeline.answers |= {LISTED[0]: Reply(400), LISTED[2]: [LATER, Reply()]}
    assert pipeline.run().returncode == 1
    result = pipeline.run(fail_on_rejected_address=not tolerant)
    assert pipeline.asked == LISTED[2:]
    assert closing(result) == "7 addresses: 6 found, 0 not found, 1 rejected, 0 failed, 0 not asked"
    assert result.returncode == (0 if tolerant else 1)
    assert pipeline.bookmark == EMPTY


def test_a_rejected_address_ends_the_round(pipeline: Pipeline) -> None:
    """Exit 1, but nothing is left for the next run: it asks all."""
    pipeline.answers[LISTED[0]] = Reply(400)
    assert pipeline.run().returncode == 1
    assert pipeline.bookmark == EMPTY


def test_an_outage_does_not_block_those_behind_it(pipeline: Pipeline) -> None:
    """Three failures in a row stop the run. The next run begins after them and asks them last."""
    pipeline.answers |= dict.fromkeys(LISTED[1:4], DOWN)
    stopped = pipeline.run()
    assert stopped.returncode == 1
    assert looked_up(stopped) == {LISTED[0]: "found", **dict.fromkeys(LISTED[1:4], "failed")}
    assert "3 addresses in a row failed (the last one: Gong answered 503)" in stopped.stderr
    assert closing(stopped) == "7 addresses: 1 found, 0 not found, 0 rejected, 3 failed, 3 not asked"

    behind = pipeline.run()
    assert list(looked_up(behind)) == [*LISTED[4:], *LISTED[1:4]]
    assert behind.returncode == 1
    assert closing(behind) == "7 addresses: 4 found, 0 not found, 0 rejected, 3 failed, 0 not asked"
    # All that was owed has had its try: the round is over.
    assert pipeline.bookmark == EMPTY


def test_an_outage_in_the_pass_over_what_is_owed_leaves_the_others(pipeline: Pipeline) -> None:
    """Those asked in it are owed no longer, the others still are, and no run repeats for ever."""
    odd = LISTED[:6:2] + LISTED[6:]
    pipeline.answers |= dict.fromkeys(odd, DOWN)
    assert pipeline.run().returncode == 1
    assert kept(pipeline.bookmark)["owed"] == 4
    second = pipeline.run()
    assert list(looked_up(second)) == odd[:3]
    assert second.returncode == 1
    assert "3 addresses in a row failed" in second.stderr
    assert kept(pipeline.bookmark)["owed"] == 1
    third = pipeline.run()
    assert list(looked_up(third)) == odd[3:]
    assert closing(third) == "7 addresses: 3 found, 0 not found, 0 rejected, 4 failed, 0 not asked"
    assert pipeline.bookmark == EMPTY


@pytest.mark.parametrize("count", [1, 2, 5])
def test_refusals_from_the_beginning_stop_the_run(pipeline: Pipeline, count: int) -> None:
    """Three in a row, or all of a shorter list, end with the status, the scope and `api_url`."""
    pipeline.answers["*"] = Reply(403)
    result = pipeline.run(email_addresses=LISTED[:count])
    assert result.returncode == 1
    assert len(looked_up(result)) == min(count, 3)
    for named in ("403", "api:data-privacy:read", "api_url"):
        assert named in result.stderr


def assert_started_over(pipeline: Pipeline, result: Result, reason: str) -> None:
    """The run asks about every address, and logs why and what that costs."""
    assert sorted(pipeline.asked) == LISTED
    assert "3 look-ups" in result.stderr
    assert "Starting over" in result.stderr
    assert reason in result.stderr
    assert "answered by earlier runs" not in result.stderr


@pytest.mark.parametrize(
    "listed",
    [LISTED[::-1], ["new@x.example", *LISTED[1:]], LISTED[2:], LISTED * 2],
    ids=["reversed", "renamed", "removed", "twice"],
)
def test_a_changed_list_goes_on(halted: Pipeline, listed: list[str]) -> None:
    """Those who were asked in this round are not asked again, wherever they are on the list now."""
    result = halted.run(email_addresses=listed)
    assert halted.asked == [address for address in dict.fromkeys(listed) if address not in LISTED[:3]]
    assert closing(result) == (
        f"{len(set(listed))} addresses: {len(set(listed))} found, 0 not found, 0 rejected, 0 failed, 0 not asked"
    )
    assert halted.bookmark == EMPTY


def test_an_appended_list_goes_on(halted: Pipeline) -> None:
    """New entries at the end of the list are asked in the same round."""
    result = halted.run(email_addresses=[*LISTED, "new@x.example"])
    assert sorted(halted.asked) == sorted([*LISTED[3:], "new@x.example"])
    assert closing(result) == "8 addresses: 8 found, 0 not found, 0 rejected, 0 failed, 0 not asked"


@pytest.mark.parametrize(
    "settings",
    [
        {"stream_maps": {"emails": {"mailbox": "__NULL__"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
    ids=["stream_maps", "flattening"],
)
def test_another_shape_of_the_output_starts_over(halted: Pipeline, settings: dict[str, object]) -> None:
    """What was written so far has another shape: all are asked, and the run says why."""
    assert_started_over(halted, halted.run(**settings), "stream maps")


def test_another_api_url_starts_over(halted: Pipeline) -> None:
    """A new `api_url` starts the round over, because that Gong has answered nothing yet."""
    result = halted.run(api_url=halted.sandbox.url.replace("127.0.0.1", "localhost"))
    assert_started_over(halted, result, "api_url")


@pytest.mark.parametrize("breadcrumb", [[], ["properties", "mailbox"]], ids=["stream", "field"])
def test_another_selection_starts_over(halted: Pipeline, breadcrumb: list[str]) -> None:
    """A stream, or a field, that was not selected before has not been written."""
    halted.catalog = halted.discover()
    (emails,) = [stream for stream in halted.catalog["streams"] if stream["stream"] == "emails"]
    (entry,) = [entry for entry in emails["metadata"] if entry["breadcrumb"] == breadcrumb]
    entry["metadata"]["selected"] = False
    result = halted.run()
    assert_started_over(halted, result, "selection")
    assert result.returncode == 0
    if breadcrumb:
        assert all("mailbox" not in record for record in result.records["emails"])
    else:
        assert "emails" not in result.records


def test_a_new_token_goes_on(halted: Pipeline) -> None:
    """Credentials, pace and retries shape no output, nor does a catalog that selects all: a token changes daily."""
    halted.catalog = halted.discover()
    result = halted.run(
        access_key="",
        access_key_secret="",
        access_token=halted.sandbox.access_token,
        max_concurrency=2,
        max_retries=4,
        requests_per_second=500,
        fail_on_rejected_address=False,
    )
    assert sorted(halted.asked) == LISTED[3:]
    assert "Starting over" not in result.stderr
    assert result.returncode == 0


@pytest.mark.parametrize(
    "change",
    [{"found": None}, {"owed": [9]}, {"found": "AAAA"}, {"began": "yesterday"}],
    ids=["null", "list", "length", "time"],
)
def test_broken_state_starts_over(halted: Pipeline, change: dict[str, object]) -> None:
    """Broken state starts over, and a warning says so."""
    halted.bookmark.update(change)
    result = halted.run()
    assert halted.asked == LISTED
    assert "starting over" in result.stderr
    assert result.returncode == 0


@pytest.mark.parametrize(
    "state",
    [
        [],
        7,
        {"bookmarks": None},
        {"bookmarks": {"lookups": {"replication_key": "id", "replication_key_value": "7"}}},
        {"bookmarks": {"other": {"found": "AAAAAAAAAAA="}}},
    ],
    ids=range(5),
)
def test_foreign_state_starts_over(pipeline: Pipeline, state: object) -> None:
    """JSON of any other shape causes no failure, and no address is skipped."""
    pipeline.state = state
    result = pipeline.run(email_addresses=LISTED[:2])
    assert result.returncode == 0
    assert sorted(pipeline.asked) == LISTED[:2]
    assert pipeline.bookmark == EMPTY


def test_a_spent_budget_is_a_planned_stop(pipeline: Pipeline) -> None:
    """Each run makes so many calls, exits 0 with its closing line as a warning, and the last ends the round."""
    for done, exit_level in ((3, "WARNING"), (6, "WARNING"), (7, "INFO")):
        result = pipeline.run(max_requests_per_run=3)
        assert result.returncode == 0
        assert pipeline.asked == LISTED[max(0, done - 3 if done < 7 else 6) : done]
        assert level_of_closing(result) == exit_level
        assert closing(result) == f"7 addresses: {done} found, 0 not found, 0 rejected, 0 failed, {7 - done} not asked"
    assert pipeline.bookmark == EMPTY


def test_a_budget_that_is_exactly_enough_finishes_the_round(pipeline: Pipeline) -> None:
    """The last call of the budget is the last of the list."""
    assert pipeline.run(max_requests_per_run=7).returncode == 0
    assert pipeline.bookmark == EMPTY


def test_every_try_counts_and_what_the_budget_cuts_off_is_owed(pipeline: Pipeline) -> None:
    """A look-up cut off after a fault ends `failed`; a run whose budget is spent exits 0 all the same."""
    pipeline.answers[LISTED[1]] = DOWN
    result = pipeline.run(max_requests_per_run=3, max_retries=5)
    assert pipeline.asked == [LISTED[0], LISTED[1], LISTED[1]]
    assert looked_up(result) == {LISTED[0]: "found", LISTED[1]: "failed"}
    assert result.returncode == 0
    assert level_of_closing(result) == "WARNING"
    assert kept(pipeline.bookmark)["owed"] == 1
    pipeline.answers.clear()
    finished = pipeline.run()
    assert list(looked_up(finished)) == [*LISTED[2:], LISTED[1]]
    assert finished.returncode == 0


def test_a_429_counts_too(pipeline: Pipeline) -> None:
    """A look-up that met nothing but a limit counts as not asked."""
    pipeline.answers[LISTED[1]] = [Reply(429, headers={"Retry-After": "0"})]
    result = pipeline.run(max_requests_per_run=4)
    assert Counter(pipeline.asked) == {LISTED[0]: 1, LISTED[1]: 3}
    assert list(looked_up(result)) == LISTED[:1]
    assert result.returncode == 0
    assert settled(pipeline.bookmark) == 1


def test_a_limit_of_gongs_is_no_planned_stop(pipeline: Pipeline) -> None:
    """A run whose last call meets refused credentials exits 1, though the budget is spent."""
    result = pipeline.run(max_requests_per_run=1, access_key_secret="wrong")
    assert result.returncode == 1
    assert len(pipeline.asked) == 1


def test_a_list_may_be_spent_over_days_with_failures(pipeline: Pipeline) -> None:
    """With a budget of two calls, and one address that never answers, each address is asked, the bad one twice."""
    pipeline.answers[LISTED[2]] = DOWN
    asked: Counter[str] = Counter()
    for _ in range(4):
        assert pipeline.run(max_requests_per_run=2).returncode == 0
        asked.update(pipeline.asked)
    assert asked == {**dict.fromkeys(LISTED, 1), LISTED[2]: 2}
    assert pipeline.bookmark == EMPTY


def test_a_connection_test_does_not_change_the_state(halted: Pipeline) -> None:
    """`--test` asks the first two addresses at most, and writes no STATE that would end a round."""
    halted.sandbox.calls.clear()
    result = run_tap({**halted.sandbox.config, **halted.settings}, "--test")
    assert result.returncode == 0
    assert halted.asked in (LISTED[:1], LISTED[:2])
    assert not result.states


def test_newcomers_are_asked_by_the_next_run(pipeline: Pipeline) -> None:
    """Wherever they are on the list, before the owed; those who left the list count no longer."""
    pipeline.answers |= {LISTED[1]: [DOWN, Reply()], LISTED[4]: [LATER, Reply()]}
    assert pipeline.run().returncode == 1
    listed = ["new1@x.example", *LISTED[:0:-1], "new2@x.example"]
    result = pipeline.run(email_addresses=listed)
    assert pipeline.asked == ["new1@x.example", *LISTED[:3:-1], "new2@x.example", LISTED[1]]
    assert closing(result) == "8 addresses: 8 found, 0 not found, 0 rejected, 0 failed, 0 not asked"
    assert result.returncode == 0
    assert pipeline.bookmark == EMPTY


def test_a_round_rests_until_the_next_is_due(pipeline: Pipeline) -> None:
    """Until then only new and owed addresses are asked. After that a new round asks all."""
    pipeline.settings["days_between_rounds"] = 30
    pipeline.answers[LISTED[0]] = [DOWN, Reply()]
    assert pipeline.run().returncode == 1
    listed = [*LISTED, "new@x.example"]
    assert pipeline.run(email_addresses=listed).returncode == 0
    assert pipeline.asked == ["new@x.example", LISTED[0]]

    resting = pipeline.run(email_addresses=listed)
    assert (resting.returncode, pipeline.asked) == (0, [])
    assert set(resting.schemas) == set(resting.records)
    assert len(resting.schemas) == 6
    assert closing(resting) == "8 addresses: 8 found, 0 not found, 0 rejected, 0 failed, 0 not asked"
    assert pipeline.bookmark["completed"]

    began = datetime.fromisoformat(pipeline.bookmark["began"])
    pipeline.bookmark["began"] = (began - timedelta(days=29, hours=23)).isoformat().replace("+00:00", "Z")
    pipeline.run(email_addresses=listed)
    assert pipeline.asked == []
    pipeline.bookmark["began"] = (began - timedelta(days=30)).isoformat().replace("+00:00", "Z")
    due = pipeline.run(email_addresses=listed)
    assert pipeline.asked == listed
    assert due.returncode == 0
    assert "Starting over" not in due.stderr


@pytest.mark.parametrize("name", ["", "list.txt", "list.csv"], ids=["setting", "text", "csv"])
def test_a_quiet_day_is_no_error(halted: Pipeline, name: str) -> None:
    """An empty list says so at WARNING, writes its SCHEMAs, exits 0, and leaves the round under way as it was."""
    path = halted.folder / name
    given: dict[str, object] = {"email_addresses": []}
    if name:
        path.write_text("email_address\n" if name == "list.csv" else "# nobody today\n\n")
        given = {"email_addresses": None, "email_addresses_file": str(path)}
    before = dict(halted.bookmark)
    result = halted.run(**given)
    assert result.returncode == 0
    assert halted.asked == []
    assert len(result.schemas) == 6
    assert halted.bookmark == before
    (line,) = [line for line in result.stderr.splitlines() if "holds no address" in line]
    assert "| WARNING " in line
    assert halted.run().returncode == 0
    assert halted.asked == LISTED[3:]


def test_no_list_at_all_is_an_error(pipeline: Pipeline) -> None:
    """Neither setting given: a misspelt variable must not pass for a quiet day."""
    result = pipeline.run(email_addresses=None)
    assert result.returncode == 1
    assert not result.stdout
    last = result.stderr.splitlines()[-1]
    assert "| ERROR " in last
    assert "email_addresses_file" in last


def test_malformed_entries_leave_evidence_and_stop_nothing(pipeline: Pipeline) -> None:
    """A row in their place, once in a round, without a call; a warning names the places; the exit code is 0."""
    pipeline.settings["fail_on_malformed_address"] = False
    pipeline.settings["email_addresses"] = [LISTED[0], "SMTP:a@b.example", " ", LISTED[1], "nobody", LISTED[2]]
    pipeline.answers[LISTED[1]] = [LATER, Reply()]
    first = pipeline.run()
    assert looked_up(first) == {LISTED[0]: "found", "SMTP:a@b.example": "malformed"}
    assert closing(first) == "3 addresses: 1 found, 0 not found, 0 rejected, 0 failed, 2 not asked, 1 malformed"
    row = first.records["lookups"][1]
    assert (row["attempts"], row["http_status"], row["emails_count"]) == (0, None, None)
    assert row["api_url"] == pipeline.sandbox.url

    second = pipeline.run()
    assert second.returncode == 0
    assert list(looked_up(second)) == [LISTED[1], "nobody", LISTED[2]]
    assert pipeline.asked == LISTED[1:3]
    assert closing(second) == "3 addresses: 3 found, 0 not found, 0 rejected, 0 failed, 0 not asked, 2 malformed"
    (warning,) = [line for line in second.stderr.splitlines() if "Not an e-mail address" in line]
    for place in ("entry 2", "entry 3", "entry 5"):
        assert place in warning
    assert pipeline.bookmark == EMPTY


@pytest.mark.parametrize("concurrency", [2, 8])
def test_an_address_that_meets_429_by_itself_blocks_no_other(pipeline: Pipeline, concurrency: int) -> None:
    """The address ends failed after its further tries, and those after it are answered."""
    pipeline.answers[LISTED[1]] = Reply(429, headers={"Retry-After": "0"})
    listed = [f"p{place}@x.example" for place in range(1, 31)]
    result = pipeline.run(email_addresses=listed, max_concurrency=concurrency, max_retries=2)
    assert result.returncode == 1
    assert looked_up(result) == {**dict.fromkeys(listed, "found"), LISTED[1]: "failed"}
    assert list(looked_up(result)) == listed


def test_an_expression_that_fails_leaves_the_last_state(pipeline: Pipeline) -> None:
    """The run stops with a clear message, and the next one asks what is unfinished, even if the state is large."""
    listed = [f"p{place}@x.example" for place in range(450)]
    pipeline.answers[listed[-1]] = Reply(body={"emails": [{"id": "x", "mailbox": None}]})
    pipeline.settings |= {"stream_maps": {"emails": {"mailbox": "mailbox.lower()"}}, "email_addresses": listed}
    stopped = pipeline.run()
    assert stopped.returncode == 1
    assert "an expression of stream_maps failed" in stopped.stderr
    assert settled(pipeline.bookmark) == 449
    pipeline.answers.clear()
    pipeline.run()
    assert pipeline.asked == listed[-1:]


LARGE = int(os.environ.get("LARGE_LIST", "1200"))
"""The addresses of the test of large states. The contract's own figures: 20,000, and 10,000 look-ups in one run."""


def test_a_large_list_that_changes_costs_no_call_and_little_state(pipeline: Pipeline) -> None:
    """Half is done in one run; reversed and with one removed, the rest is asked once, and STATE lines stay small."""
    listed = [f"p{place}@x.example" for place in range(LARGE)]
    half = LARGE // 2
    pipeline.sandbox.daily_quota = 0
    fast = {"requests_per_second": 100_000, "max_concurrency": 8}
    first = pipeline.run(email_addresses=listed, max_requests_per_run=half, **fast)
    assert pipeline.bookmark["found"]
    done = set(looked_up(first))
    assert len(done) == half
    sizes = [len(line) for line in first.lines if '"STATE"' in line]
    assert sum(sizes) < 6_000 * half
    assert max(sizes) < 500 + 11 * half
    # Below 4 kB a STATE follows each address; above, most addresses have none.
    assert 300 < len(sizes) < half
    report = f"{half} look-ups: {len(sizes)} STATE lines, {sum(sizes)} bytes in all, the largest {max(sizes)}\n"
    sys.stdout.write(report)

    changed = listed[::-1]
    changed.remove(listed[0])
    second = pipeline.run(email_addresses=changed, **fast)
    assert second.returncode == 0
    assert Counter(pipeline.asked) == Counter(address for address in changed if address not in done)
    assert pipeline.bookmark == EMPTY
