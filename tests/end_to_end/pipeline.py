"""The two ends of a real pipeline: the sandbox and Meltano, each in a separate process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from psycopg import Connection

CHECKOUT = Path(__file__).parents[2]
MELTANO = CHECKOUT / ".venv-meltano" / "bin" / "meltano"
PLUGINS = CHECKOUT / ".meltano"
STOP_SECONDS = 10
INSTALLING = {"el", "elt", "invoke", "run"}
"""The commands that would reinstall a plugin if its definition had changed."""

# Runs a command until standard input closes, which happens when this process ends, however it ends.
# Only the command holds standard output, so that its end is seen there.
SUPERVISOR = '"$@" </dev/null & exec >&-; read -r _; kill $!; wait $!'


SCHEMA = "gong_privacy"
SECTIONS = ("emails", "calls", "meetings", "customer_data", "customer_engagement")

CONTRADICTIONS = sql.SQL("""
    WITH latest AS (
        SELECT DISTINCT ON (email_address) *
        FROM {lookups}
        WHERE status IN ('found', 'not_found')
        ORDER BY email_address, looked_up_at DESC
    )
    SELECT count(*)
    FROM latest
    WHERE {count} IS DISTINCT FROM (
        SELECT count(*)
        FROM {section} AS section
        WHERE section.email_address = latest.email_address
            AND section.looked_up_at = latest.looked_up_at
    )
""")


class Sandbox(NamedTuple):
    """Where a sandbox listens, and the credentials that it takes."""

    api_url: str
    access_key: str
    access_key_secret: str
    access_token: str


@contextlib.contextmanager
def running_sandbox(*options: str) -> Iterator[Sandbox]:
    """Start a sandbox, and stop it at the end, even if this process dies.

    Raises:
        RuntimeError: If the sandbox does not start.
    """
    command = (sys.executable, "-m", "sandbox", *options)
    with subprocess.Popen(
        ["/bin/sh", "-c", SUPERVISOR, "sh", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process alone
    ) as supervisor:
        try:
            first_line = supervisor.stdout.readline() if supervisor.stdout else ""
            if not first_line.startswith("Sandbox: "):
                msg = "The sandbox did not start"
                raise RuntimeError(msg)
            yield Sandbox(**dict(re.findall(r"(\w+)=(\S+)", first_line)))
        finally:
            supervisor.communicate()


class MeltanoProject:
    """A copy of the checkout's Meltano project in a separate folder, with its own state, logs and run files.

    The plugins are those installed in the checkout; its `.env` and the environment have no say.
    """

    def __init__(self, folder: Path) -> None:
        """Copy the project into an empty folder.

        Raises:
            RuntimeError: If Meltano or a plugin is not installed.
        """
        if not (PLUGINS / ".complete").exists():
            msg = "Meltano is not set up: `make test` and `make demo` do so"
            raise RuntimeError(msg)
        self.folder = folder
        shutil.copy(CHECKOUT / "meltano.yml", folder)
        (folder / ".meltano").mkdir()
        for kind in ("extractors", "loaders"):
            (folder / ".meltano" / kind).symlink_to(PLUGINS / kind)

    def run(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] = lambda _: None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a Meltano command to its end; its children end with it, also when this is cut short.

        Nothing is installed by it: the plugins are the checkout's.

        Args:
            arguments: What follows `meltano` on the command line.
            environment: Further variables.
            on_line: Called with each line as it is printed.

        Returns:
            The exit code, and standard output and error together.
        """
        lines = []
        name, *rest = arguments
        with subprocess.Popen(
            [MELTANO, name, *(["--no-install"] if name in INSTALLING else []), *rest],
            cwd=self.folder,
            env=self._environment() | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,  # a process group, to be ended as a whole
        ) as process:
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    on_line(line)
                code = process.wait()
            except BaseException:
                _end_group(process)
                raise
        return subprocess.CompletedProcess(arguments, code, "".join(lines))

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),  # Meltano's own logs and caches
            "LANG": "C.UTF-8",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "MELTANO_PROJECT_ROOT": str(self.folder),
            "NO_COLOR": "1",
            "PATH": os.environ["PATH"],
        }


def _end_group(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def as_environment(plugin: str, **settings: object) -> dict[str, str]:
    """The variables that give Meltano a plugin's settings; text as it is, anything else as JSON."""
    prefix = plugin.upper().replace("-", "_")
    return {
        f"{prefix}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }


def contradictions(connection: Connection) -> dict[str, int]:
    """Count, for each section, the addresses whose latest answer promises other rows than exist."""
    return {
        section: row[0]
        for section in SECTIONS
        for row in connection.execute(
            CONTRADICTIONS.format(
                lookups=sql.Identifier(SCHEMA, "lookups"),
                count=sql.Identifier(f"{section}_count"),
                section=sql.Identifier(SCHEMA, section),
            )
        )
        if row[0]
    }
