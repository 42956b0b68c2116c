"""An aggregate table: the folder `aggregates/<table>` with query.sql, table.yaml and checks.sql.

query.sql is portable: the same text runs on every engine of a lake. What one engine has to say in
its own words stands beside it, or instead of it, as `query.duckdb.sql`, `query.athena.sql` or
`query.redshift.sql`; in `checks.<engine>.sql` stand the checks that it needs otherwise, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from pydantic import field_validator, model_validator

from bartizan.aggregate.checks import Check, parse_checks
from bartizan.described import Described, read, wrong
from bartizan.engines.base import EngineName
from bartizan.engines.guard import tables_of, unportable
from bartizan.errors import ConfigError, UsageError
from bartizan.lake.schemas import TableSpec
from bartizan.model.window import DAY, parse_duration

BUCKET, PARTITION = "bucket", "event_date"

LAKE_ENGINES = (EngineName.DUCKDB, EngineName.ATHENA, EngineName.REDSHIFT)

TYPES = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double": pa.float64(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Query:
    """SQL with `{{ start }}` and `{{ end }}`, and the file it is written in."""

    text: str
    origin: str


@dataclass(frozen=True)
class AggregateTable:
    """A table `agg.<name>` with one row per bucket of `frequency` and value of its `keys`.

    A query returns exactly `columns`, in any order, for the buckets that start in its window;
    `queries` has one for each engine that can build the table.
    """

    name: str
    description: str
    owner: str
    grain: str
    keys: tuple[str, ...]
    frequency: timedelta
    columns: tuple[tuple[str, pa.DataType], ...]
    reads: tuple[str, ...]
    queries: Mapping[EngineName, Query]
    checks: Mapping[EngineName, tuple[Check, ...]]
    folder: Path

    def query(self, engine: EngineName) -> Query:
        """The query for an engine. Raises ConfigError when there is none that it can run alike, and
        when it reads other tables than `reads`.

        query.sql is taken for DuckDB's; for another engine it must be portable.
        """
        if engine not in self.queries:
            raise ConfigError(
                str(self.folder), f"has no query for {engine}", f"write query.{engine}.sql"
            )
        query = self.queries[engine]
        alike = [other for other, its in self.queries.items() if its is query]
        if engine is not EngineName.DUCKDB and len(alike) > 1:
            for reason in unportable(query.text, alike, query.origin):
                raise ConfigError(query.origin, reason, f"write query.{engine}.sql beside it")
        found = tables_of(query.text, engine, query.origin)
        if sorted(self.reads) != list(found):
            raise ConfigError(
                f"{self.folder / 'table.yaml'}: reads",
                f"{list(self.reads)} but {Path(query.origin).name} reads {list(found)}",
                "make them equal",
            )
        return query

    @property
    def spec(self) -> TableSpec:
        """The lake table that holds it."""
        return TableSpec(f"agg.{self.name}", pa.schema(self.columns), (PARTITION,))


class _Column(Described):
    type: str
    description: str

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in TYPES:
            raise wrong(f"{value!r} is unknown", f"write one of {', '.join(TYPES)}")
        return value


class _TableFile(Described):
    description: str
    owner: str
    grain: str
    keys: list[str]
    frequency: str
    columns: dict[str, _Column]
    reads: list[str]

    @field_validator("frequency")
    @classmethod
    def _divides_a_day(cls, value: str) -> str:
        try:
            step = parse_duration(value)
        except UsageError as error:
            raise wrong(f"{value!r} is not a duration", "write PT5M, PT1H or P1D") from error
        if DAY % step:
            raise wrong(f"{value!r} does not divide a day", "write PT5M, PT1H or P1D")
        return value

    @model_validator(mode="after")
    def _columns_hold_the_grain(self) -> _TableFile:
        needed = {BUCKET: "timestamp", PARTITION: "date"}
        for name, type_ in needed.items():
            if name not in self.columns or self.columns[name].type != type_:
                raise wrong(f"columns lack {name!r}", f"add it with type {type_}")
        if lacking := [key for key in self.keys if key not in self.columns]:
            raise wrong(f"key {lacking[0]!r} is no column", "add it to columns")
        return self


def load_tables(sql: Path) -> dict[str, AggregateTable]:
    """Every table of `<sql>/aggregates`, by name. Raises ConfigError for the first wrong file."""
    folders = sorted(p.parent for p in (sql / "aggregates").glob("*/table.yaml"))
    return {folder.name: load_table(folder) for folder in folders}


def load_table(folder: Path) -> AggregateTable:
    """One table from its folder, whose name is the table's. Raises ConfigError.

    Queries for other engines than DuckDB are parsed when they are asked for.
    """
    described = read(folder / "table.yaml", _TableFile)
    table = AggregateTable(
        name=folder.name,
        description=described.description,
        owner=described.owner,
        grain=described.grain,
        keys=tuple(described.keys),
        frequency=parse_duration(described.frequency),
        columns=tuple((name, TYPES[column.type]) for name, column in described.columns.items()),
        reads=tuple(described.reads),
        queries=_queries(folder),
        checks={engine: _checks(folder, engine) for engine in LAKE_ENGINES},
        folder=folder,
    )
    if EngineName.DUCKDB in table.queries:
        table.query(EngineName.DUCKDB)
    return table


def _queries(folder: Path) -> dict[EngineName, Query]:
    """The query of each engine: its own file, else query.sql."""
    own = {engine: folder / f"query.{engine}.sql" for engine in LAKE_ENGINES}
    queries = {engine: _query(path) for engine, path in own.items() if path.exists()}
    others = [engine for engine in LAKE_ENGINES if engine not in queries]
    common = folder / "query.sql"
    if queries and not common.exists():
        return queries
    return queries | dict.fromkeys(others, _query(common))


def _checks(folder: Path, engine: EngineName) -> tuple[Check, ...]:
    """The checks of checks.sql, in its order, some replaced by those of the engine's own file."""
    common, own = folder / "checks.sql", folder / f"checks.{engine}.sql"
    checks = {check.name: check for check in parse_checks(common, _text(common))}
    for check in parse_checks(own, _text(own)) if own.exists() else ():
        if check.name not in checks:
            known = ", ".join(checks)
            raise ConfigError(f"{own}: {check.name}", "is not in checks.sql", f"known: {known}")
        checks[check.name] = check
    return tuple(checks.values())


def _query(path: Path) -> Query:
    return Query(_text(path), str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(str(path), "no such file", "every aggregate has one") from error
