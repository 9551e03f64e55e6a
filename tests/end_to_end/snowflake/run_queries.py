"""Run the Snowflake queries on fakesnow, in an environment of its own: Snowflake's driver over DuckDB.

Standard input is a JSON object: `tables` holds the statement that creates each table and its rows, `files` the
statements of each query. Standard output is a JSON object with the rows of each query, or with its error.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import fakesnow  # type: ignore[import-not-found]  # installed where this runs
import snowflake.connector
from snowflake.connector.errors import Error


def fill(cursor: Any, created: str, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401 - the driver's cursor
    """Create a table, and put rows into it."""
    cursor.execute(created)
    table = created.split('"')[3]
    columns = re.findall(r'^\t"?(\w+)"? (\w+)', created, re.MULTILINE)
    types = {name.upper(): kind for name, kind in columns}
    for row in rows:
        names = ", ".join(f'"{name.upper()}"' for name in row)
        marks = ", ".join("parse_json(%s)" if types[name.upper()] == "VARIANT" else "%s" for name in row)
        values = [json.dumps(value) if types[name.upper()] == "VARIANT" else value for name, value in row.items()]
        cursor.execute(f'INSERT INTO gong_privacy."{table}" ({names}) SELECT {marks}', values)


def results(cursor: Any, statements: list[str]) -> list[list[dict[str, Any]]]:  # noqa: ANN401 - as above
    """Run statements, and return the rows of those that have some."""
    found = []
    for statement in statements:
        cursor.execute(statement)
        if re.match(r"(?:--.*\n|\s)*(?:WITH|SELECT)\b", statement):
            names = [column[0].lower() for column in cursor.description]
            found.append([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])
    return found


def main() -> None:
    """Read what to run, run it, and write what came of it."""
    asked = json.load(sys.stdin)
    answers: dict[str, object] = {}
    with fakesnow.patch(), snowflake.connector.connect(database="gong", schema="public") as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE SCHEMA gong_privacy")
        for table in asked["tables"]:
            fill(cursor, table["created"], table["rows"])
        for name, statements in asked["files"].items():
            try:
                answers[name] = results(cursor, statements)
            except Error as error:
                answers[name] = str(error)
    json.dump(answers, sys.stdout, default=str)


if __name__ == "__main__":
    main()
