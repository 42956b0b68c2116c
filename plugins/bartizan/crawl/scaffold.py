"""A new connector over an aggregate table, as the text of its two files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from bartizan.crawl.folder import flow, identifier
from bartizan.errors import UsageError
from bartizan.model.window import DAY, HOUR

_FREQUENCIES = {
    timedelta(minutes=1): "PT1M",
    timedelta(minutes=5): "PT5M",
    timedelta(minutes=10): "PT10M",
    timedelta(minutes=15): "PT15M",
    HOUR: "PT1H",
    DAY: "P1D",
}
# The start of an interval that is longer than the table's buckets.
_TRUNCATED = {HOUR: "date_trunc('hour', bucket)", DAY: "date_trunc('day', bucket)"}

_NEXT_COLUMN = ",\n    "


@dataclass(frozen=True)
class Source:
    """An aggregate table: full name, length of its buckets, columns with their types."""

    table: str
    bucket: timedelta
    columns: dict[str, pa.DataType]


@dataclass(frozen=True)
class Wanted:
    """What to watch: `frequency` None means that of the table."""

    measures: tuple[str, ...]
    dimensions: tuple[str, ...]
    frequency: timedelta | None = None


def connector_yaml(source: Source, wanted: Wanted) -> str:
    """The description. Raises UsageError when the table's buckets are no interval."""
    measures = "\n".join(
        f"  - {{name: {flow(name)}, aggregation: SUM, missing: zero}}" for name in wanted.measures
    )
    description = f"{', '.join(wanted.measures)} of {source.table}"
    return f"""\
# One line for people.
description: {flow(description)}
# Length of an interval: PT1M, PT5M, PT10M, PT15M, PT1H or P1D.
frequency: {_FREQUENCIES[_frequency(source, wanted)]}
# How long an interval waits for late data after its end.
offset: PT5M
timestamp: {{column: timestamp, format: yyyy-MM-dd HH:mm:ss}}
# Columns that tell series apart; every combination of values is a series.
dimensions: {flow(list(wanted.dimensions))}
# Columns to watch. missing: what no row means when the source did deliver: zero, gap or carry.
measures:
{measures}
# Severity, 0 to 100, from which an anomaly becomes an incident.
alert: {{threshold: 70}}
"""


def query_sql(source: Source, wanted: Wanted) -> str:
    """The query. Raises UsageError for columns that the table lacks or that are unfit."""
    for name in wanted.dimensions:
        _require(source, name, pa.types.is_string(_type(source, name)), "text", "--dimension")
    for name in wanted.measures:
        _require(source, name, _is_number(_type(source, name)), "a number", "--measure")
    frequency = _frequency(source, wanted)
    start = "bucket" if frequency == source.bucket else _TRUNCATED[frequency]
    dimensions = [identifier(name) for name in wanted.dimensions]
    columns = [
        f'{start} as "timestamp"',
        *dimensions,
        *(_sum(name, _type(source, name)) for name in wanted.measures),
    ]
    return f"""\
-- One row per interval and combination of dimensions, for whatever window: live and history.
select
    {_NEXT_COLUMN.join(columns)}
from {source.table}
where
    bucket >= {{{{ start }}}}
    and bucket < {{{{ end }}}}
group by {", ".join([start, *dimensions])}
"""


def _frequency(source: Source, wanted: Wanted) -> timedelta:
    frequency = wanted.frequency or source.bucket
    possible = {
        span: text
        for span, text in _FREQUENCIES.items()
        if span == source.bucket or (span in _TRUNCATED and span > source.bucket)
    }
    if frequency not in possible:
        raise UsageError(
            "--frequency",
            f"{source.table} has buckets of {source.bucket}, which do not make {frequency}",
            f"write one of {', '.join(possible.values())}",
        )
    return frequency


def _type(source: Source, name: str) -> pa.DataType:
    if name not in source.columns:
        known = ", ".join(sorted(source.columns))
        raise UsageError(source.table, f"has no column {name!r}", f"known: {known}")
    return source.columns[name]


def _require(source: Source, name: str, fits: bool, kind: str, option: str) -> None:
    if not fits:
        raise UsageError(
            option,
            f"{name} of {source.table} is {_type(source, name)}",
            f"name a column that is {kind}",
        )


def _is_number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_))


def _sum(name: str, type_: pa.DataType) -> str:
    total = f"sum({identifier(name)})"
    exact = f"cast({total} as bigint)" if pa.types.is_integer(type_) else total
    return f"{exact} as {identifier(name)}"
