"""Statements that make the lake's tables and views at AWS: in Glue by Athena, and in Redshift.

Columns and types are those that landing and aggregates write with, so nothing is said twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from bartizan.errors import ConfigError, UsageError
from bartizan.lake.schemas import TableSpec

_TYPES = {
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.string(): "string",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
}

# Everything that stands in a statement without being ours is of these characters only.
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_LOCATION = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.=-]+)*/?")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=.@/-]+")

_WIDTH = 60  # characters of a struct on one line, behind its name


def athena(tables: Iterable[TableSpec], location: str, sql: Path) -> dict[str, str]:
    """Statements by name, to be run one by one in this order: databases, Iceberg tables, the view.

    The files of `waf.requests` go to `<location>waf/requests/`; the view is the one of the folder
    `sql`. Raises UsageError for a location that is no s3:// prefix, and for a table or column whose
    name Glue does not take; ConfigError when the folder has no view.
    """
    if not _LOCATION.fullmatch(location):
        raise UsageError(
            "--location", f"{location!r} is no plain s3:// prefix", "write s3://bucket/lake/"
        )
    tables = list(tables)
    databases = {name: f"create database if not exists {name};\n" for name in _databases(tables)}
    made = {table.name: _table(table, location.rstrip("/")) for table in tables}
    return databases | made | {"waf_logs": _view(sql, "athena")}


def redshift(tables: Iterable[TableSpec], role: str, sql: Path) -> dict[str, str]:
    """Statements by name: external schemas over the Glue databases, and the flat view of `sql`.

    `role` is an ARN, or `default` for the cluster's own. Raises UsageError when it is neither,
    ConfigError when the folder `sql` has no view.
    """
    if role != "default" and not _ROLE.fullmatch(role):
        raise UsageError(
            "--role", f"{role!r} is no role", "write default or arn:aws:iam::…:role/NAME"
        )
    quoted = role if role == "default" else f"'{role}'"
    schemas = _databases(tables)
    lines = ["-- The tables are those in Glue, which Athena's statements or another writer create."]
    for schema in schemas:
        lines += [
            f"create external schema if not exists {schema}",
            f"from data catalog database '{schema}'",
            f"iam_role {quoted};",
            "",
        ]
    lines += [
        "-- For each role that reads them:",
        f"-- grant usage on schema {', '.join(schemas)} to role reader;",
        "-- grant select on public.waf_logs to role reader;",
    ]
    return {"schemas": "\n".join(lines) + "\n", "waf_logs": _view(sql, "redshift")}


def _databases(tables: Iterable[TableSpec]) -> list[str]:
    return list(dict.fromkeys(_checked(table.name.split(".")[0]) for table in tables))


def _table(table: TableSpec, location: str) -> str:
    database, name = map(_checked, table.name.split("."))
    columns = [f"    `{_checked(one.name)}` {type_name(one.type, '    ')}" for one in table.schema]
    partition = ", ".join(f"`{_checked(column)}`" for column in table.partition)
    return "\n".join(
        [
            f"create table if not exists {database}.{name} (",
            ",\n".join(columns),
            ")",
            *([f"partitioned by ({partition})"] if partition else []),
            f"location '{location}/{database}/{name}/'",
            "tblproperties ('table_type' = 'ICEBERG');\n",
        ]
    )


def type_name(kind: pa.DataType, indent: str = "") -> str:
    """An Arrow type as Athena's DDL names it; members of a long struct on lines of their own."""
    if pa.types.is_list(kind):
        return f"array<{type_name(kind.value_type, indent)}>"
    if pa.types.is_map(kind):
        return f"map<{type_name(kind.key_type)}, {type_name(kind.item_type)}>"
    if not pa.types.is_struct(kind):
        return _TYPES[kind]
    inner = f"{indent}    "
    members = [f"{_checked(member.name)}: {type_name(member.type, inner)}" for member in kind]
    line = f"struct<{', '.join(members)}>"
    if "\n" not in line and len(indent) + len(line) <= _WIDTH:
        return line
    lines = ",\n".join(f"{inner}{member}" for member in members)
    return f"struct<\n{lines}\n{indent}>"


def _view(sql: Path, engine: str) -> str:
    path = sql / "lake" / engine / "waf_logs.sql"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            str(path), "no such file", "copy it from Bartizan's include/sql/lake"
        ) from error


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"name {name!r}", "is no name in Glue", "lower-case letters, digits and _")
    return name
