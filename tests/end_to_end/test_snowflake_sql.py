"""The SQL for Snowflake parses, and names only tables and columns that target-snowflake makes."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, OptimizeError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify

from tests.end_to_end.pipeline import SCHEMA
from tests.end_to_end.queries import QUERIES, SNOWFLAKE_QUERIES, SQL, VALUES, for_postgres
from tests.end_to_end.test_snowflake import SNAPSHOTS, TYPES, installed
from tests.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIALECT = "snowflake"

OWN_WORDS = {"array", "null", "object", "{}", " ", "%h:%m:%s"}
"""What each form writes in its own way."""


def statements(path: Path, dialect: str = DIALECT) -> list[exp.Expr]:
    """The statements of a file, names in the case in which Snowflake keeps them."""
    text = path.read_text() if dialect == DIALECT else for_postgres(path)
    parsed = sqlglot.parse(text, dialect=dialect, error_level=ErrorLevel.RAISE)
    return [normalize_identifiers(statement, dialect=DIALECT) for statement in parsed if statement]


def read_tables() -> dict[str, dict[str, object]]:
    """The type of each column, by table, as the target makes them."""
    tables: dict[str, dict[str, object]] = {}
    for statement in statements(SNAPSHOTS / f"{TYPES[0]}.sql"):
        table = statement.find(exp.Table)
        assert table
        assert table.db == SCHEMA.upper()
        tables[table.name] = {
            column.this.name: column.args["kind"].sql(DIALECT) for column in statement.find_all(exp.ColumnDef)
        }
    return tables


TABLES = read_tables()


def check(statement: exp.Expr) -> None:
    """Check that each table and each column exists.

    Raises:
        OptimizeError: If one does not.
    """
    own = {cte.alias for cte in statement.find_all(exp.CTE)}
    tables = [table for table in statement.find_all(exp.Table) if table.name and table.name not in own]
    if missing := [table.sql() for table in tables if table.db != SCHEMA.upper() or table.name not in TABLES]:
        msg = f"No such table: {missing}"
        raise OptimizeError(msg)
    if isinstance(statement, exp.Query):
        qualify(statement.copy(), schema={SCHEMA.upper(): TABLES}, dialect=DIALECT)
    elif tables:
        (table,) = tables  # the parser resolves queries alone
        own_columns = {column.name for column in statement.find_all(exp.Column) if not column.table}
        if unknown := own_columns - set(TABLES[table.name]):
            msg = f"No such column: {unknown}"
            raise OptimizeError(msg)


def result_columns(path: Path, dialect: str) -> list[list[str]]:
    """The columns of each result that a file gives."""
    queries = (statement for statement in statements(path, dialect) if isinstance(statement, exp.Query))
    return [[name.lower() for name in query.named_selects] for query in queries]


def test_each_query_has_a_form_for_snowflake() -> None:
    """No query is missing, and none is left over."""
    assert [path.name for path in SNOWFLAKE_QUERIES] == [path.name for path in QUERIES]


@pytest.mark.parametrize("path", SNOWFLAKE_QUERIES, ids=lambda path: path.name)
def test_snowflake_sql_is_understood_in_full(path: Path) -> None:
    """The parser takes each statement, and knows each of its functions."""
    parsed = statements(path)
    assert parsed
    for statement in parsed:
        assert not list(statement.find_all(exp.Command, exp.Anonymous)), statement.sql()


@pytest.mark.parametrize("path", SNOWFLAKE_QUERIES, ids=lambda path: path.name)
def test_snowflake_sql_names_what_the_target_makes(path: Path) -> None:
    """Each column and table exists, once."""
    for statement in statements(path):
        check(statement)


@pytest.mark.parametrize("path", SNOWFLAKE_QUERIES, ids=lambda path: path.name)
def test_snowflake_sql_gives_the_columns_of_the_postgres_form(path: Path) -> None:
    """In the same order, so that what reads the one reads the other."""
    assert result_columns(path, DIALECT) == result_columns(SQL / path.name, "postgres")


@pytest.mark.parametrize("path", SNOWFLAKE_QUERIES, ids=lambda path: path.name)
def test_both_forms_have_the_same_texts(path: Path) -> None:
    """Statuses, outcomes, findings: what one compares with or shows, the other does too."""
    ours, theirs = path.read_text(), (SQL / path.name).read_text()

    assert ours.splitlines()[0] == theirs.splitlines()[0]
    assert not {text for text in literals(path, DIALECT) if f"'{text}'" not in theirs}
    assert not {text for text in literals(path.parents[1] / path.name, "postgres") if text not in ours}


def literals(path: Path, dialect: str) -> set[str]:
    """The texts in the statements of a file."""
    queries = (statement for statement in statements(path, dialect) if not isinstance(statement, exp.Set))
    found = (part for statement in queries for part in statement.find_all(exp.Literal))
    texts = {part.name for part in found if part.is_string and part.name.lower() not in OWN_WORDS}
    return texts - set(VALUES.values())


def test_deletion_in_snowflake_leaves_the_evidence() -> None:
    """One transaction deletes the rows of each section for the same spellings, and no row of the look-ups."""
    setting, begin, counts, *changes, commit = statements(SQL / DIALECT / "delete_person.sql")
    people = {where.sql(DIALECT, comments=False) for change in changes for where in change.find_all(exp.Where)}

    assert isinstance(setting, exp.Set)
    assert isinstance(begin, exp.Transaction)
    assert isinstance(counts, exp.Select)
    begun = [re.split(r" WHERE | SET ", change.sql(DIALECT, comments=False))[0] for change in changes]
    assert [text.rpartition(" ")[0] for text in begun] == [*["DELETE FROM"] * (len(STREAMS) - 1), "UPDATE"]
    assert [text.rpartition(".")[2].lower() for text in begun] == [*STREAMS[1:], STREAMS[0]]
    assert " SET UNDOCUMENTED = NULL, ERRORS = NULL WHERE " in changes[-1].sql(DIALECT, comments=False)
    assert len(people) == 2, "each statement chooses its people by the same subquery"
    assert isinstance(commit, exp.Commit)


@pytest.fixture(scope="module")
def reserved() -> frozenset[str]:
    """The words that Snowflake keeps to itself, as its own driver for SQLAlchemy has them."""
    program = "from snowflake.sqlalchemy.base import RESERVED_WORDS; print(*RESERVED_WORDS)"
    done = subprocess.run(
        [installed("target-snowflake") / "python", "-I", "-c", program],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return frozenset(done.stdout.upper().split())


@pytest.mark.parametrize("path", SNOWFLAKE_QUERIES, ids=lambda path: path.name)
def test_reserved_words_are_in_quotes(path: Path, reserved: frozenset[str]) -> None:
    """The parser would let one pass that Snowflake would not."""
    assert "FROM" in reserved
    assert not {name for statement in statements(path) for name in unquoted(statement)} & reserved


def unquoted(statement: exp.Expr) -> Iterator[str]:
    """Return the names in a statement that are not in quotes."""
    return (name.name for name in statement.find_all(exp.Identifier) if not name.quoted)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT mailbx FROM gong_privacy.emails",
        "SELECT email_address FROM gong_privacy.email",
        "SELECT email_address FROM emails",
        'SELECT "from" FROM gong_privacy.emails',
        "WITH a AS (SELECT id FROM gong_privacy.emails) SELECT a.mailbox FROM a",
        "SELECT id FROM gong_privacy.emails AS a, gong_privacy.calls AS b",
        "SELECT x.id FROM gong_privacy.calls, LATERAL flatten(input => calls.external_system) AS x",
        "DELETE FROM gong_privacy.emails WHERE email_adress = $person",
        "UPDATE gong_privacy.lookups SET undocumentd = NULL",
    ],
)
def test_a_misspelt_name_is_found(query: str) -> None:
    """The check of names refuses a table or a column that does not exist."""
    (parsed,) = sqlglot.parse(query, dialect=DIALECT)
    assert parsed
    with pytest.raises(OptimizeError):
        check(normalize_identifiers(parsed, dialect=DIALECT))
