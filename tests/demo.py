"""The whole pipeline in one command: sandbox, tap under Meltano, a real Postgres, an erasure, and the reports."""

from __future__ import annotations

import json
import signal
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import psycopg
import requests
from psycopg import sql

from sandbox import ERASE_PATH
from tests.end_to_end.pipeline import CHECKOUT, SCHEMA, contradictions
from tests.stage import ADDRESSES, ERASE_AFTER, Stage, staged, step, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import FrameType

COLUMNS = {
    "emails": ("id", "from", "sent_time", "mailbox"),
    "calls": ("id", "status", "external_systems"),
    "meetings": ("id",),
    "customer_data": ("system", "objects"),
    "customer_engagement": ("event_type", "timestamp", "content_id", "event_name"),
}
ASKING = "jane.doe@example.com"
"""Who asks for access."""

ERASED = "john.smith@example.com"
"""Who asks for erasure."""

ROWS = 3
CELL = 60

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
        The exit code: 0 if each address was asked and its rows are in the database.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with staged() as stage:
            _demo(stage)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except RuntimeError as error:
        step(f"Failed: {error}")
        return 1
    return 0


def _demo(stage: Stage) -> None:
    step(f"Asking about {len(ADDRESSES)} addresses: meltano run tap-gong-privacy target-postgres")
    stage.load(ADDRESSES)
    with psycopg.connect(stage.postgres.conninfo) as connection:
        _show_lookups(connection)
        for stream, columns in COLUMNS.items():
            _show_rows(connection, stream, columns)
    asked_at = _erase(stage)
    step(f"Asking about {ERASED} again")
    stage.load([ERASED])
    with psycopg.connect(stage.postgres.conninfo) as connection:
        _show_history(connection)
    folder = _report(stage, asked_at)
    write(REAL)
    write(f"Reports: open {folder}/person.html, erasure.html and coverage.html")


def _erase(stage: Stage) -> datetime:
    """Ask the sandbox for an erasure as one asks Gong, wait for it, and return when it was asked for.

    Raises:
        RuntimeError: If the sandbox does not accept the request.
    """
    step(f"Asking Gong to erase {ERASED}: POST {ERASE_PATH}")
    asked_at = datetime.now(UTC)
    answer = requests.post(
        stage.sandbox.api_url + ERASE_PATH,
        params={"emailAddress": ERASED},
        auth=(stage.sandbox.access_key, stage.sandbox.access_key_secret),
        timeout=10,
    )
    if not answer.ok:
        msg = f"The sandbox answered {answer.status_code} to the erasure"
        raise RuntimeError(msg)
    write(f"    {answer.status_code} {answer.text}")
    step("Waiting a second for the erasure; Gong takes some hours")
    time.sleep(ERASE_AFTER)
    return asked_at


def _report(stage: Stage, asked_at: datetime) -> Path:
    """Make the three reports, and return their folder."""
    folder = CHECKOUT / "output" / f"demo-{asked_at:%Y%m%d-%H%M%S}"
    step("Making the reports: gong-privacy-report person, erasure and coverage")
    stage.report("person", ASKING, "--draft", folder=folder)
    stage.report("erasure", ERASED, "--asked-at", asked_at.isoformat(), folder=folder)
    stage.report("coverage", "--config", "ENV", folder=folder)
    return folder


def _show_lookups(connection: psycopg.Connection) -> None:
    """Show the audit trail.

    Raises:
        RuntimeError: If an address is missing, or a count is not that of the rows.
    """
    counts = tuple(f"{stream}_count" for stream in COLUMNS)
    lookups = _rows(connection, "lookups", ("email_address", "status", *counts), "looked_up_at")
    write(f"What Gong holds, address by address ({SCHEMA}.lookups)")
    _write_table(("email_address", "status", *COLUMNS), lookups)
    if {row[0] for row in lookups} != set(ADDRESSES) or len(lookups) != len(ADDRESSES):
        msg = "The lookups are not those of the addresses asked about"
        raise RuntimeError(msg)
    if wrong := contradictions(connection):
        msg = f"The counts of the lookups are not those of the rows in {', '.join(wrong)}"
        raise RuntimeError(msg)


def _show_history(connection: psycopg.Connection) -> None:
    """Show the look-ups of the erased address: Gong keeps meetings and engagement events."""
    counts = tuple(f"{stream}_count" for stream in COLUMNS)
    lookups = _rows(connection, "lookups", ("email_address", "looked_up_at", "status", *counts), "looked_up_at")
    write(f"What Gong held about {ERASED}, look-up by look-up")
    _write_table(("looked_up_at", "status", *COLUMNS), [row[1:] for row in lookups if row[0] == ERASED])


def _show_rows(connection: psycopg.Connection, stream: str, columns: Sequence[str]) -> None:
    rows = _rows(connection, stream, ("email_address", *columns), "looked_up_at", columns[0])
    write(f"{SCHEMA}.{stream}, {min(ROWS, len(rows))} of {len(rows)} rows")
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
        write(
            "  "
            + "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, numeric, strict=True)
            ).rstrip()
        )
    write("")


def _cell(value: object) -> str:
    """Return a value as one line of text, cut if it is long."""
    if value is None:
        text = "-"
    elif isinstance(value, datetime):
        text = f"{value:%Y-%m-%d %H:%M:%S}"
    elif isinstance(value, str | int):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
