"""Where stored scores lie, and those of one measure.

One Parquet file per detector and UTC day, with the columns that `score` of the detector returns.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, floor, naive


def scores_path(root: Path, connector: Connector, instant: datetime) -> Path:
    """The file of the UTC day that holds `instant`; `root` is the lake folder."""
    day = floor(instant, DAY)
    return root / "detectors" / connector.name / "scores" / f"{day:%Y%m%d}.parquet"


def measure_scores(root: Path, connector: Connector, measure: str, window: Window) -> pa.Table:
    """Interval start, dimensions, value and expected of every series of `measure` in `window`,
    by interval; without rows when none are stored."""
    schema = pa.schema(
        [("interval_start", pa.timestamp("us"))]
        + [(name, pa.large_string()) for name in connector.dimensions]
        + [("value", pa.float64()), ("expected", pa.float64())]
    )
    inside = (
        (pc.field("measure") == measure)
        & (pc.field("interval_start") >= naive(window.start))
        & (pc.field("interval_start") < naive(window.end))
    )
    paths = [scores_path(root, connector, day.start) for day in window.pieces(DAY)]
    stored = [
        pq.read_table(path, columns=schema.names, filters=inside).cast(schema)
        for path in paths
        if path.exists()
    ]
    return pa.concat_tables([schema.empty_table(), *stored])
