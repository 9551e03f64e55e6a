"""The queries of `docs/sql`, in both forms, with values in place of their variables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SQL = Path(__file__).parents[2] / "docs" / "sql"
QUERIES = sorted(SQL.glob("*.sql"))
SNOWFLAKE_QUERIES = sorted((SQL / "snowflake").glob("*.sql"))

VALUES: Mapping[str, str] = {
    "addresses": "jane.doe@example.com",
    "asked_at": "2026-01-15 09:00",
    "since": "-infinity",
    "api_urls": "",
}
"""The value of a variable that a test does not set."""


def for_postgres(path: Path, values: Mapping[str, str] = VALUES) -> str:
    """The SQL of a file as psql sends it: without psql's own commands, with quoted values for variables."""
    lines = (line for line in path.read_text().splitlines() if not line.lstrip().startswith("\\"))
    return re.sub(r":'(\w+)'", lambda match: _quoted(values[match[1]]), "\n".join(lines))


def for_snowflake(path: Path, values: Mapping[str, str]) -> list[str]:
    """The statements of a file, with other values in its SET statements."""
    text = path.read_text()
    for name, value in values.items():
        text = re.sub(rf"^SET {name} = '.*';$", f"SET {name} = {_quoted(value)};", text, flags=re.MULTILINE)
    return [statement.strip() for statement in re.split(r";$", text, flags=re.MULTILINE) if statement.strip()]


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
