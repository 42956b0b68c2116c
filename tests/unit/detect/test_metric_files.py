"""Reading metric files: every row is in the frame or counted."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from upath import UPath

from bartizan.detect.metrics import read_history, read_live
from bartizan.errors import SourceError
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import Window

CONNECTOR = Connector(
    "blocked",
    "",
    timedelta(minutes=5),
    timedelta(),
    "timestamp",
    ("webacl", "rule"),
    (Measure("count"),),
    "",
)
DAY = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
HEADER = "timestamp,webacl,rule,count\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def starts(index: pd.DatetimeIndex) -> list[str]:
    return [f"{time:%H:%M}" for time in index]


def test_live_rows_count_only_in_their_interval(tmp_path: Path) -> None:
    live = tmp_path / "live"
    write(
        live / "20261102/0000/part.csv",
        HEADER
        + "2026-11-02 00:00:00,shop,xss,3\n"
        + "2026-11-02 00:04:59,shop,,1.5\n"  # an empty value is a value
        + "2026-11-02 00:05:00,shop,xss,4\n"  # the next interval's
        + "2 November,shop,xss,5\n"
        + "2026-11-02 00:01:00,shop,xss,many\n"
        + "2026-11-02 00:01:00,shop,xss,\n"
        + "2026-11-02 00:01:00,shop,xss,inf\n"
        + "2026-11-02 00:01:00,shop\n",
    )
    write(live / "20261102/0000/_part.csv", "not data")
    write(live / "20261102/notes/part.csv", "not an interval")
    manifest = {"start": "2026-11-02T00:10:00Z", "end": "2026-11-02T00:20:00Z", "rows": 0}
    write(live / "20261102/0010/_manifest.json", json.dumps(manifest))
    write(live / "20261103/0000/part.csv", HEADER + "2026-11-03 00:00:00,shop,xss,9\n")
    found = read_live(UPath(tmp_path), CONNECTOR, DAY)
    nan = np.nan  # rows without a value say that it is unknown, not that there is none
    np.testing.assert_array_equal(found.frame["count"], [3, 1.5, nan, nan, nan])
    assert found.frame["rule"].tolist() == ["xss", "", "xss", "xss", "xss"]
    assert set(starts(pd.DatetimeIndex(found.frame["interval_start"]))) == {"00:00"}
    assert starts(found.covered) == ["00:00", "00:10", "00:15"]
    assert found.rows == 8 == len(found.frame) + sum(found.rejected.values()) - 3
    assert found.rejected == {"bad_row": 1, "bad_time": 1, "bad_value": 3, "outside_interval": 1}


def test_history_is_the_files_of_one_folder(tmp_path: Path) -> None:
    hostile = '"=cmd|\' /C\'!A0, ""<script>\n"'
    write(
        tmp_path / "backtest/one.csv",
        HEADER + f"2026-11-02 01:02:03,{hostile},xss,3\n2026-11-01 23:59:59,shop,xss,4\n",
    )
    reordered = b"count,extra,rule,webacl,timestamp\n7,x,sqli,app,2026-11-02 02:00:00\n"
    (tmp_path / "backtest/two.csv.gz").write_bytes(gzip.compress(reordered))
    write(tmp_path / "backtest/older/three.csv", HEADER + "2026-11-02 03:00:00,shop,xss,5\n")
    found = read_history(UPath(tmp_path), CONNECTOR, DAY)
    assert found.frame["webacl"].tolist() == ["=cmd|' /C'!A0, \"<script>\n", "app"]
    assert found.frame["count"].tolist() == [3, 7]
    assert starts(found.covered) == ["01:00", "02:00"]
    assert found.rejected["outside_window"] == 1
    assert found.rows == 3


def test_nothing_written_is_an_empty_frame(tmp_path: Path) -> None:
    for read in (read_history, read_live):
        found = read(UPath(tmp_path / "absent"), CONNECTOR, DAY)
        assert found.frame.empty
        assert found.covered.empty
        assert list(found.frame.columns) == ["interval_start", "webacl", "rule", "count"]


@pytest.mark.parametrize(
    "content",
    [b"timestamp,webacl,count\n", b"", HEADER.encode() + b"2026-11-02 00:00:00,\xff,x,1\n"],
)
def test_files_that_are_no_metrics_are_named(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "backtest/bad.csv", "")
    (tmp_path / "backtest/bad.csv").write_bytes(content)
    with pytest.raises(SourceError, match=r"bad\.csv: not a UTF-8 CSV file with the columns"):
        read_history(UPath(tmp_path), CONNECTOR, DAY)


def test_broken_manifest_is_named(tmp_path: Path) -> None:
    write(tmp_path / "live/20261102/0000/_manifest.json", "{}")
    with pytest.raises(SourceError, match="not a manifest"):
        read_live(UPath(tmp_path), CONNECTOR, DAY)
