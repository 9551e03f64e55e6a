"""The names of the streams, in the contract's words, and other names that several test modules share."""

from __future__ import annotations

SECTIONS = ("emails", "calls", "meetings", "customer_data", "customer_engagement")
"""The five streams of an answer."""

STREAMS = ("lookups", *SECTIONS)

OUTCOMES = ("found", "not_found", "rejected", "failed", "malformed")
"""The statuses of a look-up, and the keys of a state that hold who had it."""


def short(value: object) -> str:
    """Return the name of a test's parameter. It is the same in every process, as pytest-xdist needs it."""
    return ascii(sorted(value) if isinstance(value, set) else value)[:120]
