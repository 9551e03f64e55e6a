"""How one look-up ended."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_gong_privacy.gong.answers import Answer
    from tap_gong_privacy.gong.json_text import JSON


class Status(enum.StrEnum):
    """The status of a look-up."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    FAILED = "failed"
    MALFORMED = "malformed"
    """Gong was not asked, because the entry of the list is not an e-mail address."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a try failed, in the tap's own fixed words, which never hold an address, a URL or part of a body.

    Attributes:
        text: The reason, as a clause.
        advice: What the user can do about it, as a sentence.
    """

    text: str
    advice: str = "Run again later."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one look-up of one address ended.

    Attributes:
        status: The status.
        looked_up_at: When Gong's answer arrived, or the last try ended (UTC).
        http_status: The last HTTP status; None if there was none.
        request_id: Gong's `requestId`, as it came; None if there was none.
        errors: Gong's messages, or the tap's own reason.
        undocumented: The undocumented top-level fields of Gong's answer, verbatim.
        is_repaired: Whether characters that no target can store were replaced.
        answer: What Gong holds, if it answered.
        reason: Why the last try failed; None if it did not.
        is_refusal: Whether Gong refused with a status that a wrong configuration causes, such as 403 or 404.
        attempts: The calls that the look-up spent.
    """

    status: Status
    looked_up_at: datetime
    http_status: int | None = None
    request_id: JSON = None
    errors: tuple[str, ...] = ()
    undocumented: Mapping[str, JSON] = field(default_factory=dict)
    is_repaired: bool = False
    answer: Answer | None = None
    reason: Reason | None = None
    is_refusal: bool = False
    attempts: int = 0
