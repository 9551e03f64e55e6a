"""Run target-snowflake without an account, in the environment in which Meltano has installed it.

`python -I record_target.py FILE OPTION…` is `target-snowflake OPTION…`, all of it but the connection: that one answers
as an account would in which nothing exists yet, and FILE gets a JSON array of what was sent. A file that is put into
the stage stands there as the records in it.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import snowflake.connector  # installed where this runs
from target_snowflake.target import TargetSnowflake  # type: ignore[import-not-found]  # as above

ANSWERS = {
    "SELECT CURRENT_VERSION()": ("9.0.0",),
    "select current_database(), current_schema();": ("GONG", "PUBLIC"),
    "SHOW DATABASES;": ("", "GONG"),
}
"""The row that a statement is answered with; all others get none. The target looks for its database."""

sent: list[dict[str, Any]] = []


class Cursor:
    """As much of the driver's cursor as the target uses."""

    description = (("column", None, None, None, None, None, None),)
    rowcount = 0

    def __init__(self) -> None:
        """Begin without rows."""
        self.rows: list[tuple[str, ...]] = []

    def execute(self, statement: str, parameters: dict[str, str] | None = None) -> None:
        """Take a statement down, and what it puts into the stage."""
        entry: dict[str, Any] = {"statement": statement.strip()}
        if staged := (parameters or {}).get("file_uri"):
            with gzip.open(unquote(urlsplit(staged).path), "rt", encoding="utf-8") as lines:
                entry["records"] = [json.loads(line) for line in lines]
        sent.append(entry)  # at once: the target loads its tables side by side
        self.rows = [ANSWERS[statement]] if statement in ANSWERS else []

    def fetchmany(self, count: int) -> list[tuple[str, ...]]:
        """The next rows, so many at most."""
        taken, self.rows = self.rows[:count], self.rows[count:]
        return taken

    def fetchone(self) -> tuple[str, ...] | None:
        """The next row."""
        return next(iter(self.fetchmany(1)), None)

    def fetchall(self) -> list[tuple[str, ...]]:
        """All rows that are left."""
        return self.fetchmany(len(self.rows))

    def close(self) -> None:
        """End, which takes nothing."""


class Connection:
    """As much of the driver's connection as the target uses."""

    cursor = Cursor

    def autocommit(self, mode: bool) -> None:  # noqa: FBT001 - the driver's own form
        """Take a mode, which changes nothing."""

    def commit(self) -> None:
        """End a transaction, which takes nothing."""

    rollback = close = commit


def connect(**options: Any) -> Connection:  # noqa: ANN401 - whatever the target gives
    """Take down how the target logs in."""
    sent.append({"connect": options})
    return Connection()


if __name__ == "__main__":
    output = Path(sys.argv.pop(1))
    snowflake.connector.connect = connect
    try:
        TargetSnowflake.cli()
    finally:
        output.write_text(json.dumps(sent), encoding="utf-8")
