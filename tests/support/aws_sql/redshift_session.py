"""One session of the Redshift stand-in: a statement in, its rows or Redshift's error out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

import duckdb
import pyarrow as pa
from sqlglot import exp

from aws_sql.redshift_dialect import Refused, parsed, translated
from aws_sql.redshift_unload import copy_of, read, require_no_limit, unload_of, write
from aws_sql.warehouse import Warehouse

_RUNS = (exp.Create, exp.Drop, exp.Insert, exp.Delete, exp.Update, exp.Merge)
_NO_COLUMN = 'column "{}" does not exist'
_NOT_GROUPED = 'column "{}" must appear in the GROUP BY clause or be used in an aggregate function'
_WORDS = {
    r"Table with name (\S+) does not exist": 'relation "{}" does not exist',
    r"Referenced column \"?([^\" ]+)\"? not found": _NO_COLUMN,
    r"Column \"([^\"]+)\" referenced that exists in the SELECT clause": _NO_COLUMN,
    r"does not have a column named \"([^\"]+)\"": _NO_COLUMN,
    r"column \"([^\"]+)\" must appear in the GROUP BY": _NOT_GROUPED,
    r"Ambiguous reference to column name \"([^\"]+)\"": 'column reference "{}" is ambiguous',
}
_TABLES = "select table_schema, table_name, column_name, data_type from information_schema.columns"


class RedshiftSession:
    """Runs statements of Redshift's dialect on a connection of its own."""

    def __init__(self, warehouse: Warehouse, clock: Callable[[], datetime]) -> None:
        self._warehouse, self._clock = warehouse, clock
        self._session = warehouse.session()
        self._session.run("set integer_division = true")
        self._unloaded = 0

    def begin(self) -> None:
        self._session.run("begin transaction")

    def commit(self) -> None:
        self._session.run("commit")

    def interrupt(self) -> None:
        """Ends what runs, from another thread."""
        self._session.interrupt()

    def close(self) -> None:
        """Ends the session: what was not committed is gone, and so are its temporary tables."""
        self._session.__exit__(None, None, None)

    def run(self, sql: str, parameters: Mapping[str, str]) -> tuple[pa.Table | None, int]:
        """Rows, where the statement has a result, and how many rows it answered or touched.

        Raises Refused, and duckdb.InterruptException after `interrupt`.
        """
        word = sql.split(maxsplit=1)[0].partition("(")[0].lower() if sql.strip() else ""
        if word == "unload":
            return None, self._unload(sql)
        if word == "copy":
            return None, self._copy(sql)
        if word == "explain":
            return self._explain(sql.strip()[len("explain") :], parameters)
        tree = parsed(sql)
        if isinstance(tree, exp.Query):
            rows = self._rows(tree, parameters)
            return rows, rows.num_rows
        if not isinstance(tree, _RUNS):
            raise Refused(f'syntax error at or near "{word}"')
        touched = self._executed(self._text(tree, parameters))
        return None, touched[0][0].as_py() if touched.num_columns and touched.num_rows else 0

    def _rows(self, tree: exp.Query, parameters: Mapping[str, str]) -> pa.Table:
        rows = self._executed(self._text(tree, parameters))
        return rows.rename_columns([name.lower() for name in rows.column_names])

    def _unload(self, sql: str) -> int:
        transfer = unload_of(sql)
        tree = parsed(transfer.subject)
        require_no_limit(tree)
        if not isinstance(tree, exp.Query):
            raise Refused("UNLOAD query must be a SELECT")
        rows = self._rows(tree, {})
        write(transfer, rows, self._warehouse.objects)
        self._unloaded = rows.num_rows
        return rows.num_rows

    def _copy(self, sql: str) -> int:
        transfer = copy_of(sql)
        loaded = 0
        for rows in read(transfer, self._warehouse.objects):
            passing = f"main.copied_{uuid.uuid4().hex}"
            self._session.create(passing, rows)
            self._executed(f"insert into {transfer.subject} select * from {passing}")
            self._executed(f"drop table {passing}")
            loaded += rows.num_rows
        return loaded

    def _explain(self, sql: str, parameters: Mapping[str, str]) -> tuple[pa.Table, int]:
        tree = parsed(sql)
        self._executed(f"explain {self._text(tree, parameters)}")
        tables = [table.name for table in tree.find_all(exp.Table)]
        lines = [f"XN Seq Scan on {name}  (cost=0.00..1.00 rows=100 width=8)" for name in tables]
        return pa.table({"query plan": pa.array(lines, pa.string())}), len(lines)

    def _text(self, tree: exp.Expression, parameters: Mapping[str, str]) -> str:
        values = {**parameters, "pg_last_unload_count": self._unloaded}
        return translated(tree, self._schemas(), self._clock(), values)

    def _schemas(self) -> dict[str, dict[str, dict[str, str]]]:
        schemas: dict[str, dict[str, dict[str, str]]] = {}
        for row in self._session.run(_TABLES).to_pylist():
            table = schemas.setdefault(row["table_schema"], {}).setdefault(row["table_name"], {})
            table[row["column_name"].lower()] = row["data_type"]
        return schemas

    def _executed(self, sql: str) -> pa.Table:
        try:
            return self._session.run(sql)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise Refused(_in_redshifts_words(str(error))) from error


def _in_redshifts_words(message: str) -> str:
    for pattern, words in _WORDS.items():
        if found := re.search(pattern, message):
            return words.format(found[1].lower())
    return message.partition("Error: ")[2].split("\n", maxsplit=1)[0] or message
