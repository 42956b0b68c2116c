"""Which tables Athena sees: those loaded into the warehouse, and Parquet tables in Glue."""

from __future__ import annotations

from typing import Any

import boto3
import pyarrow as pa
from botocore.exceptions import ClientError
from sqlglot import exp

from aws_sql.athena_checks import Refused
from aws_sql.athena_names import tables
from aws_sql.warehouse import Session, Warehouse, literal

_ARROW = {  # Hive's names, as Glue stores them
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),  # all that Athena keeps of a Hive table's timestamp
}
_HIVE = {kind: name for name, kind in _ARROW.items()}


class Catalog:
    """Resolves the tables of a query; Glue's are read anew for each query, as Athena does."""

    def __init__(self, warehouse: Warehouse, glue_endpoint: str) -> None:
        self._warehouse = warehouse
        self._glue: Any = boto3.client(
            "glue",
            endpoint_url=glue_endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def resolve(
        self, tree: exp.Expr, session: Session, database: str | None
    ) -> dict[str, dict[str, dict[str, exp.DataType]]]:
        """Columns of the query's tables by schema and table. Raises Refused.

        In `tree` each table gets its schema; what Glue holds is loaded into `session`.
        """
        schema: dict[str, dict[str, dict[str, exp.DataType]]] = {}
        for table in list(tables(tree)):
            if table.catalog.lower() not in ("", "awsdatacatalog"):
                raise Refused(f"CATALOG_NOT_FOUND: Catalog '{table.catalog}' does not exist")
            if not (name := table.db.lower() or database):
                raise Refused(
                    "MISSING_SCHEMA_NAME: Schema must be specified when session schema is not set"
                )
            table.set("catalog", None)
            table.set("db", exp.to_identifier(name, quoted=True))
            table.set("this", exp.to_identifier(table.name.lower(), quoted=True))
            columns = self._held(name, table.name, session)
            if not columns:
                columns = self._load(name, table.name, session)
                given = table.alias or table.name
                table.set("db", None)
                table.set("this", exp.to_identifier(f"{name}.{table.name}", quoted=True))
                table.set(
                    "alias",
                    table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(given)),
                )
            schema.setdefault(table.db, {})[table.name] = columns
        return schema

    def rows(self, database: str, name: str) -> pa.Table | None:
        """Rows of a table in Glue, in its columns and types; None: there is no such table."""
        if (entry := self.entry(database, name)) is None:
            return None
        storage = entry["StorageDescriptor"]
        uris = self._warehouse.objects.list(storage["Location"])
        wanted = pa.schema([(c["Name"], _arrow_type(c["Type"])) for c in storage["Columns"]])
        files = [self._warehouse.objects.get_parquet(uri) for uri in uris]
        return pa.concat_tables([_fitted(rows, wanted) for rows in files] or [wanted.empty_table()])

    def entry(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's description of a table."""
        try:
            return dict(self._glue.get_table(DatabaseName=database, Name=name)["Table"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return None

    def create(self, database: str, name: str, location: str, columns: dict[str, str]) -> None:
        """Adds a Parquet table to Glue; `columns` are Hive's types by name. Raises Refused."""
        storage = {
            "Location": location,
            "Columns": [{"Name": key, "Type": kind} for key, kind in columns.items()],
        }
        table = {"Name": name, "StorageDescriptor": storage, "TableType": "EXTERNAL_TABLE"}
        try:
            self._glue.create_table(DatabaseName=database, TableInput=table)
        except ClientError as error:
            raise Refused(f"SYNTAX_ERROR: {error.response['Error']['Message']}") from error

    def drop(self, database: str, name: str) -> None:
        """Forgets a table of Glue's; its files stay, as Athena leaves them."""
        self._glue.delete_table(DatabaseName=database, Name=name)

    def _load(self, database: str, name: str, session: Session) -> dict[str, exp.DataType]:
        if (rows := self.rows(database, name)) is None:
            raise Refused(
                f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist"
            )
        session.create_temporary(f"{database}.{name}", rows)
        return self._held("main", f"{database}.{name}", session)

    def _held(self, database: str, name: str, session: Session) -> dict[str, exp.DataType]:
        """Columns of a table of DuckDB's, none if there is no such table."""
        columns = session.run(
            "select column_name, data_type from information_schema.columns "
            f"where lower(table_schema) = {literal(database)} "
            f"and lower(table_name) = {literal(name)}"
        )
        return {
            row["column_name"]: exp.DataType.build(row["data_type"], dialect="duckdb")
            for row in columns.to_pylist()
        }


def hive_type(kind: pa.DataType) -> str:
    """The name under which Glue stores an Arrow type."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    return _HIVE[kind]


def _arrow_type(name: str) -> pa.DataType:
    if name.startswith("decimal("):
        return pa.decimal128(*(int(part) for part in name[8:-1].split(",")))
    return _ARROW[name]


def _fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns by name, whatever their case; one that a file lacks is NULL."""
    held = {name.lower(): rows[name] for name in rows.column_names}
    columns = [
        held[field.name].cast(field.type, safe=False)
        if field.name in held
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
