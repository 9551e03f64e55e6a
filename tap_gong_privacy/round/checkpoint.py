"""The round: how far it came, what is owed, and whether it may be resumed. Never an address in clear.

A round is one pass over the list, and one further try, in a later run, of what failed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from tap_gong_privacy.gong import times
from tap_gong_privacy.gong.client import Status

Bookmark: TypeAlias = dict[str, Any]

# Part of the output's digest: a state of another version starts over.
_VERSION = "1"

_EMPTY: Bookmark = {
    "done": 0,
    **{status.value: 0 for status in Status},
    "owed": [],
    "began": "",
    "salt": "",
    "addresses_digest": "",
    "output_digest": "",
}


def empty() -> Bookmark:
    """Return the bookmark of a round that is over, or has not begun: each key's empty value, never a missing key."""
    return {**_EMPTY, "owed": []}


def is_empty(bookmark: object) -> bool:
    """Tell whether a bookmark says nothing at all."""
    return bookmark == _EMPTY


def readable(bookmark: object) -> Bookmark:
    """Return a bookmark as this module writes it.

    Args:
        bookmark: What the state holds under `bookmarks.lookups`: any JSON.

    Returns:
        The bookmark; the empty one where it is broken or foreign.
    """
    if not isinstance(bookmark, Mapping):
        return empty()
    known = {key: bookmark.get(key) for key in _EMPTY}
    return known if _is_sound(known) else empty()


def _is_sound(bookmark: Bookmark) -> bool:
    if any(type(bookmark[key]) is not type(example) for key, example in _EMPTY.items()):
        return False
    owed = bookmark["owed"]
    tallies = [bookmark[status] for status in Status]
    return (
        all(tally >= 0 for tally in tallies)
        and bookmark["done"] == sum(tallies)
        and all(type(place) is int and 1 <= place <= bookmark["done"] for place in owed)
        and len(set(owed)) == len(owed) <= bookmark[Status.FAILED]
        and (not bookmark["done"] or times.from_text(bookmark["began"]) is not None)
    )


class Round:
    """One round, as far as it came."""

    def __init__(self, addresses: tuple[str, ...], output: str, bookmark: Bookmark) -> None:
        """Resume the round that a bookmark speaks of, or begin a new one.

        Args:
            addresses: The whole list.
            output: All that shapes the output, as one text.
            bookmark: What `readable` returned.
        """
        self._addresses = addresses
        self._salt = bookmark["salt"] or secrets.token_hex(16)
        self._output_digest = self._digest(_VERSION, output).hexdigest()
        self.started_over_for = ""
        if bookmark["done"]:
            self.started_over_for = self._difference(bookmark)
        if not bookmark["done"] or self.started_over_for:
            bookmark = empty()
        self.done: int = bookmark["done"]
        self.tallies = {status: int(bookmark[status]) for status in Status}
        self.began: str = bookmark["began"] or times.format_utc(datetime.now(UTC).replace(microsecond=0))
        self._owed: list[int] = list(bookmark["owed"])
        self._owed_before = tuple(self._owed)
        self._addresses_digest = self._digest(*addresses[: self.done])
        self.is_resumed = self.done > 0

    def _difference(self, bookmark: Bookmark) -> str:
        done = bookmark["done"]
        asked = self._addresses[:done]
        if len(asked) < done or self._digest(*asked).hexdigest() != bookmark["addresses_digest"]:
            return "the list of addresses"
        if self._output_digest != bookmark["output_digest"]:
            return "api_url, the selection, the stream maps or the flattening"
        return ""

    def _digest(self, *texts: str) -> hashlib._Hash:
        digest = hashlib.sha256()
        for text in (self._salt, *texts):
            _add(digest, text)
        return digest

    @property
    def total(self) -> int:
        """How many addresses the list has."""
        return len(self._addresses)

    @property
    def to_ask(self) -> tuple[str, ...]:
        """The addresses that a run asks: what is not done, in the list's order; then what an earlier run owes."""
        owed = tuple(self._addresses[place - 1] for place in self._owed_before)
        return self._addresses[self.done :] + owed

    @property
    def not_asked(self) -> int:
        """How many addresses have not been asked yet."""
        return self.total - self.done

    @property
    def is_answered(self) -> bool:
        """Whether Gong has answered any address of this round."""
        return any(self.tallies[status] for status in Status if status is not Status.FAILED)

    def record(self, status: Status) -> None:
        """Take down the outcome of the next address, in the order of `to_ask` as it was when the run began."""
        if self.done < self.total:
            _add(self._addresses_digest, self._addresses[self.done])
            self.done += 1
            if status is Status.FAILED:
                self._owed.append(self.done)
        else:
            # Owed no longer, however this try went.
            self._owed.pop(0)
            self.tallies[Status.FAILED] -= 1
        self.tallies[status] += 1

    def bookmark(self) -> Bookmark:
        """Return what the state has to hold now."""
        if not self.done or (not self.not_asked and not self._owed):
            return empty()
        return {
            "done": self.done,
            **{status.value: tally for status, tally in self.tallies.items()},
            "owed": list(self._owed),
            "began": self.began,
            "salt": self._salt,
            "addresses_digest": self._addresses_digest.hexdigest(),
            "output_digest": self._output_digest,
        }

    def summary(self) -> str:
        """Return the closing line: the whole list, and the round so far."""
        tallies = [f"{tally} {status.value.replace('_', ' ')}" for status, tally in self.tallies.items()]
        return f"{self.total} addresses: {', '.join(tallies)}, {self.not_asked} not asked"


def _add(digest: hashlib._Hash, text: str) -> None:
    # The length in front: no two lists of texts run together to the same bytes.
    encoded = text.encode("utf-8", "surrogatepass")
    digest.update(b"%d:" % len(encoded) + encoded)
