"""What a detector's state is on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from upath import UPath

from bartizan.detect.learn import learn
from bartizan.detect.state import VERSION
from bartizan.model.connector import Aggregation, Connector, Measure
from bartizan.model.window import HOUR, Window

START = datetime(2026, 11, 2, tzinfo=UTC)
MEASURES = (Measure("count"), Measure("delay", Aggregation.AVG))
CONNECTOR = Connector("shop", "", HOUR, timedelta(), "timestamp", ("webacl", "rule"), MEASURES, "")

COUNTED = (
    "row model.profile model.doubt model.weekday model.discount model.dispersion "
    "model.smooth_dispersion "
    "memory.quick.count memory.quick.due memory.quick.run "
    "memory.slow.count memory.slow.due memory.slow.run memory.values memory.means "
    "habit.at habit.start habit.slope told.rarest told.since"
)
SIZES = "0.0.first 0.0.largest 0.0.peak 0.1.first 0.1.largest 0.1.peak"
LAYOUT = {  # of version 8
    "series.parquet": "dimension.webacl dimension.rule "
    "0.points 0.level 0.active 0.mix 1.points 1.level 1.active",
    "populations.parquet": f"group {SIZES}",
    "0_counted.parquet": COUNTED,
    "mix/0_counted.parquet": COUNTED,
    "1_gauged.parquet": "row "
    "model.unit model.season.profile model.season.weekday model.season.period model.season.wave "
    "model.forecast.intercept model.forecast.weights model.forecast.spread model.forecast.low "
    "model.forecast.high model.forecast.slow_spread model.smooth_spread "
    "model.movement.usual model.movement.middle model.movement.spread "
    "model.movement.rest model.movement.lasts model.movement.longest "
    "memory.forecast.lags memory.forecast.fast memory.forecast.slow memory.forecast.bias "
    "memory.forecast.run memory.forecast.scale memory.smoothed memory.moved.last "
    "memory.moved.mean memory.moved.still "
    "habit.whole.at habit.whole.start habit.whole.slope "
    "habit.bulk.at habit.bulk.start habit.bulk.slope habit.often habit.at_most "
    "told.rarest told.since",
    "jointly.parquet": "row model.inverse memory.last "
    "habit.at habit.start habit.slope told.rarest told.since",
    "total_0/series.parquet": "dimension.webacl 0.points 0.level 0.active",
    "total_0/populations.parquet": f"group {SIZES}",
    "total_0/0_counted.parquet": COUNTED,
}


def test_another_layout_of_the_files_is_another_version(tmp_path: Path) -> None:
    rng, hours = np.random.default_rng(1), 400
    frame = pd.DataFrame(
        {
            "interval_start": np.repeat(pd.date_range("2026-11-02", periods=hours, freq="h"), 3),
            "webacl": "app",
            "rule": ["one", "two", "three"] * hours,
            "count": rng.poisson(5, 3 * hours),
            "delay": rng.normal(20, 2, 3 * hours),
        }
    )
    folder = tmp_path / "state"
    learn(frame, CONNECTOR, Window(START, START + hours * HOUR)).save(UPath(folder))
    found = {
        path.relative_to(folder).as_posix(): " ".join(pq.read_schema(path).names)
        for path in folder.rglob("*.parquet")
    }
    assert (found, VERSION) == (LAYOUT, 8)
