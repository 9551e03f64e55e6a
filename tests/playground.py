"""A sandbox and a Postgres that stay up until Ctrl-C, with what to paste into another terminal."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from sandbox import ERASE_PATH
from tests.postgres import psql
from tests.stage import ADDRESSES, Stage, staged, step, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

PERSON = ADDRESSES[0]
ERASED = ADDRESSES[1]


def main() -> int:
    """Serve until SIGINT or SIGTERM arrives, and return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with staged() as stage:
            step(f"Loading {len(ADDRESSES)} addresses")
            stage.load(ADDRESSES)
            write(_instructions(stage))
            signal.pause()
    except KeyboardInterrupt:
        step("Stopped; the sandbox and the database are gone")
    except RuntimeError as error:
        step(f"Failed: {error}")
        return 1
    return 0


def _instructions(stage: Stage) -> str:
    server = stage.postgres
    connection = {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
        "PGDATABASE": server.database,
        "PGTZ": "UTC",
    }
    command = "psql" if shutil.which("psql") else shlex.quote(str(psql()))
    credentials = f"{stage.sandbox.access_key}:{stage.sandbox.access_key_secret}"
    return f"""
Paste into another terminal, in this folder:

  {_exports(stage.tap)}
  {_exports(stage.target)}
  {_exports(connection)}
  {_exports({"GONG_PRIVACY_DATABASE_URL": stage.database_url})}

Then try, for example:

  export TAP_GONG_PRIVACY_EMAIL_ADDRESSES='["{PERSON}", "{ERASED}"]'
  .venv/bin/tap-gong-privacy --config=ENV
  .venv-meltano/bin/meltano run tap-gong-privacy target-postgres
  {command} -v addresses={PERSON} -f docs/sql/person.sql
  .venv/bin/gong-privacy-report person {PERSON} --draft
  curl -u {credentials} -X POST -G --data-urlencode emailAddress={ERASED} {stage.sandbox.api_url}{ERASE_PATH}

Ctrl-C here stops the sandbox and the database, and deletes what was loaded."""


def _exports(variables: Mapping[str, str]) -> str:
    return "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
