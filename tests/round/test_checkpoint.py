"""Rounds: whom each run asks, what the state holds, and that no state hides an address that it does not prove done."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_gong_privacy.gong.outcomes import Status
from tap_gong_privacy.round import checkpoint
from tap_gong_privacy.round.addresses import Entry
from tap_gong_privacy.round.checkpoint import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ADDRESSES = tuple(f"a{place}@x.example" for place in range(1, 7))
OUTPUT = '{"api_url": "https://api.gong.io"}'
KEYS = {
    "began",
    "completed",
    "salt",
    "output_digest",
    "found",
    "not_found",
    "rejected",
    "failed",
    "malformed",
    "owed",
}
FOUND, NOT_FOUND, REJECTED, FAILED, MALFORMED = Status
MONDAY = datetime(2025, 6, 2, 3, 4, 5, 678_901, tzinfo=UTC)
DAY = timedelta(days=1)


def entries(texts: Iterable[str]) -> list[Entry]:
    """The entries of a list. Those without an at sign are malformed."""
    return [Entry(text, is_malformed="@" not in text) for text in texts]


def round_of(
    listed: Sequence[str] = ADDRESSES,
    bookmark: object = None,
    output: str = OUTPUT,
    days: float = 0,
    now: datetime = MONDAY,
) -> Round:
    """The round that a run makes of a list and of a bookmark, which went through JSON."""
    read = checkpoint.readable(json.loads(json.dumps(bookmark)))
    return Round(entries(listed), output, read, days_between_rounds=days, now=now)


def asked(round_: Round, *statuses: Status) -> Round:
    """The round after its first entries ended with these outcomes."""
    for entry, status in zip(round_.to_do, statuses, strict=False):
        round_.record(entry, status)
    return round_


def to_do(round_: Round) -> list[str]:
    """What a run does, as texts."""
    return [entry.text for entry in round_.to_do]


def half_done(**more: Any) -> checkpoint.Bookmark:  # noqa: ANN401 - the arguments of `round_of`
    """A bookmark after four of six addresses, the second of which is owed."""
    return asked(round_of(**more), FOUND, FAILED, REJECTED, NOT_FOUND).bookmark()


def test_a_round_goes_on_where_it_was() -> None:
    """Addresses with an outcome are not asked again, and those owed a second try come last."""
    round_ = round_of(bookmark=half_done())

    assert to_do(round_) == [*ADDRESSES[4:], ADDRESSES[1]]
    assert round_.first_owed == 2
    assert round_.not_asked == 2
    assert round_.is_resumed
    assert not round_.started_over
    assert round_.summary() == "6 addresses: 1 found, 1 not found, 1 rejected, 1 failed, 2 not asked"


def test_a_round_keeps_the_time_at_which_it_began() -> None:
    """The time stays the same, however many runs the round takes."""
    first = half_done(now=MONDAY)
    second = asked(round_of(bookmark=first, now=MONDAY + DAY), FOUND)
    assert round_of(bookmark=second.bookmark(), now=MONDAY + 2 * DAY).began == "2025-06-02T03:04:05Z"


CHANGES: dict[str, tuple[list[str], list[str]]] = {
    # Of a round in which a1, a3 and a4 are done, a2 is owed, and a5 and a6 were not asked: the list, and what to do.
    "unchanged": (["a1", "a2", "a3", "a4", "a5", "a6"], ["a5", "a6", "a2"]),
    "appended": (["a1", "a2", "a3", "a4", "a5", "a6", "new"], ["a5", "a6", "new", "a2"]),
    "prepended": (["new", "a1", "a2", "a3", "a4", "a5", "a6"], ["new", "a5", "a6", "a2"]),
    "inserted": (["a1", "new", "a2", "a3", "a4", "a5", "new2", "a6"], ["new", "a5", "new2", "a6", "a2"]),
    "done_removed": (["a2", "a3", "a4", "a5", "a6"], ["a5", "a6", "a2"]),
    "unasked_removed": (["a1", "a2", "a3", "a4", "a6"], ["a6", "a2"]),
    "owed_removed": (["a1", "a3", "a4", "a5", "a6"], ["a5", "a6"]),
    "renamed": (["A1", "a2", "a3", "a4", "a5", "a6"], ["A1", "a5", "a6", "a2"]),
    "moved": (["a5", "a2", "a3", "a6", "a4", "a1"], ["a5", "a6", "a2"]),
    "reversed": (["a6", "a5", "a4", "a3", "a2", "a1"], ["a6", "a5", "a2"]),
    "twice": (["a1", "a2", "a5", "a3", "a4", "a5", "a6", "a2"], ["a5", "a6", "a2"]),
    "all_replaced": (["b1", "b2"], ["b1", "b2"]),
    "cut_to_those_done": (["a1", "a3", "a4"], []),
}


@pytest.mark.parametrize("texts, expected", CHANGES.values(), ids=CHANGES)
def test_the_list_may_change_in_any_way(texts: list[str], expected: list[str]) -> None:
    """Nobody is asked for a second time or passed over, and tallies are those of the list as it is now."""
    listed = [f"{text}@x.example" for text in texts]
    round_ = round_of(listed, half_done())

    assert to_do(round_) == [f"{text}@x.example" for text in expected]
    assert round_.total == len(set(texts))
    assert round_.not_asked == len(set(texts) - {"a1", "a2", "a3", "a4"})
    assert round_.tallies == {
        FOUND: texts.count("a1"),
        NOT_FOUND: texts.count("a4"),
        REJECTED: texts.count("a3"),
        FAILED: int("a2" in texts),
        MALFORMED: 0,
    }
    assert round_.is_resumed == (not {"a1", "a2", "a3", "a4"}.isdisjoint(texts))
    assert not round_.started_over


def test_someone_who_comes_back_to_the_list_is_not_asked_again() -> None:
    """The state keeps outcomes of people who are off the list until the round ends."""
    without = asked(round_of(ADDRESSES[2:], half_done()), FOUND).bookmark()
    assert to_do(round_of(ADDRESSES, without)) == [ADDRESSES[5], ADDRESSES[1]]


@pytest.mark.parametrize("again", [FOUND, NOT_FOUND, REJECTED, FAILED])
def test_an_owed_address_is_owed_no_longer_however_its_second_try_went(again: Status) -> None:
    """It counts with the outcome of the last try, and the round ends."""
    first = asked(round_of(), FAILED, *[FOUND] * 5)
    round_ = round_of(bookmark=first.bookmark())
    assert to_do(round_) == [ADDRESSES[0]]
    assert round_.first_owed == 0

    asked(round_, again)
    assert round_.tallies == {status: (status is again) + 5 * (status is FOUND) for status in Status}
    assert checkpoint.is_empty(round_.bookmark())


def test_a_second_failure_is_final_within_the_round() -> None:
    """An address that failed twice is not owed again while the round goes on."""
    first = asked(round_of(), FAILED, FAILED).bookmark()
    round_ = round_of(bookmark=first)
    asked(round_, *[FOUND] * 3, FAILED, FAILED)

    later = round_of(bookmark=round_.bookmark())
    assert to_do(later) == [ADDRESSES[1], ADDRESSES[5]]
    assert later.tallies[FAILED] == 3
    asked(later, FAILED)
    assert to_do(round_of(bookmark=later.bookmark())) == [ADDRESSES[5]]


def test_a_rejected_address_is_never_owed() -> None:
    """It does not keep a round open."""
    assert checkpoint.is_empty(asked(round_of(), *[REJECTED] * 6).bookmark())


def test_the_end_of_a_round_empties_each_key() -> None:
    """Never `{}`, never a missing key, never null: Meltano would keep the old state."""
    bookmark = asked(round_of(), *[FOUND] * 6).bookmark()

    assert bookmark == dict.fromkeys(KEYS, "")
    assert checkpoint.is_empty(bookmark)
    assert not round_of(bookmark=bookmark).is_resumed
    assert not round_of(bookmark=bookmark).started_over


@pytest.mark.parametrize("days", [0, 30])
@pytest.mark.parametrize("done", range(7))
def test_a_bookmark_has_the_same_keys_and_types_at_every_moment(done: int, days: float) -> None:
    """Each value is a text."""
    statuses = [FAILED, FOUND, REJECTED, NOT_FOUND, FAILED, FOUND][:done]
    bookmark = asked(round_of(days=days), *statuses).bookmark()
    assert bookmark.keys() == KEYS
    assert {type(value) for value in bookmark.values()} == {str}


def test_what_gong_answered_is_known_for_the_whole_round() -> None:
    """Answers about people who are off the list count, failures do not."""
    assert not asked(round_of(), FAILED, FAILED).is_answered
    round_ = asked(round_of(), REJECTED)
    assert round_.is_answered
    assert round_of(["new@x.example"], round_.bookmark()).is_answered


def test_addresses_are_named_by_their_place() -> None:
    """Places count the addresses of the list from 1, without malformed entries and duplicates."""
    listed = ["wrong", "a@x", "b@x", "a@x", "also wrong", "c@x"]
    round_ = round_of(listed)
    asked(round_, MALFORMED, FAILED, FOUND, MALFORMED, FAILED)

    assert [round_.place_of(entry) for entry in entries(["a@x", "b@x", "c@x"])] == [1, 2, 3]
    assert round_.places(FAILED) == [1, 3]
    assert round_.places(FOUND) == [2]
    assert round_.places(MALFORMED) == []


def test_malformed_entries_are_done_once_in_each_round_in_their_place() -> None:
    """They count in no total and are never owed."""
    listed = ["wrong", "a@x", "also wrong", "b@x"]
    round_ = round_of(listed)
    assert to_do(round_) == listed
    assert (round_.total, round_.not_asked) == (2, 2)
    asked(round_, MALFORMED, FOUND)

    round_ = round_of([*listed, "new wrong"], round_.bookmark())
    assert to_do(round_) == ["also wrong", "b@x", "new wrong"]
    assert round_.summary() == "2 addresses: 1 found, 0 not found, 0 rejected, 0 failed, 1 not asked, 1 malformed"
    asked(round_, MALFORMED, FOUND)
    assert not checkpoint.is_empty(round_.bookmark())
    asked(round_of([*listed, "new wrong"], round_.bookmark()), MALFORMED)
    round_.record(round_.to_do[2], MALFORMED)
    assert round_.summary() == "2 addresses: 2 found, 0 not found, 0 rejected, 0 failed, 0 not asked, 3 malformed"
    assert checkpoint.is_empty(round_.bookmark())


def test_an_entry_may_hold_half_a_character() -> None:
    """JSON can bring a lone surrogate, which has no form in UTF-8."""
    listed = ["\ud800", "a@x"]
    assert to_do(round_of(listed, asked(round_of(listed), MALFORMED).bookmark())) == ["a@x"]


@pytest.mark.parametrize("days", [0, 30])
def test_a_list_of_malformed_entries_does_not_end_a_round(days: float) -> None:
    """The next run does not repeat the malformed entries, and goes on with the round."""
    round_ = asked(round_of(["wrong"], half_done(), days=days), MALFORMED)
    round_ = round_of(["wrong"], round_.bookmark(), days=days)
    assert to_do(round_) == []
    assert to_do(round_of(ADDRESSES, round_.bookmark(), days=days)) == [*ADDRESSES[4:], ADDRESSES[1]]


@pytest.mark.parametrize("days", [0, 30])
def test_malformed_entries_alone_drop_no_outcome_if_the_output_differs(days: float) -> None:
    """Nobody would be asked again, so the state stays as it is."""
    before = half_done()
    round_ = asked(round_of(["wrong"], before, output="another", days=days), MALFORMED)
    assert not round_.started_over
    assert round_.bookmark() == before


def test_a_state_that_claims_an_outcome_of_the_wrong_kind_proves_nothing() -> None:
    """An address that the state calls malformed is asked; a malformed entry that it calls found is reported."""
    state = half_done() | {"found": "", "rejected": "", "not_found": "", "owed": ""}
    claimed = asked(round_of(), FOUND, FAILED).bookmark()
    state |= {key: claimed[key] for key in ("salt", "output_digest")}
    round_ = round_of(bookmark=state | {"malformed": claimed["found"], "not_found": claimed["owed"]})
    assert to_do(round_) == [ADDRESSES[0], *ADDRESSES[2:]]
    asked(round_, FAILED)
    assert to_do(round_of(bookmark=round_.bookmark()))[-1] == ADDRESSES[0]

    wrong = asked(round_of(["wrong"]), MALFORMED).bookmark()
    for kind in ("found", "failed", "owed"):
        round_ = round_of(["wrong", *ADDRESSES], wrong | {"malformed": "", kind: wrong["malformed"]})
        assert to_do(round_) == ["wrong", *ADDRESSES]
        assert not any(round_.tallies.values())
        asked(round_, MALFORMED)
        assert round_.bookmark()["malformed"] == wrong["malformed"]
        assert round_.bookmark()[kind] == ""


@pytest.mark.parametrize("days", [0, 30])
@pytest.mark.parametrize("output", [OUTPUT, "another"])
def test_an_empty_list_leaves_the_state_as_it_is(days: float, output: str) -> None:
    """A quiet day ends no round, and makes none start over."""
    state = half_done(days=days)
    round_ = round_of([], state, output, days, MONDAY + 100 * DAY)
    assert round_.bookmark() == state
    assert not round_.started_over
    assert round_.summary() == "0 addresses: 0 found, 0 not found, 0 rejected, 0 failed, 0 not asked"
    assert checkpoint.is_empty(round_of([], None).bookmark())


def test_another_output_starts_over_and_says_what_that_costs() -> None:
    """Only addresses of the list that would not have been asked anyway count."""
    old = asked(round_of(["wrong", *ADDRESSES]), MALFORMED, FOUND, FAILED, REJECTED, NOT_FOUND).bookmark()
    round_ = round_of(["wrong", *ADDRESSES[1:]], old, "another", now=MONDAY + DAY)

    assert round_.started_over
    assert round_.lost_outcomes == 2
    assert to_do(round_) == ["wrong", *ADDRESSES[1:]]
    assert round_.began == "2025-06-03T03:04:05Z"
    assert not round_.is_resumed
    assert not round_.is_answered
    assert round_.summary() == "5 addresses: 0 found, 0 not found, 0 rejected, 0 failed, 5 not asked"
    asked(round_, MALFORMED, FOUND)
    assert round_.bookmark()["salt"] != old["salt"]
    assert (round_.bookmark()["owed"], round_.bookmark()["rejected"]) == ("", "")


def test_a_round_that_starts_over_keeps_the_old_state_until_it_has_an_outcome() -> None:
    """So a wrong setting that is corrected in time costs nothing."""
    old = half_done()
    assert round_of(bookmark=old, output="another").bookmark() == old


def test_a_bookmark_belongs_to_its_caller() -> None:
    """The SDK's state is cleared and filled in place; a round does not lose the bookmark that it began with."""
    state = checkpoint.empty()
    round_ = Round(entries(ADDRESSES), OUTPUT, state, now=MONDAY)
    state.clear()
    round_.bookmark().clear()
    assert round_.bookmark() == checkpoint.empty()


def test_another_version_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is part of the output's digest, not a key."""
    bookmark = half_done()
    monkeypatch.setattr(checkpoint, "_VERSION", b"another")
    assert round_of(bookmark=bookmark).started_over


class TestRest:
    """Rounds that rest for some days between two of them."""

    def complete(self, days: float = 30, listed: Sequence[str] = ADDRESSES) -> checkpoint.Bookmark:
        """The bookmark of a round that began on Monday, and in which each address was found."""
        return asked(round_of(listed, days=days), *[FOUND] * len(listed)).bookmark()

    def test_a_complete_round_rests_until_its_days_are_over(self) -> None:
        """Until the last second nobody is asked; then everybody is, in a new round with a new salt."""
        state = self.complete()
        for later in (DAY, 30 * DAY - timedelta(seconds=1)):
            round_ = round_of(bookmark=state, days=30, now=MONDAY + later)
            assert to_do(round_) == []
            assert round_.summary() == "6 addresses: 6 found, 0 not found, 0 rejected, 0 failed, 0 not asked"
            assert round_.bookmark() == state

        round_ = round_of(bookmark=state, days=30, now=MONDAY + 30 * DAY)
        assert to_do(round_) == list(ADDRESSES)
        assert round_.began == "2025-07-02T03:04:05Z"
        assert not round_.is_resumed
        assert not round_.started_over
        assert asked(round_, FOUND).bookmark()["salt"] != state["salt"]

    def test_a_newcomer_is_asked_at_once_and_the_others_are_not(self) -> None:
        """If the newcomer fails, the next run gives it its second try."""
        round_ = round_of([*ADDRESSES, "new@x.example"], self.complete(), days=30, now=MONDAY + DAY)
        assert to_do(round_) == ["new@x.example"]
        asked(round_, FAILED)
        round_ = round_of([*ADDRESSES, "new@x.example"], round_.bookmark(), days=30, now=MONDAY + 2 * DAY)
        assert to_do(round_) == ["new@x.example"]

    def test_a_newcomer_each_day_does_not_keep_a_round_alive(self) -> None:
        """Once complete, a round ends on time, even if addresses are unasked or owed by then."""
        state = self.complete()
        for newcomer, status in (("new@x.example", FAILED), ("new2@x.example", FOUND)):
            listed = [*ADDRESSES, newcomer]
            assert to_do(round_of(listed, state, days=30, now=MONDAY + 30 * DAY)) == listed
            state = asked(round_of(listed, state, days=30, now=MONDAY + 29 * DAY), status).bookmark()
            assert to_do(round_of(listed, state, days=30, now=MONDAY + 30 * DAY)) == listed

    def test_a_round_that_was_never_complete_goes_on_after_its_days(self) -> None:
        """A new round begins only after every address has had its turn, and then without delay."""
        round_ = round_of(bookmark=half_done(days=30), days=30, now=MONDAY + 40 * DAY)
        assert to_do(round_) == [*ADDRESSES[4:], ADDRESSES[1]]
        asked(round_, FOUND, FOUND, FOUND)
        assert to_do(round_of(bookmark=round_.bookmark(), days=30, now=MONDAY + 41 * DAY)) == list(ADDRESSES)

    def test_a_new_round_keeps_the_old_state_until_it_has_an_outcome(self) -> None:
        """A run that is stopped before its first answer changes nothing."""
        state = self.complete()
        assert round_of(bookmark=state, days=30, now=MONDAY + 31 * DAY).bookmark() == state

    def test_a_list_cut_to_those_done_completes_the_round(self) -> None:
        """The round ends although that run asks about no address."""
        state = round_of(ADDRESSES[:1], half_done(days=30), days=30, now=MONDAY + DAY).bookmark()
        assert to_do(round_of(ADDRESSES[:1], state, days=30, now=MONDAY + 29 * DAY)) == []
        assert to_do(round_of(ADDRESSES[:1], state, days=30, now=MONDAY + 30 * DAY)) == [ADDRESSES[0]]

    def test_from_days_to_none_everybody_is_asked_by_the_next_run(self) -> None:
        """A round at rest ends at once, one under way goes on."""
        assert to_do(round_of(bookmark=self.complete(), days=0, now=MONDAY)) == list(ADDRESSES)
        under_way = half_done(days=30)
        assert to_do(round_of(bookmark=under_way, days=0, now=MONDAY)) == [*ADDRESSES[4:], ADDRESSES[1]]

    def test_from_none_to_days_the_round_under_way_rests_once_complete(self) -> None:
        """Its days count from when it began."""
        round_ = asked(round_of(bookmark=half_done(days=0), days=30, now=MONDAY + DAY), FOUND, FOUND, FOUND)
        assert to_do(round_of(bookmark=round_.bookmark(), days=30, now=MONDAY + 29 * DAY)) == []
        assert to_do(round_of(bookmark=round_.bookmark(), days=30, now=MONDAY + 30 * DAY)) == list(ADDRESSES)

    @pytest.mark.parametrize("days", [0.5, 1e300, float("inf"), 10**400])
    def test_days_may_be_a_fraction_or_more_than_any_calendar_has(self, days: float) -> None:
        """No setting overflows."""
        round_ = round_of(bookmark=self.complete(days), days=days, now=MONDAY + DAY / 2)
        assert to_do(round_) == (list(ADDRESSES) if days == 0.5 else [])

    def test_a_clock_that_was_ahead_does_not_put_off_the_next_round(self) -> None:
        """Nobody is asked at once, but the days count from now."""
        state = self.complete() | {"began": "2999-01-01T00:00:00Z", "completed": "2999-01-02T00:00:00Z"}
        round_ = round_of(bookmark=state, days=30, now=MONDAY)
        assert to_do(round_) == []
        assert round_.began == "2025-06-02T03:04:05Z"
        assert to_do(round_of(bookmark=round_.bookmark(), days=30, now=MONDAY + 30 * DAY)) == list(ADDRESSES)

    def test_another_output_starts_over_before_the_days_are_over(self) -> None:
        """After them it costs nothing, and nothing needs to be said."""
        assert round_of(bookmark=self.complete(), output="another", days=30, now=MONDAY + DAY).started_over
        due = round_of(bookmark=self.complete(), output="another", days=30, now=MONDAY + 30 * DAY)
        assert not due.started_over
        assert to_do(due) == list(ADDRESSES)


HASHES: list[Callable[[bytes], bytes]] = [
    *(lambda text, name=name: hashlib.new(name, text).digest() for name in ("md5", "sha1", "sha256", "sha512")),
    lambda text: hashlib.blake2b(text).digest(),
    lambda text: hashlib.blake2b(text, digest_size=8).digest(),
]


def test_a_state_holds_no_address_and_no_unsalted_hash() -> None:
    """Two rounds of one list share no digest, because each has its own salt."""
    listed = ["wrong", *ADDRESSES]
    one = asked(round_of(listed), MALFORMED, FOUND, FAILED, NOT_FOUND, REJECTED).bookmark()
    other = asked(round_of(listed), MALFORMED, FOUND, FAILED, NOT_FOUND, REJECTED).bookmark()
    shown = json.dumps(one)
    packed = b"".join(base64.b64decode(one[status]) for status in (*Status, "owed"))

    for text in listed:
        assert text not in shown
        assert text.encode() not in packed
        for digest in (hash_(text.encode()) for hash_ in HASHES):
            assert digest[:8] not in packed
            assert digest.hex()[:16] not in shown
    assert len(one["salt"]) == 32
    assert all(one[key] != other[key] for key in KEYS - {"began", "completed", "failed"})


@pytest.mark.parametrize("status", [FOUND, FAILED])
def test_the_state_of_a_large_list_is_small(status: Status) -> None:
    """Below 0.3 MB for 20,000 addresses, and half of that for the first half."""
    listed = [f"person{number}@company.example" for number in range(20_000)]
    half = asked(round_of(listed, days=30), *[status] * 10_000).bookmark()
    assert len(json.dumps(half)) < 150_000

    round_ = round_of(listed[:-1][::-1], half, days=30)
    assert round_.not_asked == 9_999
    assert to_do(round_)[:9_999] == listed[10_000:-1][::-1]
    assert len(json.dumps(asked(round_, *[status] * 9_999).bookmark())) < 300_000


DIGEST = base64.b64encode(b"12345678").decode()
BROKEN: dict[str, dict[str, Any]] = {
    "null": {"owed": None},
    "number": {"found": 0},
    "switch": {"found": True},
    "list": {"owed": []},
    "object": {"owed": {}},
    "number_for_salt": {"salt": 7},
    "no_base64": {"found": "!" * 12},
    "no_ascii": {"found": "ä" * 12},
    "base64_with_more": {"found": DIGEST + "\n"},
    "broken_length": {"found": base64.b64encode(b"1234567").decode()},
    "cut_off": {"rejected": DIGEST[:-1]},
    "twice": {"malformed": base64.b64encode(b"1234567812345678").decode()},
    "two_outcomes": {"failed": DIGEST, "malformed": DIGEST},
    "owed_and_done": {"failed": DIGEST, "owed": DIGEST},
    "no_time": {"began": ""},
    "unreadable_time": {"began": "yesterday"},
    "time_without_offset": {"began": "2025-01-02T03:04:05"},
    "unreadable_completion": {"completed": "1"},
    "no_salt": {"salt": ""},
    "short_salt": {"salt": "0" * 31},
    "salt_that_is_no_hex": {"salt": "x" * 32},
    "long_salt": {"salt": "0" * 256},
    "no_outcome": dict.fromkeys([*Status, "owed"], ""),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_broken_state_starts_over(change: dict[str, Any]) -> None:
    """It proves nothing, and counts as none."""
    sound = half_done()
    assert round_of(bookmark=sound).is_resumed
    assert checkpoint.readable({**sound, **change}) == checkpoint.empty()
    assert to_do(round_of(bookmark={**sound, **change})) == list(ADDRESSES)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_state_without_one_of_its_keys_starts_over(key: str) -> None:
    """Each key is needed."""
    sound = half_done()
    del sound[key]
    assert checkpoint.readable(sound) == checkpoint.empty()


EARLIER = {
    "done": 1,
    "found": 1,
    "not_found": 0,
    "rejected": 0,
    "failed": 0,
    "owed": [],
    "began": "2025-01-02T03:04:05Z",
    "salt": "0" * 32,
    "addresses_digest": "0" * 64,
    "output_digest": "0" * 64,
}


@pytest.mark.parametrize(
    "foreign", [None, 7, "x", [], {}, {"replication_key_value": "2025"}, [1], {"found": DIGEST}, True, EARLIER]
)
def test_a_foreign_or_earlier_state_starts_over(foreign: object) -> None:
    """Any other JSON counts as none."""
    assert to_do(round_of(bookmark=foreign)) == list(ADDRESSES)


def test_an_empty_state_differs_from_an_unreadable_one() -> None:
    """The end of a round is empty in this layout and in the earlier one."""
    ends: list[object] = [checkpoint.empty(), {key: type(value)() for key, value in EARLIER.items()}, {}]
    others: list[object] = [half_done(), EARLIER, None, 7, [], ""]
    assert [checkpoint.is_empty(state) for state in ends + others] == [True] * 3 + [False] * 6


def test_keys_that_are_not_the_taps_are_dropped() -> None:
    """Meltano merges states, so that keys of an earlier layout live on beside the new ones."""
    sound = half_done()
    assert checkpoint.readable({**EARLIER, "x": None, **sound}) == sound


PEOPLE = ("a@x", "b@x", "c@x", "d@x", "e@x", "wrong", "also wrong")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LISTS = st.lists(st.sampled_from(PEOPLE), max_size=9)
OUTCOMES = st.lists(st.sampled_from([FOUND, NOT_FOUND, REJECTED, FAILED]), max_size=9)


@st.composite
def bookmarks(draw: st.DrawFn) -> Any:  # noqa: ANN401 - any JSON
    """A bookmark that is sound, or close to it, or anything at all."""
    if draw(st.booleans()) and draw(st.booleans()):
        return draw(JSON)
    round_ = round_of(draw(LISTS), days=draw(st.sampled_from([0, 30])))
    for entry, status in zip(round_.to_do, draw(OUTCOMES), strict=False):
        round_.record(entry, MALFORMED if entry.is_malformed else status)
    bookmark: dict[str, Any] = dict(round_.bookmark())
    keys = st.sampled_from(sorted(KEYS))
    for key, other in draw(st.lists(st.tuples(keys, keys), max_size=2)):
        bookmark[key], bookmark[other] = bookmark[other], bookmark[key]
    bookmark |= draw(st.dictionaries(keys, JSON | st.just(DIGEST), max_size=1))
    for key in draw(st.lists(keys, max_size=1)):
        del bookmark[key]
    return bookmark


def proved(bookmark: Any, text: str) -> str | None:  # noqa: ANN401 - any JSON
    """Return the key under which a bookmark proves an outcome of an entry, computed independently of the tap."""
    if not isinstance(bookmark, dict) or not all(isinstance(bookmark.get(key), str) for key in KEYS):
        return None
    try:
        salt = bytes.fromhex(bookmark["salt"])
        datetime.fromisoformat(bookmark["began"])
        packed = {key: base64.b64decode(bookmark[key]) for key in (*Status, "owed")}
        digest = hashlib.blake2b(text.encode(), digest_size=8, key=salt).digest()
    except ValueError:
        return None
    kinds = [key for key, content in packed.items() if content.find(digest) % 8 == 0]
    return kinds[0] if len(kinds) == 1 and (kinds[0] == MALFORMED) == ("@" not in text) else None


@settings(max_examples=400, derandomize=True, database=None, deadline=None)
@given(bookmarks(), LISTS, st.sampled_from([0, 1e-9, 30, 1e300]))
def test_no_state_hides_an_address_that_it_does_not_prove_done(
    bookmark: object, listed: list[str], days: float
) -> None:
    """Any JSON as state: nothing raises, and everything is done but what is proved, then what is proved to be owed."""
    round_ = round_of(listed, bookmark, days=days)
    unproved = [text for text in dict.fromkeys(listed) if proved(bookmark, text) is None]

    assert set(unproved) <= set(to_do(round_)[: round_.first_owed])
    for entry in round_.to_do[round_.first_owed :]:
        assert proved(bookmark, entry.text) == "owed"
    if round_.is_resumed:
        assert to_do(round_)[: round_.first_owed] == unproved
    assert checkpoint.readable(round_.bookmark()) == round_.bookmark()


@st.composite
def next_list(draw: st.DrawFn, listed: list[str]) -> list[str]:
    """Draw the list of the next run: slightly changed, or a different one."""
    place = draw(st.integers(0, len(listed)))
    person = draw(st.sampled_from(PEOPLE))
    before, after = listed[:place], listed[place:]
    changed = [
        listed,
        listed[::-1],
        before,
        [*before, person, *after],
        before + after[1:],
        [*before, person, *after[1:]],
    ]
    return draw(st.sampled_from(changed) | st.permutations(listed) | LISTS)


@dataclass
class Model:
    """A model of a round that keeps names instead of digests."""

    began: datetime
    outcomes: dict[str, Status] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    is_completed: bool = False

    def to_do(self, listed: list[str]) -> list[str]:
        """Everybody without an outcome, then those owed, in the list's order."""
        texts = list(dict.fromkeys(listed))
        return [text for text in texts if text not in self.outcomes] + [text for text in texts if text in self.owed]

    def record(self, text: str, status: Status) -> None:
        """Take an outcome."""
        is_first = text not in self.outcomes
        self.asked.append(text)
        self.outcomes[text] = status
        self.owed = self.owed - {text} | ({text} if status is FAILED and is_first else set())

    def is_complete(self, listed: list[str]) -> bool:
        """Whether nobody of a list is unasked or owed."""
        return any("@" in text for text in listed) and not self.to_do(listed)


@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_any_sequence_of_lists_stops_and_outcomes(data: st.DataObject) -> None:
    """In each round nobody is passed over, or asked twice but once more if owed; tallies are those of the list."""
    now, listed = MONDAY, data.draw(LISTS)
    model, bookmark = Model(now), checkpoint.empty()
    for _ in range(data.draw(st.integers(1, 8))):
        days = data.draw(st.sampled_from([0, 3]))
        now += data.draw(st.sampled_from([0, 1, 2])) * DAY
        listed = data.draw(next_list(listed))
        is_due = model.is_completed and now - model.began >= days * DAY
        before, model = model, Model(now) if is_due or not model.outcomes else model
        round_ = round_of(listed, bookmark, days=days, now=now)
        assert to_do(round_) == model.to_do(listed)

        for entry in round_.to_do[: data.draw(st.integers(0, len(round_.to_do)))]:
            status = MALFORMED if entry.is_malformed else data.draw(st.sampled_from([FOUND, REJECTED, FAILED]))
            round_.record(entry, status)
            model.record(entry.text, status)
        known = [model.outcomes.get(text) for text in dict.fromkeys(listed)]
        assert round_.tallies == {status: known.count(status) for status in Status}
        assert round_.not_asked == sum(text not in model.outcomes and "@" in text for text in set(listed))
        assert all(model.asked.count(text) <= 2 for text in PEOPLE)

        bookmark = round_.bookmark()
        if not model.outcomes:
            model = before  # a new round begins with its first outcome
        elif model.is_complete(listed):
            model.is_completed = True
            if not days:
                assert checkpoint.is_empty(bookmark)
                model = Model(now)
