"""The whole way in one command: a stand-in for Gong, the tap under Meltano, a real Postgres."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psycopg
from psycopg import sql

from tests.end_to_end.pipeline import (
    SCHEMA,
    MeltanoProject,
    as_environment,
    contradictions,
    running_sandbox,
)
from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import FrameType

COLUMNS = {
    "emails": ("id", "from", "sent_time", "mailbox"),
    "calls": ("id", "status", "external_systems"),
    "meetings": ("id",),
    "customer_data": ("system", "objects"),
    "customer_engagement": ("event_type", "timestamp", "content_id", "event_name"),
}
ADDRESSES = (
    "jane.doe@example.com",
    "john.smith@example.com",
    "maria.garcia@example.org",
    "wei.chen@example.org",
    "amina.diallo+events@example.net",
    "Pat.O'Brien@example.net",
    "test@test.com",
    "unknown.person@example.com",
    "unknown@example.org",
    "refused@example.com",
)
ROWS = 3
CELL = 60

# What the SDK says about itself.
CHATTER = ("Added '", "Beginning sync", "METRIC", "Skipping parse", "tap-gong-privacy v")

REAL = """\
With your own Gong
  1. Create an API key pair in Gong (scope api:data-privacy:read), and write config.json:

       {
         "access_key": "…",
         "access_key_secret": "…",
         "email_addresses": ["jane.doe@example.com"]
       }

  2. Look at what the tap prints, one JSON record a line:

       .venv/bin/tap-gong-privacy --config config.json

  3. Load it into your Postgres: put the settings into .env, then run Meltano.

       TAP_GONG_PRIVACY_ACCESS_KEY=…
       TAP_GONG_PRIVACY_ACCESS_KEY_SECRET=…
       TAP_GONG_PRIVACY_EMAIL_ADDRESSES=["jane.doe@example.com"]
       TARGET_POSTGRES_HOST=…
       TARGET_POSTGRES_USER=…
       TARGET_POSTGRES_PASSWORD=…
       TARGET_POSTGRES_DATABASE=…

       .venv-meltano/bin/meltano run tap-gong-privacy target-postgres
"""


def main() -> int:
    """Run the demo.

    Returns:
        The exit code: 0 where each address was asked and its rows are in the database.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with contextlib.ExitStack() as stack:
            return _demo(stack)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except RuntimeError as error:
        _step(f"Failed: {error}")
        return 1


def _demo(stack: contextlib.ExitStack) -> int:
    _step("Starting the sandbox, a stand-in for Gong on this machine")
    sandbox = stack.enter_context(running_sandbox())
    _step("Starting a Postgres of its own")
    postgres = stack.enter_context(running_postgres())
    _step(f"Asking about {len(ADDRESSES)} addresses: meltano run tap-gong-privacy target-postgres")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-")))
    loaded = MeltanoProject(folder).run(
        "run",
        "tap-gong-privacy",
        "target-postgres",
        environment={
            **as_environment(
                "tap-gong-privacy",
                api_url=sandbox.api_url,
                access_key=sandbox.access_key,
                access_key_secret=sandbox.access_key_secret,
                email_addresses=ADDRESSES,
                fail_on_rejected_address=False,
            ),
            **as_environment("target-postgres", **postgres._asdict(), default_target_schema=SCHEMA),
        },
        on_line=_relay,
    )
    if loaded.returncode:
        sys.stderr.write(loaded.stdout)
        msg = f"Meltano ended with exit code {loaded.returncode}; what it printed stands above"
        raise RuntimeError(msg)
    connection = stack.enter_context(psycopg.connect(postgres.conninfo))
    _show_lookups(connection)
    for stream, columns in COLUMNS.items():
        _show_rows(connection, stream, columns)
    _write(REAL)
    return 0


def _show_lookups(connection: psycopg.Connection) -> None:
    """Show the audit trail.

    Raises:
        RuntimeError: If an address is missing, or a count is not that of the rows.
    """
    counts = tuple(f"{stream}_count" for stream in COLUMNS)
    lookups = _rows(connection, "lookups", ("email_address", "status", *counts), "looked_up_at")
    _write(f"What Gong holds, address by address ({SCHEMA}.lookups)")
    _write_table(("email_address", "status", *COLUMNS), lookups)
    if {row[0] for row in lookups} != set(ADDRESSES) or len(lookups) != len(ADDRESSES):
        msg = "The lookups are not those of the addresses asked about"
        raise RuntimeError(msg)
    if wrong := contradictions(connection):
        msg = f"The counts of the lookups are not those of the rows in {', '.join(wrong)}"
        raise RuntimeError(msg)


def _show_rows(connection: psycopg.Connection, stream: str, columns: Sequence[str]) -> None:
    rows = _rows(connection, stream, ("email_address", *columns), "looked_up_at", columns[0])
    _write(f"{SCHEMA}.{stream}, {min(ROWS, len(rows))} of {len(rows)} rows")
    _write_table(("email_address", *columns), rows[:ROWS])


def _rows(connection: psycopg.Connection, stream: str, columns: Sequence[str], *order: str) -> list[tuple[object, ...]]:
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(SCHEMA, stream)
    )
    if order:
        query += sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(map(sql.Identifier, order)))
    return connection.execute(query).fetchall()


def _write_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write columns as wide as they need, numbers to the right."""
    rows = list(rows)
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [all(value is None or isinstance(value, int) for value in column) for column in zip(*rows, strict=True)]
    rule = ["─" * width for width in widths]
    for line in (cells[0], rule, *cells[1:]):
        _write(
            "  "
            + "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, numeric, strict=True)
            ).rstrip()
        )
    _write("")


def _cell(value: object) -> str:
    """A value as text of one line, cut where it is long."""
    if value is None:
        text = "-"
    elif isinstance(value, datetime):
        text = f"{value:%Y-%m-%d %H:%M:%S}"
    elif isinstance(value, str | int):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def _relay(line: str) -> None:
    """Pass on what the tap says of its work."""
    _, tap, message = line.partition("] tap-gong-privacy ")
    if tap and not message.startswith(CHATTER):
        _write(f"    {message.rstrip()}")


def _step(text: str) -> None:
    _write(f"==> {text}")


def _write(text: str) -> None:
    print(text, flush=True)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
