"""Incidents and scores as the detectors make them, for tests that need some."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from bartizan.explain.contributions import contributions
from bartizan.model.anomaly import Anomaly, Direction, Incident
from bartizan.model.ids import stable_uuid
from bartizan.model.window import Window

DAY_START = datetime(2026, 11, 16, tzinfo=UTC)
STEP = timedelta(minutes=5)


def anomaly(
    position: int,
    dimensions: dict[str, str],
    value: float = 120.0,
    expected: float = 6.0,
    severity: float = 91.0,
    step: timedelta = STEP,
    direction: Direction = Direction.ABOVE,
    reason: str = "count_tail",
) -> Anomaly:
    """An anomaly in interval number `position` of the day."""
    start = DAY_START + position * step
    return Anomaly(
        Window(start, start + step),
        tuple(dimensions.items()),
        value,
        expected,
        expected * 0.3,
        expected * 2 + 4,
        severity,
        direction,
        reason,
    )


def incident(
    anomalies: list[Anomaly],
    detector: str = "waf_blocked_requests",
    measure: str = "blocked",
    samples: tuple[dict[str, str], ...] = (),
) -> Incident:
    """The explained incident of these anomalies."""
    first = anomalies[0]
    window = Window(
        min(a.interval.start for a in anomalies), max(a.interval.end for a in anomalies)
    )
    cause = first.dimensions[0][1] if first.dimensions else ""
    return Incident(
        id=stable_uuid(detector, measure, first.direction, cause, window.start),
        detector=detector,
        measure=measure,
        window=window,
        frequency_seconds=int((first.interval.end - first.interval.start).total_seconds()),
        severity=max(a.severity for a in anomalies),
        direction=first.direction,
        value=sum(a.value for a in anomalies),
        expected=sum(a.expected for a in anomalies),
        anomalies=tuple(anomalies),
        contributions=contributions(anomalies, [name for name, _ in first.dimensions]),
        samples=samples,
    )


def scores(of: Incident, level: float = 6.0, seed: int = 7, hours: int = 24) -> pd.DataFrame:
    """A day of scores of every series of the incident: a daily rhythm, and its anomalies."""
    step = timedelta(seconds=of.frequency_seconds)
    count = int(timedelta(hours=hours) / step)
    starts = pd.Timestamp(DAY_START.replace(tzinfo=None)) + np.arange(count) * step
    rng = np.random.default_rng(seed)
    frames = []
    for dimensions in sorted({a.dimensions for a in of.anomalies}):
        expected = level * (1 + 0.5 * np.sin(np.linspace(0, 2 * np.pi, count)))
        frame = pd.DataFrame(
            {
                "interval_start": starts.astype("datetime64[us]"),
                **dict(dimensions),
                "measure": of.measure,
                "value": rng.poisson(expected).astype(float),
                "expected": expected,
                "lower": np.maximum(expected - 3 * np.sqrt(expected), 0),
                "upper": expected + 3 * np.sqrt(expected) + 2,
                "severity": 5.0,
                "direction": "",
                "reason": "",
            }
        )
        for one in (a for a in of.anomalies if a.dimensions == dimensions):
            at = frame["interval_start"] == one.interval.start.replace(tzinfo=None)
            frame.loc[at, ["value", "severity"]] = [one.value, one.severity]
            frame.loc[at, ["direction", "reason"]] = [one.direction.value, one.reason]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
