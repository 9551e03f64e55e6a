"""Malformed entries of the list, which may hold any text: what their `lookups` rows look like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox
from tests.running import check_nobody_named, check_output, check_schemas_and_records, run_tap

if TYPE_CHECKING:
    from pathlib import Path

LONG = "x" * 200_000
WIDE = "\N{GRINNING FACE}" * 2_000
ENTRIES: tuple[Any, ...] = (
    *("a\0b", "a\N{SYMBOL FOR NULL}b", "\ud800", "\udfff", "\N{REPLACEMENT CHARACTER}", "two\nlines", "tab\tbetween"),
    *(LONG, f"{LONG}y", f"{LONG}z@", WIDE, f"{WIDE}y", "y" * 1_000, "y" * 1_001, f"{'y' * 1_000}…"),
    *({"password": "canary"}, ["canary"], 12.5, True, None),
)
POSTGRES_INDEXES_AT_MOST = 2_704
"""Bytes of a B-tree key: a third of a page."""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The `lookups` rows of one run over all entries and one address."""
    with Sandbox(requests_per_second=0) as sandbox:
        listed = [*ENTRIES, "canary@example.com"]
        result = run_tap({**sandbox.config, "email_addresses": listed, "fail_on_malformed_address": False})
        assert [call.address for call in sandbox.calls] == ["canary@example.com"]
    # The order of records is not checked, because shortened entries can have the same text.
    check_schemas_and_records(result)
    check_nobody_named(result, secrets=["xxxxx", "canary"])
    assert result.returncode == 0
    *malformed, last = result.records["lookups"]
    assert last["status"] == "found"
    return malformed


def test_each_entry_has_one_row(rows: list[dict[str, Any]]) -> None:
    """Two entries never share a key, even if they are equal once they are shortened and repaired."""
    assert len(rows) == len(ENTRIES)
    assert len({(row["email_address"], row["looked_up_at"]) for row in rows}) == len(ENTRIES)
    for row in rows:
        assert (row["status"], row["attempts"], row["http_status"], row["emails_count"]) == ("malformed", 0, None, None)
        assert row["errors"]


def test_a_target_can_store_and_index_each_entry(rows: list[dict[str, Any]]) -> None:
    """Characters that no target can store are replaced. A text that Postgres could not index is cut, and says so."""
    shown = dict(zip(map(str, ENTRIES), (row["email_address"] for row in rows), strict=True))
    assert shown["a\0b"] == "a\N{SYMBOL FOR NULL}b"
    assert shown["\ud800"] == "\N{REPLACEMENT CHARACTER}"
    assert shown["two\nlines"] == "two\nlines"
    assert shown[LONG] == shown[f"{LONG}z@"] == f"{'x' * 1_000}…"
    assert shown[WIDE] == f"{WIDE[:600]}…"
    assert shown["y" * 1_000] == "y" * 1_000
    assert shown["y" * 1_001] == f"{'y' * 1_000}…"
    assert json.loads(shown["['canary']"]) == ["canary"]
    for text in shown.values():
        assert len(f"{text}2026-01-01T00:00:00.000000Z".encode()) < POSTGRES_INDEXES_AT_MOST


def test_a_list_of_only_malformed_entries_is_accepted(sandbox: Sandbox, tmp_path: Path) -> None:
    """Gong is not asked, each entry has its row, and the run exits 0, even if the entries come from a file."""
    file = tmp_path / "list.txt"
    file.write_text("canary\nno address\ncanary\n", encoding="utf-8")
    result = run_tap({**sandbox.config, "email_addresses_file": str(file), "fail_on_malformed_address": False})
    check_output(result, secrets=["canary"])
    assert result.returncode == 0
    assert [row["email_address"] for row in result.records["lookups"]] == ["canary", "no address"]
    assert not sandbox.calls
