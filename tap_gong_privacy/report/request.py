"""What a report says of the request that it answers, and of the program that made it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version


@dataclass(frozen=True)
class Request:
    """What the controller says of a request.

    Attributes:
        reference: The controller's own file number; empty if there is none.
        received: The day on which the request came, as in ISO 8601; empty if it is not given.
    """

    reference: str = ""
    received: str = ""


def made_by() -> str:
    """Return the name and the version of this program."""
    return f"tap-gong-privacy {version('tap-gong-privacy')}"
