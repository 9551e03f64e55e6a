"""An example project in a folder of its own, set up and run by the commands of its README."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import requests
from psycopg import sql

from sandbox import ERASE_PATH, Sandbox
from tests.end_to_end.pipeline import CHECKOUT, MELTANO
from tests.postgres import Postgres, psql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PASSWORD = "a-password"
CONNECTION = ":password@host:5432/database?sslmode=require"
SECONDS = 300
NOTHING: Mapping[str, str] = {}


class Example:
    """A copy of an example project between a sandbox and a Postgres."""

    def __init__(self, name: str, parent: Path, server: Postgres, sandbox: Sandbox) -> None:
        """Copy the example and set up its database, as its README says.

        Args:
            name: The name of the example's folder.
            parent: An empty folder.
            server: A server with an empty database.
            sandbox: The stand-in for Gong.
        """
        self.server = server
        self.sandbox = sandbox
        self.readme = (CHECKOUT / "examples" / name / "README.md").read_text(encoding="utf-8")
        copy = re.search(rf"cp -r /path/to/tap-gong-privacy/examples/{name} ([\w-]+)", self.readme)
        assert copy
        self.folder = parent
        self.follow(copy[0], {"/path/to/tap-gong-privacy": str(CHECKOUT)})
        self.folder = parent / copy[1]
        # Meltano is the one of the tests. Its installation is the same in all projects.
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        (self.folder / ".venv" / "bin" / "meltano").symlink_to(MELTANO)
        self.follow("cp .env.example .env && chmod 600 .env")
        administrator = self.url("postgresql", server.user, server.password)
        self.follow('psql "$ADMIN_URL" -f database.sql', variables={"ADMIN_URL": administrator})
        self.execute(
            *(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
                for role in re.findall(r"\\password (\w+)", self.readme)
            )
        )

    def url(self, scheme: str, user: str, password: str = PASSWORD) -> str:
        """The URL of the database for a user."""
        return f"{scheme}://{user}:{password}@{self.server.host}:{self.server.port}/{self.server.database}"

    def fill_in(self, **values: str) -> None:
        """Write `.env`: the sandbox, the server, and further values of variables that are empty."""
        place = f":{PASSWORD}@{self.server.host}:{self.server.port}/{self.server.database}"
        text = (self.folder / ".env.example").read_text(encoding="utf-8")
        assert text.count(CONNECTION) == 2
        text = text.replace(CONNECTION, place).replace("/path/to/tap-gong-privacy", str(CHECKOUT))
        gong = {
            "TAP_GONG_PRIVACY_ACCESS_KEY": self.sandbox.access_key,
            "TAP_GONG_PRIVACY_ACCESS_KEY_SECRET": self.sandbox.access_key_secret,
            "TAP_GONG_PRIVACY_API_URL": self.sandbox.url,
        }
        for name, value in {**gong, **values}.items():
            assert f"\n{name}=''\n" in text
            text = text.replace(f"\n{name}=''\n", f"\n{name}='{value}'\n")
        (self.folder / ".env").write_text(text, encoding="utf-8")

    def write_list(self, addresses: Iterable[str]) -> None:
        """Write the list of addresses."""
        self.follow(
            r"printf 'email_address\njane.doe@example.com\n' > addresses.csv",
            {"jane.doe@example.com": r"\n".join(addresses)},
        )

    def follow(
        self,
        line: str,
        replacements: Mapping[str, str] = NOTHING,
        *,
        variables: Mapping[str, str] = NOTHING,
        is_checked: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a line of the README in the project's folder, with the variables of `.env`.

        Args:
            line: The line, as the README has it.
            replacements: What to write in place of the README's examples.
            variables: Further variables of the environment.
            is_checked: Whether the line has to succeed.

        Returns:
            The exit code, and both outputs.
        """
        assert line in self.readme
        for old, new in replacements.items():
            assert old in line
            line = line.replace(old, new)
        return self.shell(line, variables, is_checked=is_checked)

    def shell(
        self, line: str, variables: Mapping[str, str] = NOTHING, *, is_checked: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a line in the project's folder, with the variables of `.env`."""
        environment = {
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "NO_COLOR": "1",
            "PATH": f"{psql().parent}:{os.environ['PATH']}",
            "TAP_GONG_PRIVACY_REQUESTS_PER_SECOND": "1000",
        }
        load = "set -a; . ./.env; set +a; " if (self.folder / ".env").exists() else ""
        done = subprocess.run(
            ["/bin/sh", "-c", load + line],
            cwd=self.folder,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        assert not is_checked or done.returncode == 0, done.stdout + done.stderr
        return done

    def execute(self, *statements: sql.SQL | sql.Composed) -> None:
        """Run statements as the administrator of the database."""
        with psycopg.connect(self.server.conninfo) as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, as the administrator of the database sees them."""
        with psycopg.connect(self.server.conninfo) as connection:
            return connection.execute(query.encode()).fetchall()

    def asked(self) -> list[str]:
        """The addresses that Gong has been asked about since the last time."""
        asked = [call.address for call in self.sandbox.calls if call.method == "GET"]
        self.sandbox.calls.clear()
        return sorted(asked)

    def erase(self, address: str) -> None:
        """Ask the sandbox to erase an address."""
        credentials = (self.sandbox.access_key, self.sandbox.access_key_secret)
        answer = requests.post(
            f"{self.sandbox.url}{ERASE_PATH}", params={"emailAddress": address}, auth=credentials, timeout=10
        )
        assert answer.status_code == 200
