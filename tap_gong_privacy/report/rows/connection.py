"""Connects to a database, read-only, and says in one line what is wrong with it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy import exc

from tap_gong_privacy import privacy
from tap_gong_privacy.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES: Final = {
    "psycopg2": "psycopg2, or write postgresql+psycopg in the URL",
    "psycopg": "tap-gong-privacy[report]",
    "snowflake": "tap-gong-privacy[report-snowflake]",
}
_TESTED: Final = {"postgresql", "snowflake", "sqlite"}
# A shorter secret would be hidden within words of the messages, which would show what it is.
_HIDDEN_FROM: Final = 4
_MESSAGES: Final = {
    "42501": "The tables may not be read: grant this user USAGE of the schema and SELECT on its tables.",
    "55P03": "A load is changing the tables: wait for its end, and run this again.",
    "42883": "A column of the tables has another type than the tap's: were they loaded by this tap?",
}
"""What to do, by SQLSTATE."""
_REASONS: Final = [
    (re.compile(pattern), reason)
    for pattern, reason in (
        ("root certificate file", "TLS needs the certificate of the server's CA: name its file with sslrootcert"),
        (
            "certificate",
            "the TLS certificate of the server could not be verified: check sslrootcert and the host's name",
        ),
        ("sslmode|ssl ", "TLS failed: check sslmode and the other settings for TLS in the database URL"),
        ("authentication failed", "it refused the user name or the password"),
        ("no password supplied", "it asks for a password"),
        ("connection refused", "the connection was refused. Check the host and the port, and whether the server runs"),
        ("could not translate host name|failed to resolve host", "its host name could not be resolved"),
        ("label.* too long|label empty", "its host name could not be resolved"),
        ("timeout", "it did not answer in time"),
        ('(database|role) ".*" does not exist', "there is no such database or user"),
        ("out of range|too large|too small|infinity", "a time in the tables is outside the years 1 to 9999"),
    )
]
"""What libpq and psycopg say, in words that name nobody."""


@contextlib.contextmanager
def connected(text: str) -> Iterator[sa.Connection]:
    """Connect to a database, and read it in one read-only transaction.

    Args:
        text: SQLAlchemy's URL of the database.

    Raises:
        ConfigError: If the database cannot be read. Errors of databases and drivers, which quote values and URLs,
            become one line that says what to do.
    """
    url = _url(text)
    try:
        with _transaction(url) as connection:
            yield connection
    except (ImportError, UnicodeError, exc.SQLAlchemyError) as error:
        raise ConfigError(_describe(error, url)) from None


@contextlib.contextmanager
def _transaction(url: sa.URL) -> Iterator[sa.Connection]:
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_file():
        msg = "There is no such SQLite file: correct the path in the database URL."  # which SQLite would create
        raise ConfigError(msg)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect().execution_options(**_options(url)) as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
                connection.exec_driver_sql("BEGIN")
            elif connection.dialect.name == "postgresql":
                # A load that changes a table would have it wait for its end.
                connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
            yield connection
    finally:
        engine.dispose()


def _options(url: sa.URL) -> dict[str, object]:
    if url.get_backend_name() != "postgresql":
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text.strip())
    except (exc.ArgumentError, ValueError):
        # Without a user: the net before stderr takes an at sign for that of an address.
        msg = (
            "The database URL cannot be read: it has the form postgresql://host:5432/database, with a user if need be."
        )
        raise ConfigError(msg) from None
    if "@" in (url.host or ""):
        msg = "The database URL has an at sign in its password: percent-encode it, and / : # ? as well."
        raise ConfigError(msg)
    if len(url.password or "") >= _HIDDEN_FROM:
        privacy.hide([str(url.password)])
    # SQLAlchemy's own default has changed between its versions.
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def _describe(error: Exception, url: sa.URL) -> str:
    if isinstance(error, exc.NoSuchModuleError):
        return f"The database URL names a dialect that is not installed: install {_package(str(error))}."
    if isinstance(error, ImportError):
        return f"The driver that the database URL names is not installed: install {_package(str(error.name))}."
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    text = str(cause).lower()
    if message := _MESSAGES.get(str(getattr(cause, "sqlstate", None))):
        return message
    if reason := next((reason for pattern, reason in _REASONS if pattern.search(text)), None):
        return f"The database could not be read: {reason}."
    kind, dialect = type(cause).__name__, url.get_backend_name()
    if dialect in _TESTED:
        return f"The database could not be read ({kind}): check the database URL, and whether the server runs."
    return (
        f"The database could not be read ({kind}). The report is tested with Postgres and Snowflake; this dialect, or "
        "its version, may not fit this SQLAlchemy."
    )


def _package(text: str) -> str:
    return next((package for name, package in _PACKAGES.items() if name in text), "its package, or correct the URL")
