"""Reads the tables of a database: in one read-only transaction, whatever SQLAlchemy's dialect."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import exc

from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.report.rows.connection import connected
from tap_gong_privacy.report.rows.tables import (
    ANSWERS,
    FOUND,
    KEYS,
    MALFORMED,
    NOT_FOUND,
    STREAMS,
    TABLES,
    Content,
    Group,
    Loaded,
    Row,
    has_zone,
    read_time,
    read_value,
    refuse_missing,
    spellings_of,
)
from tap_gong_privacy.singer.schemas import EMAIL_ADDRESS, LOOKED_UP_AT, LOOKUPS, REQUEST_ID, UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

DEFAULT_SCHEMA: Final = "gong_privacy"
_AT_A_TIME: Final = 2000
_MOST_IN_A_LIST: Final = 5000
_OK: Final = 200
_TYPES: Final = {Content.TEXT: str, Content.INTEGER: int}


def read(url: str, schema: str, addresses: Collection[str] | None, now: datetime, *, with_rows: bool = False) -> Loaded:
    """Read what was loaded into a database.

    Args:
        url: SQLAlchemy's URL of the database.
        schema: The schema that the tables are in.
        addresses: The addresses that a report is about; None for every address. Of these, the look-ups before the
            latest certain answer are left out.
        now: When the report is made, in UTC.
        with_rows: Whether the rows of these addresses are read, too.

    Returns:
        What the tables hold.

    Raises:
        ConfigError: If the database cannot be read, or holds none of the tap's tables.
    """
    with connected(url) as connection:
        return Reader(connection, _schema_of(connection, schema)).read(addresses, now, with_rows=with_rows)


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
        self._types: dict[str, sa.types.TypeEngine[object]] = {}
        for name, columns in TABLES.items():
            with contextlib.suppress(exc.NoSuchTableError, exc.UnreflectableTableError):
                present = {str(column["name"]): column["type"] for column in inspector.get_columns(name, schema)}
                self._tables[name] = table_of(name, columns, present, schema)
                if name == LOOKUPS:
                    self._types = {column.lower(): kind for column, kind in present.items()}
        self.columns = {name: frozenset(table.columns.keys()) for name, table in self._tables.items()}
        if not self.columns:
            msg = "The schema holds none of the tap's tables: check --schema and the database's name, or load first."
            raise ConfigError(msg)
        refuse_missing(self.columns)
        self._lookups = self._tables[LOOKUPS]
        self._sections = {name: table for name, table in self._tables.items() if name in STREAMS}

    def read(self, addresses: Collection[str] | None, now: datetime, *, with_rows: bool) -> Loaded:
        """Read the look-ups, and the rows if they are wanted."""
        asked = self._addresses(self._lookups)
        if not asked:
            raise ConfigError(NOTHING_LOADED)
        with_data = frozenset().union(*map(self._addresses, self._sections.values()))
        names = None if addresses is None else spellings_of(addresses, asked | with_data)
        times, shared = self._lookups.c[LOOKED_UP_AT], self._shared()
        look_ups = self._rows(LOOKUPS, names) if names is not None else self._deciding_look_ups(now, shared)
        return Loaded(
            columns=self.columns,
            look_ups=list(look_ups),
            groups=list(self._groups(names)) if self._sections else [],
            rows={name: list(self._rows(name, addresses)) for name in self._sections} if with_rows else {},
            asked=asked,
            with_data=with_data,
            newest=self._newest(),
            shared=shared,
            has_zones=has_zone(self._first(sa.select(times).where(times.is_not(None)))),
            has_nameless=bool(self._first(sa.select(sa.literal(1)).where(self._lookups.c[EMAIL_ADDRESS].is_(None)))),
        )

    def _rows(self, name: str, addresses: Collection[str] | None) -> Iterator[Row]:
        statement = select(self._tables[name], name, self._connection.dialect.name)
        column = self._tables[name].c[EMAIL_ADDRESS]
        for narrowed in _narrowed(statement, column, addresses):
            yield from self._read(narrowed, name)

    def _read(self, statement: sa.Select[Any], name: str) -> Iterator[Row]:
        columns = {column: TABLES[name][column] for column in list(self._tables[name].columns.keys())}
        for row in self._connection.execute(statement.execution_options(yield_per=_AT_A_TIME)):
            yield {
                # Most values are as they should be, and it is faster to see that here.
                column: value if type(value) is _TYPES.get(content) else read_value(value, content)  # type: ignore[misc]
                for (column, content), value in zip(columns.items(), row, strict=True)
            }

    def _deciding_look_ups(self, now: datetime, shared: Collection[str]) -> Iterator[Row]:
        """Read every look-up since the latest certain answer of its address, and those that need a closer look.

        Certain here is less than what the model takes for sound, so that nothing is left out that could decide. Doubts
        about several rows at once cannot be seen row by row: if there are any, all rows are read.
        """
        columns = self._lookups.c
        time = columns[LOOKED_UP_AT]
        statement = select(self._lookups, LOOKUPS, self._connection.dialect.name)
        kind = self._types[LOOKED_UP_AT]
        # Other databases store times as text, which has no order if the forms differ.
        if isinstance(kind, sa.DateTime) and not shared and not self._has_twins():
            moment = now if kind.timezone else now.replace(tzinfo=None)
            certain = sa.and_(self._is_certain(), time <= moment)
            # Each base URL apart, because the report may be about any of them.
            address = columns[EMAIL_ADDRESS]
            gong = sa.func.coalesce(columns["api_url"], "") if "api_url" in columns else sa.literal("")
            since = (
                sa.select(address.label("address"), gong.label("gong"), sa.func.max(time).label("time"))
                .where(certain)
                .group_by(address, gong)
                .subquery()
            )
            no_answer = sa.and_(columns["status"].in_(("rejected", "failed", MALFORMED)), time <= moment)
            statement = statement.outerjoin(since, (address == since.c.address) & (gong == since.c.gong)).where(
                since.c.time.is_(None) | (time >= since.c.time) | sa.func.coalesce(~(certain | no_answer), sa.true())
            )
        return self._read(statement, LOOKUPS)

    def _has_twins(self) -> bool:
        """Return whether an address has two look-ups of one time, as only a table without a key can hold."""
        address, time = self._lookups.c[EMAIL_ADDRESS], self._lookups.c[LOOKED_UP_AT]
        statement = sa.select(sa.literal(1)).group_by(address, time).having(sa.func.count() > 1)
        return self._first(statement.select_from(self._lookups)) is not None

    def _is_certain(self) -> sa.ColumnElement[bool]:
        """Return the condition that a look-up is an answer that nothing in its row contradicts."""
        columns = self._lookups.c
        counts = [f"{stream}_count" for stream in STREAMS]
        found = columns["status"] == FOUND
        if not {"http_status", UNDOCUMENTED, *counts} <= self.columns[LOOKUPS]:
            return found
        # A missing object may be stored as the null of JSON.
        undocumented = sa.func.coalesce(sa.cast(columns[UNDOCUMENTED], sa.String), "null")
        nothing = [columns["http_status"] == _OK, undocumented == "null", *(columns[count] == 0 for count in counts)]
        return found | sa.and_(columns["status"] == NOT_FOUND, *nothing)

    def _groups(self, addresses: Collection[str] | None) -> Iterator[Group]:
        look_ups = self._lookups.c
        for parts in zip(*(self._counted(name, addresses) for name in self._sections), strict=True):
            counted = sa.union_all(*parts).subquery()
            explained = sa.and_(
                counted.c.address == look_ups[EMAIL_ADDRESS],
                counted.c.time == look_ups[LOOKED_UP_AT],
                look_ups["status"] == FOUND,
            )
            columns = (counted.c.stream, counted.c.address, counted.c.time, counted.c.rows)
            statement = (
                sa.select(*columns, sa.func.count(look_ups[EMAIL_ADDRESS]))
                .select_from(counted.outerjoin(self._lookups, explained))
                .group_by(*columns)
            )
            for stream, address, at, rows, look_ups_of_it in self._connection.execute(
                statement.execution_options(yield_per=_AT_A_TIME)
            ):
                has_times = LOOKED_UP_AT in self.columns[stream]
                moment = read_time(at) if has_times else None
                yield Group(stream, str(address), moment, rows, is_explained=bool(look_ups_of_it) or not has_times)

    def _counted(self, name: str, addresses: Collection[str] | None) -> Iterator[sa.Select[tuple[object, ...]]]:
        """Yield the statement that counts the keys of a stream by look-up."""
        columns = self._sections[name].c
        address = columns[EMAIL_ADDRESS]
        times = [columns[LOOKED_UP_AT]] if LOOKED_UP_AT in columns else []
        time = times[0] if times else sa.cast(sa.null(), self._types[LOOKED_UP_AT])
        # Without a key, a row is one of its own.
        key = columns.get(KEYS[name])
        rows = sa.func.count() if key is None else sa.func.count(sa.distinct(sa.func.coalesce(key, "")))
        statement = sa.select(
            sa.literal(name).label("stream"), address.label("address"), time.label("time"), rows.label("rows")
        )
        yield from _narrowed(statement.group_by(address, *times), address, addresses)

    def _first(self, statement: sa.Select[Any]) -> object:
        return self._connection.execute(statement.limit(1)).scalar()

    def _addresses(self, table: sa.Table) -> frozenset[str]:
        statement = sa.select(table.c[EMAIL_ADDRESS]).distinct()
        found = self._connection.execute(statement.execution_options(yield_per=_AT_A_TIME)).scalars()
        return frozenset(str(address) for address in found if address is not None)

    def _newest(self) -> str | None:
        columns = self._lookups.c
        is_address = sa.func.coalesce(columns["status"], "") != MALFORMED
        statement = sa.select(columns[EMAIL_ADDRESS]).where(is_address, columns[LOOKED_UP_AT].is_not(None))
        found = self._first(statement.order_by(columns[LOOKED_UP_AT].desc()))
        return None if found is None else str(found)

    def _shared(self) -> frozenset[str]:
        columns = self._lookups.c
        if REQUEST_ID not in columns:
            return frozenset()
        address, request = columns[EMAIL_ADDRESS], columns[REQUEST_ID]
        statement = (
            sa.select(request)
            .where(columns["status"].in_(ANSWERS), request.is_not(None), request != "")
            .group_by(request)
            .having(sa.func.min(address) != sa.func.max(address))
        )
        return frozenset(map(str, self._connection.execute(statement).scalars()))


NOTHING_LOADED: Final = "The table lookups holds no row: load first, and see how the tap's run ended."


def table_of(name: str, columns: Iterable[str], present: Iterable[str], schema: str | None) -> sa.Table:
    """Return a table with those of its documented columns that are present, by their documented names.

    Args:
        name: The stream's name.
        columns: The names of the stream's columns.
        present: The names of the columns in the database, in whichever case it keeps them.
        schema: The schema.
    """
    by_name = {column.lower(): column for column in present}
    # As the database spells them: Snowflake has `FROM`, which needs quotes and its own case. Without types, so that
    # values come as the driver gives them.
    found: list[sa.Column[object]] = [sa.Column(by_name[column], key=column) for column in columns if column in by_name]
    return sa.Table(name, sa.MetaData(), *found, schema=schema)


def select(table: sa.Table, name: str, dialect: str) -> sa.Select[tuple[object, ...]]:
    """Return the statement that reads the rows of a table."""
    return sa.select(
        *(
            # One form for all that Postgres has for JSON: jsonb, jsonb[] and text[].
            sa.cast(sa.func.to_jsonb(column), sa.Text)
            if dialect == "postgresql" and TABLES[name][key] is Content.JSON
            else column
            for key, column in table.columns.items()
        )
    )


def _narrowed(
    statement: sa.Select[tuple[object, ...]], column: sa.Column[object], addresses: Collection[str] | None
) -> Iterator[sa.Select[tuple[object, ...]]]:
    """Yield the statement for some addresses alone, as often as the limits of databases for a list require."""
    if addresses is None:
        yield statement
        return
    listed = list(addresses)
    for start in range(0, len(listed), _MOST_IN_A_LIST):
        yield statement.where(column.in_(listed[start : start + _MOST_IN_A_LIST]))


def _schema_of(connection: sa.Connection, schema: str) -> str | None:
    # SQLite has no schemas to create, so that the default cannot be meant.
    is_default_of_sqlite = connection.dialect.name == "sqlite" and schema == DEFAULT_SCHEMA
    return None if is_default_of_sqlite or not schema else schema
