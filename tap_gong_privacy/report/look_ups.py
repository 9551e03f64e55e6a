"""A look-up, typed, and what can contradict it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.base_url import normalized
from tap_gong_privacy.report.rows.tables import ANSWERS, FOUND, MALFORMED, NOT_FOUND, STREAMS, Row, Unreadable, Value
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKED_UP_AT, REQUEST_ID, UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_gong_privacy.gong.json_text import JSON
    from tap_gong_privacy.report.rows.masking import Masker

REJECTED: Final = "rejected"
FAILED: Final = "failed"
_STATUSES: Final = frozenset({*ANSWERS, REJECTED, FAILED, MALFORMED})
_OK: Final = 200


class Doubt(enum.Enum):
    """A contradiction in the rows of an address. The value says what it is, and what to do."""

    NO_TIME = "a row of lookups has no looked_up_at. Select the column, and load again."
    FUTURE = (
        "a look-up is dated later than this report, probably because a clock was wrong. It does not count. Correct the "
        "clock, set that row of lookups aside, look up again, and load the result."
    )
    STATUS = "a row of lookups has no status, or one that the tap does not write. Load the column as the tap gives it."
    INCOMPLETE = (
        "a look-up that found nothing lacks its HTTP status or a count, so it proves nothing. Select these columns of "
        "lookups, look up again, and load the result."
    )
    NOT_EMPTY = (
        "a look-up has the status not_found, and yet a count above 0, undocumented content, or an HTTP status other "
        "than 200. It does not count. Look up again, and load the result."
    )
    TWO_ANSWERS = "two different answers have the same time, so neither counts. Look up again, and load the result."
    SHARED = (
        "the answer has the request id of an answer about another address, so something may have answered in Gong's "
        "place. Look up again, and ask Gong's support about the request id."
    )
    UNEXPLAINED = (
        "there are rows of a look-up that is not in lookups. If a load is under way, wait for its end; if one broke "
        "off, look up again, and load the result."
    )
    TOO_MANY = "there are more rows than the answer counts. Look up again, and load the result."


@dataclass(frozen=True, slots=True)
class LookUp:
    """One row of `lookups`. None is what the row does not say, or what was not loaded.

    Attributes:
        counts: How many records the answer made, by stream.
        undocumented: What Gong sent that its documentation does not describe; None if that was not loaded.
    """

    address: str
    at: datetime | None
    status: str | None
    request_id: str | None
    http_status: int | None
    attempts: int | None
    api_url: str | None
    counts: Mapping[str, int | None]
    undocumented: Mapping[str, JSON | Unreadable] | None

    @classmethod
    def of(cls, row: Row) -> LookUp:
        """Return the look-up of a row."""
        at, api_url = row[LOOKED_UP_AT], _text(row.get("api_url"))
        return cls(
            address=str(row[EMAIL_ADDRESS]),
            at=at if isinstance(at, datetime) else None,
            status=_text(row["status"]),
            request_id=_text(row.get(REQUEST_ID)),
            http_status=_integer(row.get("http_status")),
            attempts=_integer(row.get("attempts")),
            api_url=_text(normalized(api_url)) if api_url else None,
            counts={stream: _integer(row.get(f"{stream}_count")) for stream in STREAMS},
            undocumented=content_of(row[UNDOCUMENTED]) if UNDOCUMENTED in row else None,
        )

    @property
    def is_answer(self) -> bool:
        """Whether Gong has said what it holds."""
        return self.status in ANSWERS

    @property
    def holds_something(self) -> bool:
        """Whether Gong has said that it holds something."""
        return self.status == FOUND

    @property
    def doubt(self) -> Doubt | None:
        """What contradicts the look-up within its own row."""
        if self.status not in _STATUSES:
            return Doubt.STATUS
        if self.status != NOT_FOUND:
            return None
        if any(self.counts.values()) or self.undocumented or self.http_status not in {None, _OK}:
            return Doubt.NOT_EMPTY
        return Doubt.INCOMPLETE if None in {self.http_status, *self.counts.values()} else None

    @property
    def is_traceless(self) -> bool:
        """Whether Gong has found something of which the row has no trace, as after the deletion of a person's data."""
        return self.holds_something and set(self.counts.values()) == {0} and self.undocumented == {}

    @property
    def _says(self) -> object:
        """What the answer says, for a comparison with another one."""
        return self.status, self.counts, self.undocumented

    def differs_from(self, other: LookUp) -> bool:
        """Return whether two answers say different things."""
        return self._says != other._says


def content_of(value: Value) -> Mapping[str, JSON | Unreadable]:
    """Return the content of `undocumented`. What is not an object is kept under the name of the column."""
    if value is None or isinstance(value, datetime):
        return {}
    return value if isinstance(value, dict) else {UNDOCUMENTED: value}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) else None


def masked(look_up: LookUp, masker: Masker) -> LookUp:
    """Return a look-up in which each text that may hold somebody's address is masked."""

    def text(value: str | None) -> str | None:
        return None if value is None else masker.text(value)

    return replace(
        look_up,
        status=text(look_up.status),
        request_id=text(look_up.request_id),
        api_url=text(look_up.api_url),
        undocumented=look_up.undocumented and _masked_content(look_up.undocumented, masker),
    )


def _masked_content(content: Mapping[str, JSON | Unreadable], masker: Masker) -> Mapping[str, JSON | Unreadable]:
    value = content.get(UNDOCUMENTED)
    if isinstance(value, Unreadable):
        return content
    masked_content = masker.value(dict(content))  # type: ignore[arg-type]  # nothing else is unreadable
    return masked_content if isinstance(masked_content, dict) else {}
