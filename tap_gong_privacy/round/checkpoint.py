"""The state of a round: which entries of the list have an outcome, and which are owed a second try.

In a round, each address is asked once, and once more in a later run if it failed. The list may change between two runs
in any way, because the state holds a digest for each entry and does not depend on places. It never holds an address.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from tap_gong_privacy.gong import times
from tap_gong_privacy.gong.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_gong_privacy.round.addresses import Entry

Bookmark: TypeAlias = dict[str, str]
"""What the state holds under `bookmarks.lookups`: always the same keys, each with a text."""

_VERSION = b"round 2"
"""Part of the output's digest. Change it if a digest or a key gets another meaning, so that old rounds start over."""

_OWED = "owed"
_DIGESTS = (*(status.value for status in Status), _OWED)
_KEYS = ("began", "completed", "salt", "output_digest", *_DIGESTS)
_DIGEST_SIZE = 8
_SALT_SIZE = 16
_SALT = re.compile(f"[0-9a-f]{{{2 * _SALT_SIZE}}}")
_SECONDS_A_DAY = 24 * 60 * 60
_ANSWERED = frozenset({Status.FOUND, Status.NOT_FOUND, Status.REJECTED})


def empty() -> Bookmark:
    """Return the bookmark between two rounds. No key is left out, because Meltano would keep its old value."""
    return dict.fromkeys(_KEYS, "")


def is_empty(bookmark: object) -> bool:
    """Return whether a bookmark holds nothing. One of an earlier layout holds `0` and `[]` then."""
    return isinstance(bookmark, Mapping) and not any(bookmark.values())


def readable(bookmark: object) -> Bookmark:
    """Return a bookmark that `Round` can use.

    Args:
        bookmark: What the state holds under `bookmarks.lookups`, which may be any JSON.

    Returns:
        The bookmark. The empty one if it is broken, foreign or of an earlier layout.
    """
    if not isinstance(bookmark, Mapping):
        return empty()
    texts = {key: value for key in _KEYS if isinstance(value := bookmark.get(key), str)}
    return texts if texts.keys() == set(_KEYS) and _is_sound(texts) else empty()


def _is_sound(bookmark: Bookmark) -> bool:
    try:
        digests = [digest for key in _DIGESTS for digest in _unpack(bookmark[key])]
    except ValueError:
        return False
    return (
        0 < len(digests) == len(set(digests))
        and _SALT.fullmatch(bookmark["salt"]) is not None
        and times.from_text(bookmark["began"]) is not None
        and (not bookmark["completed"] or times.from_text(bookmark["completed"]) is not None)
    )


class Round:
    """One round, as one run sees it: which addresses to ask about, and how each look-up ended.

    Attributes:
        started_over: Whether a new round began because the state belongs to a run with another output.
        lost_outcomes: How many addresses of the list are asked again for that reason.
        is_resumed: Whether an earlier run of this round asked about any address of the list.
        began: When the round began, as an ISO 8601 text in UTC.
        total: How many addresses the list has; malformed entries do not count.
        to_do: What this run does. First the entries without an outcome, in the list's order. Malformed entries are
            among them, and cost no call. Then the addresses owed a second try, in the list's order.
        first_owed: The index in `to_do` of the first address owed a second try.
        tallies: How many entries of the list ended with each status so far.
        is_answered: Whether Gong has answered about any address in this round.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        output: str,
        bookmark: Bookmark,
        *,
        days_between_rounds: float = 0,
        now: datetime | None = None,
    ) -> None:
        """Resume the round of a bookmark, or begin a new one.

        Args:
            entries: The whole list.
            output: Everything that shapes the output, as one text.
            bookmark: What `readable` returned.
            days_between_rounds: A new round begins no sooner than this many days after the last one began.
            now: The time, UTC; the clock's by default.
        """
        self._now = (now or datetime.now(UTC)).replace(microsecond=0)
        self._days = days_between_rounds
        self._bookmark_before = bookmark.copy()
        self._entries = tuple(dict.fromkeys(entries))
        addresses = (entry.text for entry in self._entries if not entry.is_malformed)
        self._places = {address: place for place, address in enumerate(addresses, 1)}
        self.total = len(self._places)

        self._resume(bookmark)
        is_over = self._is_over()
        is_other = bookmark["output_digest"] != _digest_of_output(self._salt, output)
        # A round that is over has nothing left to lose, and a list without an address asks nobody again.
        is_lost = bool(self._outcomes) and is_other and not is_over
        self.started_over = is_lost and self.total > 0
        self._is_idle = not self._entries or (is_lost and not self.total)
        self.lost_outcomes = 0
        if self.started_over:
            self.lost_outcomes = sum(self._is_done(entry) and not entry.is_malformed for entry in self._entries)
        if is_over or self.started_over:
            self._resume(empty())

        self._output_digest = _digest_of_output(self._salt, output)
        statuses = [self._status_of(entry) for entry in self._entries]
        self.tallies = {status: statuses.count(status) for status in Status}
        self.is_resumed = self.not_asked < self.total
        self.is_answered = not _ANSWERED.isdisjoint(self._outcomes.values())
        unasked = [entry for entry, status in zip(self._entries, statuses, strict=True) if status is None]
        owed = [entry for entry in self._entries if self._is_owed(entry)]
        self.to_do = (*unasked, *owed)
        self.first_owed = len(unasked)

    def _resume(self, bookmark: Bookmark) -> None:
        """Load a bookmark. An empty one begins a new round."""
        self._salt = bookmark["salt"] or secrets.token_hex(_SALT_SIZE)
        self._owed = set(_unpack(bookmark[_OWED]))
        self._outcomes = {digest: status for status in Status for digest in _unpack(bookmark[status])}
        self._outcomes |= dict.fromkeys(self._owed, Status.FAILED)
        self._completed = bookmark["completed"]
        began = times.from_text(bookmark["began"])
        # The clock may have been ahead when the round began. A time in the future would delay the next round.
        self._began = min(datetime.fromisoformat(began[0]), self._now) if began else self._now
        self.began = times.format_utc(self._began)
        key = bytes.fromhex(self._salt)
        self._digests = {
            entry.text: hashlib.blake2b(_encoded(entry.text), digest_size=_DIGEST_SIZE, key=key).digest()
            for entry in self._entries
        }

    def _is_over(self) -> bool:
        """Return whether an earlier run completed the round, and the days between two rounds have passed."""
        # Compares seconds, because `timedelta` raises OverflowError for a setting like 1e300.
        age = (self._now - self._began).total_seconds()
        return bool(self._completed) and age >= self._days * _SECONDS_A_DAY

    def _status_of(self, entry: Entry) -> Status | None:
        """Return the outcome of an entry. None if there is none, or if it does not fit the kind of entry."""
        status = self._outcomes.get(self._digests[entry.text])
        return status if (status is Status.MALFORMED) == entry.is_malformed else None

    def _is_owed(self, entry: Entry) -> bool:
        return not entry.is_malformed and self._digests[entry.text] in self._owed

    def _is_done(self, entry: Entry) -> bool:
        return self._status_of(entry) is not None and not self._is_owed(entry)

    @property
    def not_asked(self) -> int:
        """How many addresses of the list have no outcome yet."""
        return self.total - sum(self.tallies.values()) + self.tallies[Status.MALFORMED]

    def place_of(self, entry: Entry) -> int:
        """Return the place of an address in the list, counted from 1."""
        return self._places[entry.text]

    def places(self, status: Status) -> list[int]:
        """Return the places of the list's addresses that ended with a status, in ascending order."""
        return [
            self._places[entry.text]
            for entry in self._entries
            if not entry.is_malformed and self._status_of(entry) is status
        ]

    def record(self, entry: Entry, status: Status) -> None:
        """Record how an entry of `to_do` ended. One that failed is owed a second try, unless this was the second.

        Args:
            entry: The entry.
            status: Its outcome.
        """
        digest = self._digests[entry.text]
        before = self._status_of(entry)
        if before:
            self.tallies[before] -= 1
        self.tallies[status] += 1
        if status is Status.FAILED and before is None:
            self._owed.add(digest)
        else:
            self._owed.discard(digest)
        self._outcomes[digest] = status
        self.is_answered = self.is_answered or status in _ANSWERED

    def bookmark(self) -> Bookmark:
        """Return what the state has to hold now.

        Returns:
            The empty bookmark if the round has ended. The bookmark of the run's start if the list has no entry, if
            it has no address and the output differs, or if a new round has no outcome yet.
        """
        if self._is_idle or not self._outcomes:
            return self._bookmark_before.copy()
        is_complete = self.total > 0 and not self.not_asked and all(map(self._is_done, self._entries))
        if is_complete and not self._days:
            return empty()
        groups: dict[str, list[bytes]] = {key: [] for key in _DIGESTS}
        for digest, status in self._outcomes.items():
            groups[_OWED if digest in self._owed else status].append(digest)
        return {
            "began": self.began,
            "completed": self._completed or (times.format_utc(self._now) if is_complete else ""),
            "salt": self._salt,
            "output_digest": self._output_digest,
            **{key: _pack(digests) for key, digests in groups.items()},
        }

    def summary(self) -> str:
        """Return the closing line: the whole list and the round so far."""
        counts = {status.value.replace("_", " "): count for status, count in self.tallies.items()}
        malformed = counts.pop(Status.MALFORMED)
        parts = [f"{count} {name}" for name, count in counts.items()]
        parts += [f"{self.not_asked} not asked", *([f"{malformed} malformed"] if malformed else [])]
        return f"{self.total} addresses: {', '.join(parts)}"


def _digest_of_output(salt: str, output: str) -> str:
    return hashlib.blake2b(_encoded(output), digest_size=32, key=bytes.fromhex(salt), person=_VERSION).hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _pack(digests: list[bytes]) -> str:
    return base64.b64encode(b"".join(digests)).decode()


def _unpack(text: str) -> list[bytes]:
    """Return the digests of a packed text.

    Raises:
        ValueError: If it is not Base64, or not of whole digests.
    """
    packed = base64.b64decode(text, validate=True)
    if len(packed) % _DIGEST_SIZE:
        msg = "not of whole digests"
        raise ValueError(msg)
    return [packed[start : start + _DIGEST_SIZE] for start in range(0, len(packed), _DIGEST_SIZE)]
