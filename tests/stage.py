"""What the demo and the playground run on: the sandbox, a Postgres, and Meltano between them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.end_to_end.pipeline import CHECKOUT, SCHEMA, MeltanoProject, Sandbox, as_environment, running_sandbox
from tests.postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
"""The list of the demo and of the playground."""

ERASE_AFTER = 1
"""Seconds from the request of an erasure until the sandbox has erased the data."""

REPORT = Path(sys.executable).with_name("gong-privacy-report")

# Lines of the SDK about itself.
CHATTER = ("Added '", "Beginning sync", "METRIC", "Skipping parse", "tap-gong-privacy v")


@dataclass(frozen=True)
class Stage:
    """A sandbox and a Postgres that are up, and a Meltano project between them."""

    sandbox: Sandbox
    postgres: Postgres
    project: MeltanoProject

    @property
    def tap(self) -> dict[str, str]:
        """The variables with which the tap reaches the sandbox."""
        return as_environment(
            "tap-gong-privacy",
            api_url=self.sandbox.api_url,
            access_key=self.sandbox.access_key,
            access_key_secret=self.sandbox.access_key_secret,
            fail_on_rejected_address=False,
        )

    @property
    def target(self) -> dict[str, str]:
        """The variables with which the target reaches Postgres."""
        return as_environment("target-postgres", **self.postgres._asdict(), default_target_schema=SCHEMA)

    @property
    def database_url(self) -> str:
        """The database as SQLAlchemy names it."""
        user, password = self.postgres.user, self.postgres.password
        return f"postgresql+psycopg://{user}:{password}@{self.postgres.host}:{self.postgres.port}/postgres"

    def load(self, addresses: Sequence[str]) -> None:
        """Look addresses up and load the answers, and print what the tap logs.

        Raises:
            RuntimeError: If Meltano fails.
        """
        loaded = self.project.run(
            "run",
            "tap-gong-privacy",
            "target-postgres",
            environment={**self.tap, **as_environment("tap-gong-privacy", email_addresses=addresses), **self.target},
            on_line=_relay,
        )
        if loaded.returncode:
            sys.stderr.write(loaded.stdout)
            msg = f"Meltano ended with exit code {loaded.returncode}; see its output above"
            raise RuntimeError(msg)

    def report(self, *arguments: str, folder: Path) -> None:
        """Make a report about what is loaded, in a folder.

        Raises:
            RuntimeError: If it was not made. A report that is made, and says what is missing, is as good as any.
        """
        environment = {**self.tap, **as_environment("tap-gong-privacy", email_addresses=ADDRESSES)}
        done = subprocess.run(
            [REPORT, *arguments, "--to", folder],
            cwd=CHECKOUT,
            env={**environment, "GONG_PRIVACY_DATABASE_URL": self.database_url, "LANG": "C.UTF-8"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if not (folder / f"{arguments[0]}.html").exists():
            msg = f"The report was not made:\n{done.stderr}"
            raise RuntimeError(msg)


@contextlib.contextmanager
def staged() -> Iterator[Stage]:
    """Start the sandbox and Postgres, and stop them at the end."""
    with contextlib.ExitStack() as stack:
        step("Starting the sandbox, a stand-in for Gong on this machine")
        sandbox = stack.enter_context(running_sandbox(f"--erase-after={ERASE_AFTER}"))
        step("Starting a Postgres for this run alone")
        postgres = stack.enter_context(running_postgres())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stage-"))
        yield Stage(sandbox, postgres, MeltanoProject(Path(folder)))


def step(text: str) -> None:
    """Print what happens now."""
    write(f"==> {text}")


def write(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def _relay(line: str) -> None:
    """Print what the tap logs about its work."""
    _, tap, message = line.partition("] tap-gong-privacy ")
    if tap and not message.startswith(CHATTER):
        write(f"    {message.rstrip()}")
