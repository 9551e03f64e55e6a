"""What the tests of lists share: files whose name must not be shown, and the refusal of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.round.addresses import read_list

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COLUMN = "email_address"
HIDDEN = "hidden"
"""Appears in the path, the header and the values of the tests, and so must not appear in a message."""


def short(value: object) -> str:
    """Return a parameter's name, in ASCII and not too long."""
    return ascii(value)[:60]


def written(folder: Path, name: str, content: str | bytes) -> str:
    """Write a file, and return its path."""
    path = folder / HIDDEN / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def refusal(listed: Iterable[object] | None, file: str | None = None, column: str = COLUMN) -> str:
    """Return the one line with which a list is refused."""
    with pytest.raises(ConfigError) as caught:
        read_list(listed, file, column)
    assert caught.value.__cause__ is None
    assert_shows_nothing(caught.value.message)
    return caught.value.message


def assert_shows_nothing(message: str) -> None:
    """Check that a message is one line, and names neither the path, the header nor a value."""
    assert len(message.splitlines()) == 1
    assert HIDDEN not in message
    assert "@" not in message
