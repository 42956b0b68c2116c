"""The same files on s3://, written and found unchanged there."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from engines import TableEngine
from moto.server import ThreadedMotoServer
from upath import UPath

from bartizan.crawl import backfill, crawl
from bartizan.detect.metrics import read_live
from bartizan.model.connector import Connector, Measure
from bartizan.model.source import FolderLabel, Source
from bartizan.model.window import Window

START = datetime(2026, 11, 1, tzinfo=UTC)
CONNECTOR = Connector(
    "n", "", timedelta(hours=1), timedelta(0), "timestamp", ("d",), (Measure("m"),), ""
)


@pytest.fixture
def metrics() -> Iterator[UPath]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {
        "key": "testing",
        "secret": "testing",
        "client_kwargs": {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-west-1"},
    }
    root = UPath("s3://metrics/waf", **options)
    root.fs.makedirs("metrics", exist_ok=True)
    yield root
    server.stop()


def test_live_and_history_on_s3(metrics: UPath) -> None:
    times = [START.replace(tzinfo=None), START.replace(tzinfo=None) + timedelta(hours=2)]
    rows = pa.table(
        {"timestamp": pa.array(times, pa.timestamp("us")), "d": ["a", "b"], "m": [1, 2]}
    )
    engine, window = TableEngine(rows), Window(START, START + timedelta(hours=3))

    first = crawl(engine, CONNECTOR, metrics, [window], window.end)
    again = crawl(engine, CONNECTOR, metrics, [window], window.end)
    backfill(engine, CONNECTOR, metrics, [Window(START, START + timedelta(hours=1))])
    history = backfill(engine, CONNECTOR, metrics, [window])

    assert (first.written, again.written, again.unchanged) == (3, 0, 3)
    assert (history.chunks, history.rows) == (1, 2)
    metrics.fs.invalidate_cache()
    assert sorted(metrics.fs.find("metrics")) == [
        "metrics/waf/n/backtest/_manifest_n_20261101T0000_20261101T0300.json",
        "metrics/waf/n/backtest/n_20261101T0000_20261101T0300.csv",
        "metrics/waf/n/live/20261101/0000/_manifest.json",
        "metrics/waf/n/live/20261101/0000/n.csv",
        "metrics/waf/n/live/20261101/0100/_manifest.json",
        "metrics/waf/n/live/20261101/0200/_manifest.json",
        "metrics/waf/n/live/20261101/0200/n.csv",
    ]
    content = (metrics / "n/live/20261101/0200/n.csv").read_text()
    assert content == "timestamp,d,m\n2026-11-01 02:00:00,b,2\n"


def test_files_that_others_write_on_s3(metrics: UPath) -> None:
    """Named by the end of their hour, gzipped, in a bucket that someone else has."""
    metrics.fs.mkdir("theirs")
    for hour, site in ((1, "a"), (2, "b"), (30, "c")):
        named = START + timedelta(hours=hour)
        row = f"{named - timedelta(minutes=1):%Y-%m-%d %H:%M:%S},{site},{hour}\n"
        path = f"theirs/live/{named:%Y/%m/%d/%H}/part-{hour}.gz"
        metrics.fs.pipe_file(path, gzip.compress(f"timestamp,d,m\n{row}".encode()))
    source = Source(
        "s3://theirs/live/{{yyyy}}/{{MM}}/{{dd}}/{{HH}}/", None, folder_label=FolderLabel.END
    )
    window = Window(START, START + timedelta(days=1))
    found = read_live(metrics / "n", replace(CONNECTOR, source=source), window)

    assert dict(zip(found.frame["d"], found.frame["m"], strict=True)) == {"a": 1, "b": 2}
    assert (found.rows, sum(found.rejected.values())) == (2, 0)
