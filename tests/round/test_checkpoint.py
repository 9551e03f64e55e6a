"""The round: what it remembers, when it goes on, and that no state skips an address that it does not prove done."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_gong_privacy.gong import times
from tap_gong_privacy.gong.client import Status
from tap_gong_privacy.round import checkpoint
from tap_gong_privacy.round.checkpoint import Round

if TYPE_CHECKING:
    from collections.abc import Iterable

LISTED = tuple(f"a{place}@x.example" for place in range(1, 7))
SHAPE = '{"api_url": "https://api.gong.io"}'
KEYS = {
    "done": int,
    "found": int,
    "not_found": int,
    "rejected": int,
    "failed": int,
    "owed": list,
    "began": str,
    "salt": str,
    "addresses_digest": str,
    "output_digest": str,
}
FOUND, NOT_FOUND, REJECTED, FAILED = Status


def begun(*statuses: Status, listed: tuple[str, ...] = LISTED, bookmark: object = None) -> Round:
    """A round in which so many addresses are done."""
    round_ = Round(listed, SHAPE, checkpoint.readable(bookmark))
    for status in statuses:
        round_.record(status)
    return round_


def resumed(bookmark: object, listed: tuple[str, ...] = LISTED, shape: str = SHAPE) -> Round:
    """The round that a later run makes of a bookmark, which went through JSON."""
    return Round(listed, shape, checkpoint.readable(json.loads(json.dumps(bookmark))))


def digest(salt: str, texts: Iterable[str]) -> str:
    """The digest over texts, computed here anew."""
    content = b"".join(b"%d:%s" % (len(text.encode()), text.encode()) for text in (salt, *texts))
    return hashlib.sha256(content).hexdigest()


def test_a_round_goes_on_where_it_was() -> None:
    """What is done is not asked again, and what is owed comes last."""
    round_ = resumed(begun(FOUND, FAILED, REJECTED, NOT_FOUND).bookmark())
    assert round_.is_resumed
    assert round_.to_ask == (*LISTED[4:], LISTED[1])
    assert round_.not_asked == 2
    assert round_.summary() == "6 addresses: 1 found, 1 not found, 1 rejected, 1 failed, 2 not asked"


def test_a_round_keeps_the_time_at_which_it_began() -> None:
    """However many runs it takes."""
    first = begun(FOUND).bookmark()
    first["began"] = "2025-01-02T03:04:05Z"
    second = resumed(first)
    second.record(FOUND)
    assert resumed(second.bookmark()).began == "2025-01-02T03:04:05Z"


@pytest.mark.parametrize("again", list(Status))
def test_an_owed_address_is_owed_no_longer_however_its_try_went(again: Status) -> None:
    """Its tally is that of the last try, and the round ends."""
    round_ = resumed(begun(FAILED, *[FOUND] * 5).bookmark())
    assert round_.to_ask == LISTED[:1]
    round_.record(again)
    assert round_.tallies[again] == 1 + 5 * (again is FOUND)
    assert sum(round_.tallies.values()) == 6
    assert checkpoint.is_empty(round_.bookmark())


def test_what_fails_in_a_later_part_is_owed_too() -> None:
    """An address that fails while others are owed stands behind them."""
    round_ = resumed(begun(FAILED, FOUND, FOUND).bookmark())
    for status in (FOUND, FAILED, FOUND, FOUND):
        round_.record(status)
    assert round_.bookmark()["owed"] == [5]
    assert resumed(round_.bookmark()).to_ask == LISTED[4:5]


def test_rejected_is_final() -> None:
    """It is never owed, and does not keep a round open."""
    assert checkpoint.is_empty(begun(*[REJECTED] * 6).bookmark())


def test_the_end_of_a_round_is_each_keys_empty_value() -> None:
    """Never `{}`, never a missing key, never null."""
    bookmark = begun(*[FOUND] * 6).bookmark()
    assert bookmark == {key: type_() for key, type_ in KEYS.items()}
    assert not resumed(bookmark).is_resumed


@pytest.mark.parametrize("done", range(7))
def test_a_bookmark_is_flat_with_the_same_keys_and_types(done: int) -> None:
    """At every moment of a round."""
    bookmark = begun(*[FAILED, FOUND, REJECTED, NOT_FOUND, FAILED, FOUND][:done]).bookmark()
    assert {key: type(value) for key, value in bookmark.items()} == KEYS
    assert all(type(place) is int for place in bookmark["owed"])


def test_a_bookmark_names_nobody() -> None:
    """Equal lists have different digests: each round has a salt of its own."""
    one, other = begun(FOUND).bookmark(), begun(FOUND).bookmark()
    assert "x.example" not in json.dumps(one)
    assert len(one["salt"]) >= 32
    assert one["addresses_digest"] != other["addresses_digest"]
    assert one["output_digest"] != other["output_digest"]


def test_entries_may_be_appended() -> None:
    """A longer list that begins with the same addresses goes on."""
    round_ = resumed(begun(FOUND, FOUND).bookmark(), (*LISTED, "new@x.example"))
    assert round_.is_resumed
    assert round_.to_ask == (*LISTED[2:], "new@x.example")


def test_what_is_not_done_yet_may_change() -> None:
    """Only the addresses done are held on to."""
    assert resumed(begun(FOUND, FOUND).bookmark(), (*LISTED[:2], "new@x.example")).is_resumed


@pytest.mark.parametrize(
    "listed",
    [LISTED[1:], (LISTED[1], LISTED[0], *LISTED[2:]), ("A1@x.example", *LISTED[1:]), LISTED[:1], ("new@x.example",)],
    ids=["first_removed", "swapped", "case", "shorter", "other"],
)
def test_another_list_starts_over_and_says_so(listed: tuple[str, ...]) -> None:
    """A list that does not begin with the addresses done is asked from its beginning."""
    round_ = resumed(begun(FOUND, FAILED).bookmark(), listed)
    assert round_.started_over_for == "the list of addresses"
    assert not round_.is_resumed
    assert round_.to_ask == listed
    assert not any(round_.tallies.values())


def test_addresses_do_not_run_together() -> None:
    """The digest tells apart lists whose texts joined are equal."""
    round_ = resumed(begun(FOUND, FOUND, listed=("a@x", "b@x", "c@x")).bookmark(), ("a@xb", "@x", "c@x"))
    assert not round_.is_resumed


def test_another_shape_starts_over_and_says_so() -> None:
    """What shapes the output is named as the reason."""
    round_ = resumed(begun(FOUND, FOUND).bookmark(), shape="{}")
    assert "api_url" in round_.started_over_for
    assert "selection" in round_.started_over_for
    assert round_.to_ask == LISTED


def test_another_version_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version stands in the second digest."""
    bookmark = begun(FOUND, FOUND).bookmark()
    monkeypatch.setattr(checkpoint, "_VERSION", "another")
    assert not resumed(bookmark).is_resumed


def test_a_round_that_starts_over_forgets_all() -> None:
    """Neither tallies, nor what was owed, nor its beginning live on."""
    old = begun(FAILED, FOUND).bookmark()
    old["began"] = "2025-01-02T03:04:05Z"
    round_ = resumed(old, LISTED[1:])
    assert round_.began > "2025-01-02T03:04:05Z"
    round_.record(FOUND)
    assert round_.bookmark()["owed"] == []
    assert round_.summary() == "5 addresses: 1 found, 0 not found, 0 rejected, 0 failed, 4 not asked"


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("null", {"owed": None}),
    ("text_for_number", {"done": "3"}),
    ("switch_for_number", {"found": True}),
    ("fraction", {"done": 3.0}),
    ("number_for_text", {"salt": 7}),
    ("object", {"owed": {}}),
    ("negative", {"found": 3, "rejected": -1}),
    ("negative_done", {"done": -3, "found": -3, "failed": 0, "owed": []}),
    ("tallies_too_small", {"found": 1}),
    ("tallies_too_large", {"not_found": 1}),
    ("owed_not_done", {"owed": [4]}),
    ("owed_zero", {"owed": [0]}),
    ("owed_negative", {"owed": [-1]}),
    ("owed_text", {"owed": ["2"]}),
    ("owed_switch", {"owed": [True]}),
    ("owed_fraction", {"owed": [2.0]}),
    ("owed_twice", {"owed": [2, 2]}),
    ("owed_more_than_failed", {"owed": [1, 2]}),
    ("owed_nested", {"owed": [[2]]}),
    ("no_time", {"began": ""}),
    ("unreadable_time", {"began": "yesterday"}),
    ("time_without_offset", {"began": "2025-01-02T03:04:05"}),
    ("no_salt", {"salt": ""}),
    ("no_digest", {"addresses_digest": ""}),
    ("upper_case", {"addresses_digest": "A" * 64}),
]


@pytest.mark.parametrize("change", [change for _, change in BROKEN], ids=[name for name, _ in BROKEN])
def test_broken_state_starts_over(change: dict[str, Any]) -> None:
    """A wrong type, a negative number, an unreadable time or numbers at odds prove nothing."""
    sound = begun(FOUND, FAILED, FOUND).bookmark()
    assert resumed(sound).is_resumed
    round_ = resumed({**sound, **change})
    assert not round_.is_resumed
    assert round_.to_ask == LISTED


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_starts_over(key: str) -> None:
    """Each key is needed."""
    sound = begun(FOUND, FAILED, FOUND).bookmark()
    del sound[key]
    assert resumed(sound).to_ask == LISTED


@pytest.mark.parametrize("foreign", [None, 7, "x", [], {}, {"replication_key_value": "2025"}, [1], {"done": 3}, True])
def test_foreign_state_starts_over(foreign: object) -> None:
    """Any other JSON counts as none."""
    assert resumed(foreign).to_ask == LISTED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SMALL = st.integers(-1, 8)
SALTS = st.sampled_from(["", "salt"])


@st.composite
def bookmarks(draw: st.DrawFn) -> object:
    """A bookmark that is sound, or close to it, or anything at all."""
    statuses = draw(st.lists(st.sampled_from(list(Status)), max_size=6))
    listed = draw(st.permutations(LISTED)) if draw(st.booleans()) else list(LISTED)
    bookmark = begun(*statuses, listed=tuple(listed)).bookmark()
    changes = draw(st.dictionaries(st.sampled_from([*KEYS, "more"]), JSON | SMALL | st.lists(SMALL), max_size=2))
    bookmark |= changes
    if draw(st.booleans()):
        # Whoever forges a digest still proves it.
        salt = draw(SALTS)
        done = bookmark["done"]
        prefix = LISTED[: done if isinstance(done, int) else 0]
        bookmark |= {"salt": salt, "addresses_digest": digest(salt, prefix)}
        bookmark |= {"output_digest": digest(salt, ("1", draw(st.sampled_from([SHAPE, "other"]))))}
    for key in draw(st.lists(st.sampled_from(list(KEYS)), max_size=1)):
        del bookmark[key]
    return bookmark


def proved(bookmark: object) -> int:
    """How many addresses a bookmark proves done, judged here anew."""
    if not isinstance(bookmark, dict) or any(type(bookmark.get(key)) is not type_ for key, type_ in KEYS.items()):
        return 0
    done, owed = bookmark["done"], bookmark["owed"]
    tallies = [bookmark[status.value] for status in Status]
    numbers_agree = min(tallies) >= 0 and sum(tallies) == done <= len(LISTED)
    owed_agree = (
        all(type(place) is int and 0 < place <= done for place in owed)
        and len(set(owed)) == len(owed)
        and len(owed) <= bookmark["failed"]
    )
    texts_agree = (
        times.from_text(bookmark["began"]) is not None
        and bookmark["salt"]
        and bookmark["addresses_digest"] == digest(bookmark["salt"], LISTED[:done])
        and bookmark["output_digest"] == digest(bookmark["salt"], ("1", SHAPE))
    )
    return done if numbers_agree and owed_agree and texts_agree else 0


@settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bookmarks() | JSON)
def test_no_state_skips_an_address_that_it_does_not_prove_done(bookmark: object) -> None:
    """Any JSON as state: what is asked, and in which order, is all but what is proved done, and then what is owed."""
    round_ = Round(LISTED, SHAPE, checkpoint.readable(bookmark))
    done = proved(bookmark)
    owed = tuple(LISTED[place - 1] for place in bookmark["owed"]) if done and isinstance(bookmark, dict) else ()
    assert round_.to_ask == LISTED[done:] + owed
    assert round_.is_resumed == (done > 0)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.sampled_from(list(Status)), min_size=1, max_size=5), min_size=1, max_size=6))
def test_a_round_of_many_runs_asks_each_address_once_and_what_failed_once_more(runs: list[list[Status]]) -> None:
    """However a round is cut into runs, its tallies add up, and it ends once nothing is left to ask or owed."""
    bookmark: object = checkpoint.empty()
    asked: list[str] = []
    for statuses in runs:
        round_ = resumed(bookmark)
        for address, status in zip(round_.to_ask, statuses, strict=False):
            asked.append(address)
            round_.record(status)
        assert sum(round_.tallies.values()) == round_.done == len(set(asked))
        bookmark = round_.bookmark()
        if checkpoint.is_empty(bookmark):
            assert set(asked) == set(LISTED)
            break
        assert max(asked.count(address) for address in LISTED) <= 2
