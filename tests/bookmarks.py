"""What a bookmark of a round holds, counted."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tap_gong_privacy.gong.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST_SIZE = 8


def kept(bookmark: Mapping[str, str]) -> dict[str, int]:
    """Return how many entries a bookmark keeps under each outcome, and under `owed`."""
    return {key: len(base64.b64decode(bookmark[key])) // _DIGEST_SIZE for key in (*Status, "owed")}


def settled(bookmark: Mapping[str, str]) -> int:
    """Return how many entries have an outcome in a bookmark."""
    return sum(kept(bookmark).values())
