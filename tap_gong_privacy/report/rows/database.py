"""Reads the tables of a database: in one read-only transaction, whatever SQLAlchemy's dialect."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy import exc

from tap_gong_privacy import privacy
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report.model import Loaded, LookUp, in_order, latest_of
from tap_gong_privacy.report.rows.tables import STREAMS, TABLES, Kind, Row, read_value, refuse_missing
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

DEFAULT_SCHEMA: Final = "gong_privacy"
_AT_A_TIME: Final = 2000
_PACKAGES: Final = {
    "psycopg2": "psycopg2, or write postgresql+psycopg in the URL",
    "psycopg": "tap-gong-privacy[report]",
    "snowflake": "tap-gong-privacy[report-snowflake]",
}
# What libpq and SQLSTATE say, in words that name nobody.
_REASONS: Final = {
    "authentication failed": "it refused the user name or the password",
    "no password supplied": "it asks for a password",
    "connection refused": "the connection was refused",
    "could not translate host name": "its host name could not be resolved",
    "failed to resolve host": "its host name could not be resolved",
    "timeout": "it did not answer in time",
    "does not exist": "there is no such database or user",
}
_DENIED: Final = "42501"
_LOCKED: Final = "55P03"


def read(url: str, schema: str, addresses: Sequence[str] | None, *, with_rows: bool = False) -> Loaded:
    """Read what was loaded into a database.

    Args:
        url: SQLAlchemy's URL of the database.
        schema: The schema that the tables are in.
        addresses: The addresses whose look-ups are read; None for those of all, and every address of the tables.
        with_rows: Whether the rows of these addresses are read, too.

    Returns:
        What the tables hold.

    Raises:
        ConfigError: If the database cannot be read, or holds none of the tap's tables.
    """
    with _errors_in_one_line(), _connected(url) as connection:
        return Reader(connection, _schema_of(connection, schema)).read(addresses, with_rows=with_rows)


class Reader:
    """Reads the tables of one schema through one connection."""

    def __init__(self, connection: sa.Connection, schema: str | None) -> None:
        """Look which tables and columns there are.

        Raises:
            ConfigError: If the tables do not say what was asked.
        """
        self._connection = connection
        inspector = sa.inspect(connection)
        self._tables: dict[str, sa.Table] = {}
        for name, columns in TABLES.items():
            with contextlib.suppress(exc.NoSuchTableError, exc.UnreflectableTableError):
                self._tables[name] = table_of(
                    name, columns, [str(column["name"]) for column in inspector.get_columns(name, schema)], schema
                )
        self.columns = {name: frozenset(table.columns.keys()) for name, table in self._tables.items()}
        if not self.columns:
            msg = "The schema holds none of the tap's tables: check --schema and the database's name, or load first."
            raise ConfigError(msg)
        refuse_missing(self.columns)

    def read(self, addresses: Sequence[str] | None, *, with_rows: bool) -> Loaded:
        """Read the look-ups, and the rows where they are wanted."""
        lookups = self._tables[LOOKUPS]
        every = (LookUp.of(row) for row in self._rows(LOOKUPS, addresses))
        look_ups = latest_of(every) if addresses is None else in_order(every)
        if not look_ups and self._first(sa.select(lookups.c[EMAIL_ADDRESS])) is None:
            raise ConfigError(NOTHING_LOADED)
        return Loaded(
            columns=self.columns,
            look_ups=look_ups,
            rows={name: list(self._rows(name, addresses)) for name in self._tables if name in STREAMS}
            if with_rows
            else {},
            addresses=self._all_addresses() if addresses is None else frozenset(),
            other_spellings=self._other_spellings(addresses) if addresses else 0,
            are_pseudonyms=self._first(sa.select(lookups.c[EMAIL_ADDRESS]).where(lookups.c[EMAIL_ADDRESS].like("%@%")))
            is None,
        )

    def _rows(self, name: str, addresses: Sequence[str] | None) -> Iterator[Row]:
        table, kinds = self._tables[name], TABLES[name]
        names = table.columns.keys()
        statement = select(table, name, addresses, self._connection.dialect.name)
        for row in self._connection.execute(statement.execution_options(yield_per=_AT_A_TIME)):
            yield {column: read_value(value, kinds[column]) for column, value in zip(names, row, strict=True)}

    def _first(self, statement: sa.Select[tuple[object]]) -> object:
        return self._connection.execute(statement.limit(1)).scalar()

    def _all_addresses(self) -> frozenset[str]:
        statements = [sa.select(table.c[EMAIL_ADDRESS]).distinct() for table in self._tables.values()]
        return frozenset(
            str(address) for statement in statements for address in self._connection.execute(statement).scalars()
        )

    def _other_spellings(self, addresses: Sequence[str]) -> int:
        column = self._tables[LOOKUPS].c[EMAIL_ADDRESS]
        statement = (
            sa.select(column).where(sa.func.lower(column).in_({address.lower() for address in addresses})).distinct()
        )
        return len(set(self._connection.execute(statement).scalars()) - set(addresses))


NOTHING_LOADED: Final = "The table lookups holds no row: load first, and see how the tap's run ended."


def table_of(name: str, columns: Mapping[str, Kind], present: Iterable[str], schema: str | None) -> sa.Table:
    """Return a table with those of its documented columns that are present, by their documented names.

    Args:
        name: The stream's name.
        columns: The stream's columns.
        present: The columns' names in the database, in whichever case it keeps them.
        schema: The schema.
    """
    by_name = {column.lower(): column for column in present}
    # As the database spells them: Snowflake has `FROM`, which needs quotes and its own case.
    found: list[sa.Column[object]] = [sa.Column(by_name[column], key=column) for column in columns if column in by_name]
    return sa.Table(name, sa.MetaData(), *found, schema=schema)


def select(table: sa.Table, name: str, addresses: Sequence[str] | None, dialect: str) -> sa.Select[tuple[object, ...]]:
    """Return the statement that reads a table's rows, those of some addresses alone where they are given."""
    kinds = TABLES[name]
    columns = [
        # One form for all that Postgres has for JSON: jsonb, jsonb[] and text[].
        sa.cast(sa.func.to_jsonb(column), sa.Text) if dialect == "postgresql" and kinds[key] is Kind.JSON else column
        for key, column in table.columns.items()
    ]
    statement: sa.Select[tuple[object, ...]] = sa.select(*columns)
    return statement if addresses is None else statement.where(table.c[EMAIL_ADDRESS].in_(list(addresses)))


def _schema_of(connection: sa.Connection, schema: str) -> str | None:
    # SQLite has no schemas to create, so that the default cannot be meant.
    is_default_of_sqlite = connection.dialect.name == "sqlite" and schema == DEFAULT_SCHEMA
    return None if is_default_of_sqlite or not schema else schema


@contextlib.contextmanager
def _connected(text: str) -> Iterator[sa.Connection]:
    url = _url(text)
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
    if url.password:
        privacy.hide([url.password])
    # SQLAlchemy's own default has changed between its versions.
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


@contextlib.contextmanager
def _errors_in_one_line() -> Iterator[None]:
    """Turn the errors of databases and drivers, which quote values and URLs, into lines that say what to do.

    Raises:
        ConfigError: In place of such an error.
    """
    try:
        yield
    except exc.NoSuchModuleError as error:
        msg = f"The database URL names a dialect that is not installed: install {_package(str(error))}."
    except ImportError as error:
        msg = f"The driver that the database URL names is not installed: install {_package(str(error.name))}."
    except exc.DBAPIError as error:
        msg = _describe(error)
    except exc.SQLAlchemyError as error:
        msg = f"The database could not be read ({type(error).__name__}): check the database URL and --schema."
    else:
        return
    raise ConfigError(msg)


def _package(text: str) -> str:
    return next((package for name, package in _PACKAGES.items() if name in text), "its package, or correct the URL")


def _describe(error: exc.DBAPIError) -> str:
    text, state = str(error.orig).lower(), getattr(error.orig, "sqlstate", None)
    if state == _DENIED:
        return "The tables may not be read: grant this user USAGE of the schema and SELECT on its tables."
    if state == _LOCKED:
        return "A load is changing the tables: wait for its end, and run this again."
    reason = next((reason for part, reason in _REASONS.items() if part in text), type(error.orig).__name__)
    return f"The database could not be read ({reason}): check the database URL, and whether the server runs."
