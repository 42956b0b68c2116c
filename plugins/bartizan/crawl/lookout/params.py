"""Reads the params.json of an original Lookout for Metrics connector, in both of its dialects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from bartizan.crawl.config import LONGEST_OFFSET, Column
from bartizan.crawl.folder import flow
from bartizan.crawl.lookout.filters import given_filters
from bartizan.described import wrong
from bartizan.engines.base import EngineName
from bartizan.engines.connections import variable
from bartizan.errors import ConfigError

_FORMAT = "yyyy-MM-dd HH:mm:ss"
_LOW = 40
_MISSING = {"SUM": "zero", "AVG": "gap"}

# Why a key has no place in connector.yaml.
_DROPPED = {
    "alert_description": "incidents describe themselves",
    "alert_lambda_arn": "incidents go to the outbox",
    "alert_lambda_name": "incidents go to the outbox",
    "alert_name": "incidents go to the outbox",
    "crawler_role_arn": "there is no Glue crawler",
    "detector_name": "the folder's name is the connector's",
    "project": "the folder's name is the connector's",
    "s3_bucket": "metric files go to BARTIZAN_METRICS",
    "s3_path_continuous_root": "metric files go to BARTIZAN_METRICS",
}
_ENGINES = {
    "athena": EngineName.ATHENA,
    "postgres": EngineName.POSTGRESQL,
    "postgresql": EngineName.POSTGRESQL,
    "redshift": EngineName.REDSHIFT,
}
_OURS = {
    "Charset": "UTF-8",
    "ContainsHeader": True,
    "Delimiter": ",",
    "FileCompression": "NONE",
    "QuoteSymbol": '"',
}


class _Given(BaseModel):
    """Unknown keys are kept, to be told; values are never coerced."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class _TimestampColumn(_Given):
    ColumnName: Column
    ColumnFormat: str = _FORMAT


class _Metric(_Given):
    MetricName: Column
    AggregationFunction: Literal["SUM", "AVG"]


class Params(_Given):
    """The keys that a connector needs; the others are in `model_extra`."""

    detector_description: str = ""
    detector_frequency: Literal["PT5M", "PT10M", "PT1H", "P1D"]
    timestamp_column: _TimestampColumn
    dimension_list: list[Column] = Field(default_factory=list)
    metrics_set: Annotated[list[_Metric], Field(min_length=1)]
    metric_source: dict[str, Any] = Field(default_factory=dict)
    offset: Annotated[int, Field(ge=0, le=int(LONGEST_OFFSET.total_seconds()))] = 0
    alert_threshold: Annotated[float, Field(ge=0, le=100)] = 70
    database_type: str = ""
    secret_name: str = ""
    filters: Annotated[dict[Column, list[str]], BeforeValidator(given_filters)] = Field(
        default_factory=dict, validation_alias="DimensionFilterList"
    )

    @model_validator(mode="after")
    def _columns_differ(self) -> Params:
        names = [self.timestamp_column.ColumnName, *self.dimension_list]
        names += [metric.MetricName for metric in self.metrics_set]
        if twice := [name for name in names if names.count(name) > 1]:
            raise wrong(f"column {twice[0]!r} has two roles", "give each column one role")
        return self


def read_params(path: Path) -> Params:
    """The file's content. Raises ConfigError for the first of its mistakes."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "is not UTF-8", "save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}: line {error.lineno}", f"not JSON: {error.msg}", "correct it"
        ) from error
    except RecursionError as error:
        raise ConfigError(str(path), "is nested too deep", "is it a params.json?") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        remedy = first.get("ctx", {}).get("remedy", "correct it")
        raise ConfigError(f"{path}: {key}".rstrip(": "), first["msg"], remedy) from error


def engine_of(params: Params) -> EngineName | None:
    """The engine that the file's database is, if it is one."""
    return _ENGINES.get(params.database_type.lower())


def connector_yaml(
    params: Params, name: str, engine: EngineName, source: Mapping[str, Any] | None = None
) -> str:
    """The description of the connector that the file described, or of one that reads its files."""
    run_by = "" if engine is EngineName.DUCKDB else f"engine: {engine}\n"
    form = params.timestamp_column.ColumnFormat if source else _FORMAT
    block = f"source: {flow(source)}\n" if source else ""
    filters = f"filters: {flow(params.filters)}\n" if params.filters else ""
    measures = "\n".join(
        f"  - {{name: {flow(m.MetricName)}, aggregation: {m.AggregationFunction},"
        f" missing: {_MISSING[m.AggregationFunction]}}}"
        for m in params.metrics_set
    )
    description = " ".join(params.detector_description.split()) or name
    return f"""\
description: {flow(description)}
{run_by}frequency: {params.detector_frequency}
offset: {params.offset}
timestamp: {{column: {flow(params.timestamp_column.ColumnName)}, format: {flow(form)}}}
dimensions: {flow(params.dimension_list)}
measures:
{measures}
{filters}{block}alert: {{threshold: {params.alert_threshold:g}}}
"""


def changed(params: Params) -> list[str]:
    """What the connector does otherwise than the file says."""
    told = ["metric folders are named by the start of their interval, not by the run"]
    if (form := params.timestamp_column.ColumnFormat) != _FORMAT:
        told.append(f"timestamps are written as {_FORMAT} in UTC, not as {form}")
    return told


def dropped(params: Params, engine: EngineName) -> list[str]:
    """Keys without a place in connector.yaml, with their values and why."""
    extra = params.model_extra or {}
    database, secret = params.database_type, params.secret_name
    if engine is not EngineName.DUCKDB:
        database = secret = ""  # they have become the engine and its connection
    return [
        *([f"database_type = {flow(database)}: nothing is read from there"] if database else []),
        *([f"secret_name = {flow(secret)}: no password is needed"] if secret else []),
        *(f"{key} = {flow(extra[key])}: {why}" for key, why in _DROPPED.items() if key in extra),
    ]


def dropped_of_source(params: Params) -> list[str]:
    """What the file says about files, when ours are written instead."""
    source = params.metric_source.get("S3SourceConfig")
    if not isinstance(source, dict):
        return []
    paths = {key: value for key, value in source.items() if key != "FileFormatDescriptor"}
    return [
        *(f"{key} = {flow(value)}: files go to BARTIZAN_METRICS" for key, value in paths.items()),
        *_dropped_of_format(source.get("FileFormatDescriptor")),
    ]


def look_at(params: Params, engine: EngineName) -> list[str]:
    """What a person must decide."""
    extra = params.model_extra or {}
    unknown = sorted(extra.keys() - _DROPPED.keys())
    others = sorted(params.metric_source.keys() - {"S3SourceConfig"})
    told = [
        *(f"{key} = {flow(extra[key])}: unknown key, not used" for key in unknown),
        *(f"metric_source.{key}: not used, the query runs on {engine}" for key in others),
        *_connection(params, engine),
        "missing: zero for SUM, gap for AVG: correct it where no row means something else",
    ]
    if params.alert_threshold < _LOW:
        told.append(f"alert.threshold {params.alert_threshold:g} is low: 70 is usual")
    return told


def _connection(params: Params, engine: EngineName) -> list[str]:
    """Where the engine's connection must be written."""
    if engine is EngineName.DUCKDB:
        return []
    secret = f"?secret={params.secret_name}" if params.secret_name else "…"
    return [f"engine {engine}: say where it is in {variable(engine)}, {engine}://{secret}"]


def _dropped_of_format(form: Any) -> list[str]:
    """What the file format has unlike ours, which is the format that the sample uses."""
    csv = form.get("CsvFormatDescriptor") if isinstance(form, dict) else None
    if not isinstance(csv, dict):
        return [f"FileFormatDescriptor = {flow(form)}: files are CSV"] if form else []
    unlike = {key: value for key, value in csv.items() if _OURS.get(key) != value}
    return [f"{key} = {flow(value)}: files are plain UTF-8 CSV" for key, value in unlike.items()]
