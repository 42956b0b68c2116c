"""What each kind of statement does: to the warehouse, to Glue and to S3."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from sqlglot import exp

from aws_sql.athena_catalog import Catalog, hive_type
from aws_sql.athena_checks import Refused
from aws_sql.athena_dialect import parse, unload_parts
from aws_sql.athena_functions import MACROS
from aws_sql.athena_results import csv_bytes, text_bytes
from aws_sql.athena_translate import translate
from aws_sql.warehouse import Session, Warehouse, quoted


@dataclass(frozen=True)
class Outcome:
    """What a statement leaves: rows to page through, and its result object below `output`."""

    kind: str  # DML, DDL or UTILITY
    rows: pa.Table
    location: str


@dataclass(frozen=True)
class Statement:
    """One accepted statement: `output` ends in the id of its execution, without a suffix."""

    text: str
    database: str | None
    output: str


class Statements:
    """Runs statements over one warehouse. Raises Refused and duckdb.Error."""

    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self._warehouse, self._catalog = warehouse, catalog
        for macro in MACROS:
            warehouse.run(macro)

    def run(self, statement: Statement, session: Session) -> Outcome:
        """Does what the text says. Raises Malformed as well."""
        if parts := unload_parts(statement.text):
            return self._unload(statement, session, *parts)
        if match := re.match(r"\s*explain\s+(?:\([^)]*\)\s*)?", statement.text, re.IGNORECASE):
            return self._explain(statement, session, statement.text[match.end() :])
        tree = parse(statement.text)
        if isinstance(tree, exp.Query):
            rows = self._rows(tree, statement, session)
            return self._written(statement, "DML", rows, ".csv", csv_bytes(rows))
        kinds: dict[type[exp.Expr], Callable[..., None]] = {
            exp.Create: self._create,
            exp.Insert: self._insert,
            exp.Drop: self._drop,
        }
        kinds[type(tree)](tree, statement, session)
        return self._written(statement, "DDL", pa.table({}), ".txt", b"")

    def _rows(self, tree: exp.Expr, statement: Statement, session: Session) -> pa.Table:
        schema = self._catalog.resolve(tree, session, statement.database)
        sql = translate(tree, statement.text, schema)
        described = session.run(f"select column_name, column_type from (describe {sql})")
        columns = ", ".join(
            # Trino's sum of whole numbers is a bigint, or an overflow.
            f"cast(#{at} as bigint) as {quoted(row['column_name'])}"
            if row["column_type"] == "HUGEINT"
            else f"#{at} as {quoted(row['column_name'])}"
            for at, row in enumerate(described.to_pylist(), 1)
        )
        return session.run(f"select {columns} from ({sql})")

    def _explain(self, statement: Statement, session: Session, query: str) -> Outcome:
        tree = parse(query)
        schema = self._catalog.resolve(tree, session, statement.database)
        session.run(f"explain {translate(tree, query, schema)}")
        rows = pa.table({"Query Plan": ["Fragment 0 [SINGLE]"]})
        return self._written(statement, "UTILITY", rows, ".txt", b"Fragment 0 [SINGLE]\n")

    def _unload(
        self, statement: Statement, session: Session, query: str, to: str, options: dict[str, str]
    ) -> Outcome:
        self._refuse_used(to)
        tree = parse(query)
        rows = self._rows(tree, Statement(query, statement.database, statement.output), session)
        for field in rows.schema:
            if pa.types.is_timestamp(field.type) and field.type.tz:
                raise Refused("NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with time zone")
        identity = statement.output.rpartition("/")[2]
        target = f"{to.rstrip('/')}/{identity}_0"
        self._write(target, rows, options.get("format", "PARQUET"), options)
        manifest = f"{statement.output}-manifest.csv"
        self._warehouse.objects.put(manifest, f"{target}\n".encode())
        return self._written(statement, "DML", pa.table({}), "", b"")

    def _create(self, tree: exp.Create, statement: Statement, session: Session) -> None:
        database, name = self._named(tree, statement)
        if tree.kind == "VIEW":
            schema = self._catalog.resolve(tree.expression, session, statement.database)
            query = translate(tree.expression, statement.text, schema)
            replaced = "or replace " if tree.args.get("replace") else ""
            session.run(f"create {replaced}view {quoted(database)}.{quoted(name)} as {query}")
            return
        if self._catalog.entry(database, name):
            if tree.args.get("exists"):
                return
            raise Refused(f"TABLE_ALREADY_EXISTS: Table '{database}.{name}' already exists")
        if isinstance(tree.expression, exp.Query):
            location, columns = self._filled(tree, statement, session)
        else:
            location = next(tree.find_all(exp.LocationProperty)).this.name
            columns = {
                column.name.lower(): column.args["kind"].sql(dialect="hive").lower()
                for column in tree.this.expressions
            }
        self._catalog.create(database, name, location, columns)

    def _filled(
        self, tree: exp.Create, statement: Statement, session: Session
    ) -> tuple[str, dict[str, str]]:
        """Location and columns of a CREATE TABLE AS, whose rows are written there."""
        named = [node for node in tree.find_all(exp.Property) if node.args.get("value")]
        options = {node.this.name: node.args["value"].name for node in named}
        location = options.get("external_location", f"{statement.output}/")
        self._refuse_used(location)
        rows = self._rows(tree.expression, statement, session)
        self._write(f"{location.rstrip('/')}/part", rows, "PARQUET", {})
        return location, {field.name.lower(): hive_type(field.type) for field in rows.schema}

    def _insert(self, tree: exp.Insert, statement: Statement, session: Session) -> None:
        database, name = self._named(tree, statement)
        rows = self._rows(tree.expression, statement, session)
        entry = self._catalog.entry(database, name)
        if entry is None:
            raise Refused(
                f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist"
            )
        columns = [column["Name"] for column in entry["StorageDescriptor"]["Columns"]]
        location = entry["StorageDescriptor"]["Location"].rstrip("/")
        identity = statement.output.rpartition("/")[2]
        self._write(f"{location}/{identity}", rows.rename_columns(columns), "PARQUET", {})

    def _drop(self, tree: exp.Drop, statement: Statement, session: Session) -> None:
        database, name = self._named(tree, statement)
        if self._catalog.entry(database, name):
            self._catalog.drop(database, name)
        elif not tree.args.get("exists"):
            raise Refused(f"TABLE_NOT_FOUND: Table '{database}.{name}' does not exist")

    def _named(self, tree: exp.Expr, statement: Statement) -> tuple[str, str]:
        table = next(tree.find_all(exp.Table))
        if not (database := table.db or statement.database):
            raise Refused("MISSING_SCHEMA_NAME: Schema must be specified")
        return database.lower(), table.name.lower()

    def _refuse_used(self, location: str) -> None:
        if self._warehouse.objects.list(f"{location.rstrip('/')}/"):
            raise Refused(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table already exists: {location}"
            )

    def _write(self, target: str, rows: pa.Table, format: str, options: dict[str, str]) -> None:
        if any(name.startswith("_col") for name in rows.column_names):
            raise Refused("MISSING_COLUMN_NAME: Column name not specified")
        if len(set(rows.column_names)) < rows.num_columns:
            raise Refused("DUPLICATE_COLUMN_NAME: Column name specified more than once")
        if format.upper() == "PARQUET":
            self._warehouse.objects.put_parquet(target, rows)
        elif format.upper() == "TEXTFILE":
            delimiter = options.get("field_delimiter", "\x01")
            body = text_bytes(rows, delimiter)
            self._warehouse.objects.put(f"{target}.gz", gzip.compress(body))
        else:
            raise Refused(f"INVALID_TABLE_PROPERTY: format {format!r} is not played")

    def _written(
        self, statement: Statement, kind: str, rows: pa.Table, suffix: str, body: bytes
    ) -> Outcome:
        location = f"{statement.output}{suffix}"
        self._warehouse.objects.put(location, body)
        self._warehouse.objects.put(f"{location}.metadata", b"")
        return Outcome(kind, rows, location)


def reason(error: duckdb.Error) -> str:
    """An error of DuckDB's in Athena's words."""
    text = str(error).splitlines()[0]
    for pattern, words in _REASONS.items():
        if match := re.search(pattern, text):
            return words.format(*match.groups())
    return f"GENERIC_USER_ERROR: {text}"


_REASONS = {
    r"(INVALID_FUNCTION_ARGUMENT: .*)": "{0}",
    r"column (\S+) must appear in the GROUP BY": (
        "EXPRESSION_NOT_AGGREGATE: line 1:8: {0} must be an aggregate expression or appear in "
        "GROUP BY clause"
    ),
    r"Division by zero": "DIVISION_BY_ZERO: Division by zero",
    r"Could not convert string (.+) to INT64": "INVALID_CAST_ARGUMENT: Cannot cast {0} to BIGINT",
    r"Could not convert string (.+) to (\w+)": "INVALID_CAST_ARGUMENT: Cannot cast {0} to {1}",
    r"Out of Range|out of range|Overflow": "NUMERIC_VALUE_OUT_OF_RANGE: value is out of range",
}
