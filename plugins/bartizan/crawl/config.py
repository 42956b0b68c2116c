"""Reads a connector from its folder `connectors/<name>`: connector.yaml and query.sql."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bartizan.described import Described, read, wrong
from bartizan.errors import ConfigError, UsageError
from bartizan.model.connector import NAME, Aggregation, Connector, Measure, Missing
from bartizan.model.window import parse_duration

LONGEST_OFFSET = timedelta(days=5)


def _column(value: str) -> str:
    if not NAME.fullmatch(value):
        raise wrong(f"{value!r} is no column name", "use 1-63 letters, digits, - and _")
    return value


def _offset(value: int | str) -> int | str:
    if not timedelta(0) <= _span(value) <= LONGEST_OFFSET:
        raise wrong(f"{value!r} is not within 0 to 5 days", "write seconds or PT5M")
    return value


def _span(value: int | str) -> timedelta:
    if isinstance(value, int):
        return timedelta(seconds=value)
    try:
        return parse_duration(value)
    except UsageError as error:
        raise wrong(f"{value!r} is neither seconds nor a duration", "write 300 or PT5M") from error


Column = Annotated[str, AfterValidator(_column)]


class _Timestamp(Described):
    column: Column
    format: Literal["yyyy-MM-dd HH:mm:ss"]


class _Measure(Described):
    name: Column
    aggregation: Annotated[Aggregation, Field(strict=False)] = Aggregation.SUM
    missing: Annotated[Missing, Field(strict=False)] = Missing.ZERO


class _Alert(Described):
    threshold: Annotated[float, Field(ge=0, le=100)] = 70.0


class _ConnectorFile(Described):
    description: str
    frequency: Literal["PT5M", "PT10M", "PT1H", "P1D"]
    offset: Annotated[int | str, AfterValidator(_offset)] = 0
    timestamp: _Timestamp
    dimensions: list[Column] = Field(default_factory=list)
    measures: Annotated[list[_Measure], Field(min_length=1)]
    alert: _Alert = _Alert()

    @model_validator(mode="after")
    def _columns_differ(self) -> _ConnectorFile:
        names = [self.timestamp.column, *self.dimensions, *(m.name for m in self.measures)]
        if twice := [name for name in names if names.count(name) > 1]:
            raise wrong(f"column {twice[0]!r} is named twice", "give each column one role")
        return self


def load_connectors(sql: Path) -> dict[str, Connector]:
    """Every connector of `<sql>/connectors` by name. Raises ConfigError for the first wrong one."""
    folders = sorted(file.parent for file in (sql / "connectors").glob("*/connector.yaml"))
    return {folder.name: load_connector(folder) for folder in folders}


def load_connector(folder: Path) -> Connector:
    """The connector of a folder, whose name is the connector's. Raises ConfigError."""
    if not NAME.fullmatch(folder.name):
        raise ConfigError(
            str(folder), "its name is no connector name", "use 1-63 letters, digits, - and _"
        )
    described = read(folder / "connector.yaml", _ConnectorFile)
    return Connector(
        name=folder.name,
        description=described.description,
        frequency=parse_duration(described.frequency),
        offset=_span(described.offset),
        timestamp=described.timestamp.column,
        dimensions=tuple(described.dimensions),
        measures=tuple(Measure(m.name, m.aggregation, m.missing) for m in described.measures),
        query=_query(folder / "query.sql"),
        alert_threshold=described.alert.threshold,
    )


def _query(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(str(path), "no such file", "write the query of the connector") from error
