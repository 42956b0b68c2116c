"""Reads a connector from its folder `connectors/<name>`: connector.yaml and its query."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bartizan.calendars import CalendarBlock
from bartizan.crawl.queries import read_query
from bartizan.crawl.source import WRITTEN_FORMAT, SourceBlock, time_format
from bartizan.described import Described, parse, read, wrong
from bartizan.engines.base import EngineName
from bartizan.engines.cloudwatch_query import CloudWatchQuery
from bartizan.errors import ConfigError, UsageError
from bartizan.model.connector import NAME, Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, parse_duration

LONGEST_OFFSET = timedelta(days=5)
LONGEST_UNASKED = timedelta(days=7)
Frequency = Literal["PT1M", "PT5M", "PT10M", "PT15M", "PT1H", "P1D"]


def _column(value: str) -> str:
    if not NAME.fullmatch(value):
        raise wrong(f"{value!r} is no column name", "use 1-63 letters, digits, - and _")
    return value


def _offset(value: int | str) -> int | str:
    if not timedelta(0) <= _span(value) <= LONGEST_OFFSET:
        raise wrong(f"{value!r} is not within 0 to 5 days", "write seconds or PT5M")
    return value


def _asked_within(value: int | str) -> int | str:
    if not DAY <= _span(value) <= LONGEST_UNASKED:
        raise wrong(f"{value!r} is not within 1 to 7 days", "write PT48H")
    return value


def _span(value: int | str) -> timedelta:
    if isinstance(value, int):
        return timedelta(seconds=value)
    try:
        return parse_duration(value)
    except UsageError as error:
        raise wrong(f"{value!r} is neither seconds nor a duration", "write 300 or PT5M") from error


def _not_as_the_guide_prints_it(value: Any) -> Any:
    """The guide of Lookout for Metrics prints filters in a form that its own API refuses."""
    if isinstance(value, list) or (
        isinstance(value, dict)
        and any(isinstance(one, dict) for v in value.values() if isinstance(v, list) for one in v)
    ):
        raise wrong("is in the form of Lookout for Metrics", "write {country: [DE, FR]}")
    return value


Column = Annotated[str, AfterValidator(_column)]
Duration = Annotated[int | str, AfterValidator(_offset)]


class _Timestamp(Described):
    column: Column
    format: Annotated[str, AfterValidator(time_format)] = WRITTEN_FORMAT


class _Measure(Described):
    name: Column
    aggregation: Annotated[Aggregation, Field(strict=False)] = Aggregation.SUM
    missing: Annotated[Missing | None, Field(strict=False)] = None
    of: list[Column] = Field(default_factory=list)
    carry_for: Annotated[int | str, AfterValidator(_offset)] = 0

    @model_validator(mode="after")
    def _fits_together(self) -> _Measure:
        is_ratio = self.aggregation is Aggregation.RATIO
        if is_ratio and len(self.of) != 2:
            raise wrong(f"RATIO of {self.of!r}", "write of: [numerator, denominator]")
        if not is_ratio and len(self.of) > 1:
            raise wrong(f"{self.aggregation} of {self.of!r}", "write of: [column], or leave it out")
        if (self.missing is Missing.CARRY) != bool(self.carried):
            raise wrong("missing: carry and carry_for belong together", "write carry_for: PT1H")
        return self

    @property
    def carried(self) -> timedelta:
        return _span(self.carry_for)

    def as_measure(self) -> Measure:
        usual = Missing.ZERO if self.aggregation.counts else Missing.GAP
        return Measure(
            self.name,
            self.aggregation,
            self.missing or usual,
            tuple(self.of),
            self.carried,
        )


class _Alert(Described):
    threshold: Annotated[float, Field(ge=0, le=100)] = 70.0
    ask_after: Annotated[int | str, AfterValidator(_asked_within)] = "PT48H"


class _ConnectorFile(Described):
    description: str
    engine: Annotated[EngineName, Field(strict=False)] = EngineName.DUCKDB
    connection: Column | None = None
    frequency: Frequency
    offset: Duration = 0
    timestamp: _Timestamp
    dimensions: list[Column] = Field(default_factory=list)
    measures: Annotated[list[_Measure], Field(min_length=1)]
    filters: Annotated[
        dict[Column, Annotated[list[str], Field(min_length=1)]],
        BeforeValidator(_not_as_the_guide_prints_it),
    ] = Field(default_factory=dict)
    source: SourceBlock | None = None
    calendar: CalendarBlock = CalendarBlock()
    alert: _Alert = _Alert()

    @model_validator(mode="after")
    def _columns_differ(self) -> _ConnectorFile:
        groups = [self.timestamp.column], self.dimensions, [m.name for m in self.measures]
        names = [name for group in groups for name in group]
        if twice := [name for name in names if names.count(name) > 1]:
            raise wrong(f"column {twice[0]!r} is named twice", "give each column one role")
        made_from = {name for m in self.measures for name in m.as_measure().columns}
        if both := sorted(made_from & {self.timestamp.column, *self.dimensions}):
            raise wrong(f"column {both[0]!r} is named twice", "give each column one role")
        return self

    @model_validator(mode="after")
    def _values_are_carried_somewhere(self) -> _ConnectorFile:
        interval = parse_duration(self.frequency)
        if short := [m.name for m in self.measures if timedelta(0) < m.carried < interval]:
            raise wrong(f"carry_for of {short[0]!r} is shorter than an interval", "make it longer")
        return self

    @model_validator(mode="after")
    def _calendar_is_of_its_dimensions(self) -> _ConnectorFile:
        self.calendar.require_dimensions(self.dimensions)
        return self

    @model_validator(mode="after")
    def _connection_is_of_an_engine(self) -> _ConnectorFile:
        if self.connection is not None and self.engine is EngineName.DUCKDB:
            raise wrong("duckdb has no connection", "leave connection out, or name an engine")
        return self

    @model_validator(mode="after")
    def _source_or_query(self) -> _ConnectorFile:
        if self.source is None and self.timestamp.format != WRITTEN_FORMAT:
            raise wrong(
                f"timestamp.format {self.timestamp.format!r} is of a source's files",
                f"write {WRITTEN_FORMAT}: files are written so",
            )
        if self.source is not None and "engine" in self.model_fields_set:
            raise wrong("source and engine", "leave engine out: the files are only read")
        if self.source is not None:
            self.source.require_whole_intervals(parse_duration(self.frequency))
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
    source = described.source
    query_file, query = read_query(folder, described.engine) if source is None else ("", "")
    if described.engine is EngineName.CLOUDWATCH:
        _require_period(described.frequency, query, f"{folder / query_file}")
    if source is not None and (found := sorted(folder.glob("query.*"))):
        raise ConfigError(str(found[0]), "stands beside source:", "remove one of them")
    return _as_connector(folder.name, described, query_file, query)


def read_description(file: Path, name: str) -> Connector:
    """What a connector.yaml alone says of metrics that are in files already: a query that may
    stand beside it is not read, as nothing runs it. Raises ConfigError."""
    return _as_connector(name, read(file, _ConnectorFile), "", "")


def _as_connector(name: str, described: _ConnectorFile, query_file: str, query: str) -> Connector:
    source = described.source
    return Connector(
        name=name,
        description=described.description,
        frequency=parse_duration(described.frequency),
        offset=_span(described.offset),
        timestamp=described.timestamp.column,
        dimensions=tuple(described.dimensions),
        measures=tuple(measure.as_measure() for measure in described.measures),
        query=query,
        alert_threshold=described.alert.threshold,
        engine=described.engine,
        connection=described.connection,
        query_file=query_file,
        filters=tuple((name, tuple(values)) for name, values in described.filters.items()),
        source=None if source is None else source.as_source(described.timestamp.format),
        calendar=described.calendar.as_entries(),
        ask_after=_span(described.alert.ask_after),
    )


def _require_period(frequency: str, query: str, origin: str) -> None:
    """Raises ConfigError unless CloudWatch is asked for intervals as long as the connector's."""
    period = parse(query, origin, CloudWatchQuery).period
    if period != frequency:
        raise ConfigError(
            f"{origin}: period",
            f"{period} is not the frequency of connector.yaml",
            f"write {frequency}",
        )
