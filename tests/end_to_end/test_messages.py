"""The operations page gives advice on messages that the code still logs, in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.end_to_end.test_documentation import DOCS, code, section

PACKAGE = Path(__file__).parents[2] / "tap_gong_privacy"
# At these places a message has a value, or the code joins two texts.
SEAM = re.compile(r"…|(?<=[.:;)]) ")
# The code splits long texts into two lines.
NEW_LINE = re.compile(r'"\s+f?"')


def source() -> str:
    """The code of the package, with each text in one piece."""
    modules = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return NEW_LINE.sub("", modules).replace("{names.file}", "email_addresses_file")


def advised() -> list[str]:
    """The messages of the tables, in their first column."""
    text = section(DOCS / "operations.md", "## Messages that need advice")
    cells = re.findall(r"^\| (`.+?`) \| ", text, re.MULTILINE)
    return [message for cell in cells for message in code(cell)]


def parts(message: str) -> list[str]:
    """What a message has between its values, if it is two words or more."""
    pieces = (piece.strip(" .:;()") for piece in SEAM.split(message))
    return [piece for piece in pieces if len(piece.split()) > 1]


@pytest.mark.parametrize("message", advised())
def test_each_message_with_advice_is_one_of_the_code(message: str) -> None:
    """A search for a line of the log finds its advice, and no advice outlives its message."""
    assert parts(message)
    assert [part for part in parts(message) if part not in source()] == []


def test_the_tables_of_messages_are_read() -> None:
    """A change of the page's form must not leave the test above without messages."""
    assert len(advised()) > 30
