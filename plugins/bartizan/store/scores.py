"""Where stored scores lie, and those of one measure.

A Parquet file per detector and UTC day, with the columns that `score` of the detector returns; of
very many series more than one, each with other intervals.
"""

from __future__ import annotations

from datetime import UTC, datetime
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


def score_files(root: Path, connector: Connector, window: Window) -> list[Path]:
    """The files that there are of the days of `window`."""
    days = {scores_path(root, connector, day.start).stem for day in window.pieces(DAY)}
    folder = scores_path(root, connector, window.start).parent
    return sorted(path for path in folder.glob("*.parquet") if path.stem.split("_")[0] in days)


def day_of(scores: Path) -> datetime:
    """The start of the UTC day whose scores a file holds."""
    return datetime.strptime(scores.stem[:8], "%Y%m%d").replace(tzinfo=UTC)


def next_scores_path(root: Path, connector: Connector, window: Window) -> Path:
    """A file that there is not yet of the day of `window`."""
    day, number = scores_path(root, connector, window.start), 0
    path = day
    while path.exists():
        number += 1
        path = day.with_stem(f"{day.stem}_{number:03d}")
    return path


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
    stored = [
        pq.read_table(path, columns=schema.names, filters=inside).cast(schema)
        for path in score_files(root, connector, window)
    ]
    found = pa.concat_tables([schema.empty_table(), *stored])
    return found.sort_by("interval_start") if len(stored) > 1 else found
