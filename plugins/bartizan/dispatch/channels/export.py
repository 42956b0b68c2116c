"""Anomalies as files in a partitioned folder, on S3 or disk, for Athena, Spark or a spreadsheet.

    <path>/detector=<name>/date=<day the incident began>/<incident id>.csv | .parquet | .json

A later change replaces the incident's file, so that the folder holds each incident as it is now.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError
from upath import UPath

from bartizan.dispatch.channels.aws import outcome_of
from bartizan.dispatch.channels.base import (
    Channel,
    ChannelOptions,
    Outcome,
    Outgoing,
    Payload,
    Site,
)
from bartizan.dispatch.channels.folder import write_whole
from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import encoded
from bartizan.dispatch.shapes import ocsf, rows
from bartizan.model.anomaly import Incident

_NUMBERS = {"value", "expected", "lower", "upper", "severity", "incident_severity"}
_SCHEMA = pa.schema(
    [
        (name, pa.int64() if name == "change" else pa.float64() if name in _NUMBERS else pa.utf8())
        for name in rows.COLUMNS
    ]
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ExportOptions(ChannelOptions):
    """`path`: a folder or s3:// prefix, credentials as s3fs finds them. `format`: `ocsf` is a line
    of JSON a file."""

    kind: Literal["export"]
    path: str
    format: Literal["csv", "parquet", "ocsf"] = "csv"

    def open(self, site: Site) -> Channel:
        return Export(self)


class Export(Channel):
    """Exactly once: an attempt more writes the same bytes."""

    def __init__(self, options: ExportOptions) -> None:
        self._path, self._format = options.path, options.format

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        payload = rows.shape(incident, context, change)
        if self._format == "ocsf":
            place = {name: payload[name] for name in ("detector", "date")}
            return place | {"event": ocsf.shape(incident, context, change)}
        return payload

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return [self._write(one) for one in batch]

    def _write(self, one: Outgoing) -> Outcome:
        suffix, content = _CONTENTS[self._format]
        folder = UPath(self._path) / f"detector={one.payload['detector']}"
        path = folder / f"date={one.payload['date']}" / f"{one.message.incident_id}.{suffix}"
        try:
            write_whole(path, content(one.payload))
        except OSError as error:
            return Outcome.transient(f"{self._path}: {error.strerror or type(error).__name__}")
        except (BotoCoreError, ClientError) as error:
            return outcome_of(error)
        return Outcome.delivered(str(path))


def _csv(payload: Payload) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows.COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in payload["rows"])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _parquet(payload: Payload) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(payload["rows"], _SCHEMA), buffer, compression="zstd")
    return buffer.getvalue()


def _ocsf(payload: Payload) -> bytes:
    return encoded(payload["event"]) + b"\n"


_CONTENTS: dict[str, tuple[str, Callable[[Payload], bytes]]] = {
    "csv": ("csv", _csv),
    "parquet": ("parquet", _parquet),
    "ocsf": ("json", _ocsf),
}
