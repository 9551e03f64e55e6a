"""What keeps a report from being complete."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Reason(enum.Enum):
    """Why a report is not complete."""

    NEVER_ASKED = enum.auto()
    ASKED_ELSEWHERE = enum.auto()
    """Asked about at another Gong only."""
    MALFORMED = enum.auto()
    REFUSED = enum.auto()
    NO_ANSWER = enum.auto()
    NOT_SINCE = enum.auto()
    """No answer since the erasure was asked for."""
    STREAM_NOT_LOADED = enum.auto()
    OTHER_COUNT = enum.auto()
    UNKNOWN_COUNT = enum.auto()
    TEXTS_MISSING = enum.auto()


@dataclass(frozen=True)
class Gap:
    """One reason.

    Attributes:
        reason: The reason.
        addresses: The places of the addresses that it is about, counted from 1.
        total: How many addresses were asked for.
        stream: The stream, where it is about one.
        counted: How many entries Gong's answer has there, or how many texts are missing.
        loaded: How many of them were loaded.
    """

    reason: Reason
    addresses: tuple[int, ...] = ()
    total: int = 0
    stream: str = ""
    counted: int = 0
    loaded: int = 0


def has_unknown_address(gaps: Iterable[Gap]) -> bool:
    """Return whether an address was never asked about, as it seems where the tables hold pseudonyms."""
    return any(gap.reason is Reason.NEVER_ASKED for gap in gaps)
