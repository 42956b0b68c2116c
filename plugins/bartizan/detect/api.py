"""The detector on pandas DataFrames: learn, score, find incidents. docs/detection.md#api."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd

from bartizan.detect.group import find_groups, settled
from bartizan.detect.learn import learn as learn_panel
from bartizan.detect.panel import TIME
from bartizan.detect.replay import history_length, replay
from bartizan.detect.score import score as score_panel
from bartizan.detect.state import DetectorState
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import Window, aware, naive, parse_duration


@dataclass(frozen=True)
class Detector:
    """What `learn` returns: the metrics it is for, and what it has learned of them.

    `state.ready` tells whether anything can be judged, `state.series` of which series;
    `state.save(path)` and `DetectorState.load(path)` keep it. `history` are the last 35 days of
    rows, 400 intervals at least, to learn anew from; None after loading a state.
    """

    metrics: Connector
    state: DetectorState
    history: pd.DataFrame | None = field(default=None, repr=False, compare=False)


def learn(
    history: pd.DataFrame,
    measures: Sequence[str] | Mapping[str, str],
    dimensions: Sequence[str] = (),
    *,
    frequency: str,
    timestamp: str = "timestamp",
    name: str = "metrics",
    threshold: float = 70.0,
) -> Detector:
    """Learn what is usual from all rows of `history`.

    `history` has one row per time and combination of dimension values, or several, which are put
    together; their order does not matter. Column `timestamp` holds datetime64, naive UTC or with a
    zone; `dimensions` are read as text, missing ones as ""; columns of `measures` are numbers, NaN
    for no value. `measures` are names of columns, which are added up (SUM), or map each to its
    aggregation: SUM, AVG, COUNT, MIN, MAX, P50, P95, P99 or COUNT_DISTINCT. A series without a row
    in an interval in which others have one is 0 for SUM and the counts, and a gap for the others.
    `frequency` is the length of an interval, PT1M to P1D. A series is judged after 300 intervals
    of its own, 14 when daily. `threshold` is the severity from which `incidents` are made.

    Raises UsageError and ConfigError for frames that do not fit: columns that are missing,
    infinite values, no rows.
    """
    given = measures if isinstance(measures, Mapping) else dict.fromkeys(measures, "SUM")
    metrics = Connector(
        name=name,
        description="",
        frequency=parse_duration(frequency),
        offset=timedelta(),
        timestamp=timestamp,
        dimensions=tuple(dimensions),
        measures=tuple(_measure(*one) for one in given.items()),
        query="",
        alert_threshold=threshold,
    )
    frame = _frame(history, metrics)
    span = _span(frame, metrics)
    kept = naive(span.end - history_length(metrics.frequency))
    return Detector(metrics, learn_panel(frame, metrics, span), frame[frame[TIME] >= kept])


def score(detector: Detector, metrics: pd.DataFrame, *, relearn: bool = True) -> pd.DataFrame:
    """Score the rows of `metrics` that come after what was learned; its shape is that of `learn`.

    As live, the detector learns anew at each midnight (UTC) from the last 35 days, 400 intervals
    at least, and when daily once a week; with `relearn=False` all is scored by `detector.state`.
    Earlier rows are taken from `detector.history`, from `metrics` only where it has none.

    Returns a row per interval, series and measure, ordered so: interval_start (naive UTC), the
    dimensions, measure, value, expected, lower, upper (in the measure's unit per interval; the
    middle 99.8 % of normal intervals), severity (0-100, NaN where it cannot be judged), direction
    ("above", "below", ""), reason. Raises UsageError where there are no later rows, and what
    `learn` raises.
    """
    frame = _frame(metrics, detector.metrics)
    learned = naive(detector.state.learned.end)
    after = frame[frame[TIME] >= learned]
    if after.empty:
        raise UsageError(
            f"{detector.metrics.name}: rows to score",
            f"none comes after {learned}, up to which was learned",
            "learn from an earlier part only",
        )
    rows = frame if detector.history is None else pd.concat([detector.history, after])
    window = _span(after, detector.metrics)
    if not relearn:
        return score_panel(detector.state, rows, detector.metrics, window)
    return replay(detector.state, rows, detector.metrics, window)[0]


def incidents(detector: Detector, scores: pd.DataFrame) -> list[Incident]:
    """The groups of anomalous rows of `scores`, in order of time."""
    if scores.empty:
        return []
    metrics = detector.metrics
    end = aware(scores[TIME].max().to_pydatetime()) + metrics.frequency
    return [
        settled(one, metrics, end) for one in find_groups(scores, metrics, metrics.alert_threshold)
    ]


def _measure(name: str, aggregation: str) -> Measure:
    known = [one.value for one in Aggregation if one is not Aggregation.RATIO]
    if aggregation not in known:
        raise UsageError(
            f"measure {name!r}", f"{aggregation!r} is unknown", f"write one of {', '.join(known)}"
        )
    kind = Aggregation(aggregation)
    return Measure(name, kind, Missing.ZERO if kind.counts else Missing.GAP)


def _frame(rows: pd.DataFrame, metrics: Connector) -> pd.DataFrame:
    """The rows with times at the starts of intervals and dimensions as text."""
    needed = metrics.columns
    if lacking := [name for name in needed if name not in rows.columns]:
        raise UsageError(
            f"{metrics.name}: column {lacking[0]!r}",
            f"is not among {', '.join(map(str, rows.columns))}",
            "name the columns of the frame",
        )
    times = rows[metrics.timestamp]
    if not pd.api.types.is_datetime64_any_dtype(times) or times.isna().any():
        raise UsageError(
            f"{metrics.name}: column {metrics.timestamp!r}",
            f"{int(times.isna().sum())} of {len(times)} times are missing; type {times.dtype}",
            "convert it: pd.to_datetime(column, utc=True)",
        )
    if rows.empty:
        raise UsageError(f"{metrics.name}: rows", "there are none", "give a frame with rows")
    utc = times.dt.tz_convert("UTC").dt.tz_localize(None) if times.dt.tz is not None else times
    columns = {TIME: utc.dt.floor(metrics.frequency).astype("datetime64[us]")}
    columns |= {
        n: rows[n].astype(object).where(rows[n].notna(), "").astype(str) for n in metrics.dimensions
    }
    columns |= {n: rows[n] for n in metrics.value_columns}
    return pd.DataFrame(columns)


def _span(frame: pd.DataFrame, metrics: Connector) -> Window:
    first, last = (_at(one) for one in (frame[TIME].min(), frame[TIME].max()))
    return Window(first, last + metrics.frequency)


def _at(stamp: pd.Timestamp) -> datetime:
    return aware(stamp.to_pydatetime())
