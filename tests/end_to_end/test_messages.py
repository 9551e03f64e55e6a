"""The page of operations lists each message of the code, and none that the code does not have."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.end_to_end.test_documentation import DOCS, section

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "tap_gong_privacy"
# Without messages for users: a stand-in, descriptions of columns, errors that are caught.
SILENT = {"sandbox", "schemas", "json_text"}
HOLE = "…"
PLACEHOLDER = re.compile(r"%[sdg]|%\.\df|\{\w+:g\}")
SHOWN_WORDS = 6
# What the code puts before a message: too short for one, or a name.
BEFORE = re.compile(r"^(Stopped:|email_addresses_file)")


def messages() -> list[str]:
    """The texts of the code that have three words or more, with holes where values go."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.glob("*.py") if path.stem not in SILENT)
    found = (PLACEHOLDER.sub(HOLE, text) for tree in trees for text in texts(tree))
    return [text for text in found if len(text.split()) > 2]


def texts(node: ast.AST) -> Iterator[str]:
    """The texts below a node, save docstrings, annotations, and descriptions of settings."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    for child in ast.iter_child_nodes(node):
        if not is_passed_over(node, child):
            yield from texts(child)


def is_passed_over(parent: ast.AST, child: ast.AST) -> bool:
    """Whether a text is no message, or is part of one that has been taken already."""
    is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
    is_description = (isinstance(child, ast.keyword) and child.arg in {"description", "title"}) or (
        isinstance(parent, ast.Dict) and child in parent.values
    )
    is_type = isinstance(parent, ast.Call) and ast.unparse(parent.func) == "cast" and child is parent.args[0]
    is_part = isinstance(parent, ast.JoinedStr) and isinstance(child, ast.Constant)
    return is_docstring or is_description or is_type or is_part


def fragments(text: str) -> list[str]:
    """What stands between the holes of a text, where it has two words or more."""
    parts = (" ".join(part.split()) for part in text.split(HOLE))
    return [part for part in parts if len(re.findall(r"\w+", part)) > 1]


def documented() -> str:
    """The part of the page, without the marks of its form."""
    return " ".join(section(DOCS / "operations.md", "## Messages, and what to do").replace("`", "").split())


def documented_lines() -> list[str]:
    """The messages of its tables."""
    text = section(DOCS / "operations.md", "## Messages, and what to do")
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_each_message_of_the_code_is_documented() -> None:
    """Its first words at least, hole by hole: whoever searches the page for a line of the log finds it."""
    page = documented()
    missing = [
        text for text in messages() for part in fragments(text) if " ".join(part.split()[:SHOWN_WORDS]) not in page
    ]

    assert missing == []


def test_each_documented_message_is_one_of_the_code() -> None:
    """Word for word, so that none outlives the code's."""
    known = {part for text in messages() for part in fragments(text)}
    lines = documented_lines()

    assert len(lines) > 50
    assert [line for line in lines if not all(is_made_of(part, known) for part in fragments(line))] == []


def is_made_of(text: str, known: set[str]) -> bool:
    """Whether a text is a part of a message, or whole ones with such a part behind them."""
    text = BEFORE.sub("", text).strip()
    if len(text.split()) < 2 or any(text in whole for whole in known):
        return True
    return any(text.startswith(whole) and is_made_of(text.removeprefix(whole), known) for whole in known)
