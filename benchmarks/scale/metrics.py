"""Hourly metrics of many series, most of them sparse, as Parquet files; made once and kept."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.source import FileFormat, FileKind, Source
from bartizan.model.window import HOUR, Window, naive

HOME = Path("var/bench/scale")
NAME = "requests"
START = datetime(2026, 11, 2, tzinfo=UTC)
HOURS = 14 * 24
LEARNED = Window(START, START + HOURS * HOUR)
LIVE = 3  # hours after the history
WEB_ACLS = 50
CHUNK = 50_000  # series generated at once
# Share of the series, and between which counts an hour they are, log-uniform; the last are dense.
LEVELS = ((0.80, 0.005, 0.05), (0.17, 0.05, 0.3), (0.03, 0.3, 50.0))
PRESENT = 0.95  # of the hours have a gauge
LATE = 0.05  # of the series need not be there on the first day
SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("us")),
        ("webacl", pa.string()),
        ("client", pa.string()),
        ("value", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Rows:
    """Of each row the number of its series, the hour since START, the value."""

    series: NDArray[np.int64]
    hour: NDArray[np.int64]
    value: NDArray[np.float64]

    def of(self, first: int, end: int) -> Rows:
        inside = (self.hour >= first) & (self.hour < end)
        return Rows(self.series[inside], self.hour[inside], self.value[inside])


def connector(folder: Path, kind: str) -> Connector:
    """Requests by web ACL and client, or the mean of a latency."""
    place = folder.resolve()
    source = Source(
        live=f"{place}/live/{{{{yyyyMMdd}}}}/{{{{HHmm}}}}",
        history=f"{place}/history",
        format=FileFormat(FileKind.PARQUET),
    )
    measure = Measure("value", Aggregation.SUM, Missing.ZERO)
    if kind == "gauges":
        measure = Measure("value", Aggregation.AVG, Missing.GAP)
    return Connector(
        NAME, "", HOUR, timedelta(), "time", ("webacl", "client"), (measure,), "", source=source
    )


def live_hour(number: int) -> Window:
    return Window(LEARNED.end + number * HOUR, LEARNED.end + (number + 1) * HOUR)


def prepared(series: int, kind: str) -> Path:
    """The folder of the metrics of so many series."""
    folder = HOME / f"{kind}-{series}"
    if (folder / "_done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    spans = [(0, HOURS), *((HOURS + hour, HOURS + hour + 1) for hour in range(LIVE))]
    names = ["history", *(f"live/{live_hour(n).start:%Y%m%d/%H%M}" for n in range(LIVE))]
    for name in names:
        (folder / name).mkdir(parents=True)
    files = [folder / name / "part.parquet" for name in names]
    writers = [pq.ParquetWriter(file, SCHEMA, compression="lz4") for file in files]
    rng = np.random.default_rng(series)
    for first in range(0, series, CHUNK):
        found = generated(rng, min(CHUNK, series - first), kind, HOURS + LIVE)
        for writer, span in zip(writers, spans, strict=True):
            writer.write_table(table(found.of(*span), first))
    for writer in writers:
        writer.close()
    (folder / "_done").touch()
    return folder


def table(rows: Rows, first: int = 0) -> pa.Table:
    """As in a file; the first series has the number `first`."""
    times = np.datetime64(naive(START), "us") + rows.hour * np.timedelta64(1, "h")
    numbers, place = np.unique(rows.series, return_inverse=True)
    clients = pa.array([f"client-{first + number:07d}" for number in numbers], pa.string())
    web_acls = pa.array([f"web-acl-{number:02d}" for number in range(WEB_ACLS)], pa.string())
    columns = [
        pa.array(times),
        web_acls.take(pa.array(rows.series % WEB_ACLS)),
        clients.take(pa.array(place)),
        pa.array(rows.value),
    ]
    return pa.table(columns, schema=SCHEMA)


def generated(rng: np.random.Generator, series: int, kind: str, hours: int) -> Rows:
    daily = 1 + 0.6 * np.sin(2 * np.pi * (np.arange(hours) - 9) / 24)
    return (_counts if kind == "counts" else _gauges)(rng, series, daily)


def _gauges(rng: np.random.Generator, series: int, daily: NDArray[np.float64]) -> Rows:
    """A latency in nearly every hour."""
    number, hour = np.nonzero(rng.random((series, len(daily))) < PRESENT)
    return Rows(number, hour, 20 * daily[hour] + rng.gamma(4, 2, len(hour)))


def _counts(rng: np.random.Generator, series: int, daily: NDArray[np.float64]) -> Rows:
    hours = len(daily)
    which = rng.choice(len(LEVELS), series, p=[share for share, _, _ in LEVELS])
    low, high = (np.array([one[end] for one in LEVELS])[which] for end in (1, 2))
    level = np.exp(rng.uniform(np.log(low), np.log(high)))
    dense = np.flatnonzero(which == len(LEVELS) - 1)
    sparse = np.flatnonzero(which < len(LEVELS) - 1)
    counts = rng.poisson(level[dense, None] * daily * rng.gamma(5, 1 / 5, (len(dense), hours)))
    often = rng.poisson(level[sparse] * hours)
    when = rng.choice(hours, int(often.sum()), p=daily / daily.sum())
    early = np.flatnonzero(rng.random(series) >= LATE)
    number = np.concatenate([np.repeat(dense, hours), np.repeat(sparse, often), early])
    hour = np.tile(np.arange(hours), len(dense))
    hour = np.concatenate([hour, when, rng.integers(0, 24, len(early))])
    value = np.concatenate([counts.reshape(-1), np.ones(len(when) + len(early))])
    cells, place = np.unique((number * hours + hour)[value > 0], return_inverse=True)
    number, hour = np.divmod(cells, hours)
    return Rows(number, hour, np.bincount(place, value[value > 0]))
