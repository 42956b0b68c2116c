"""A home with stored scores, made by the library, whose values a test can reckon itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from bartizan import jobs
from bartizan.detect.scores import save_scores
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, floor, format_time, naive
from bartizan.store.detectors import DetectorRecord, DetectorStatus, save_detector
from bartizan.ui import Visitor, create_app

RULES, COUNTRIES, SHARE = "waf_blocked_requests", "waf_traffic_by_country", "waf_blocked_share"
LEVEL = 10.0  # of every value, and what was expected, where a test says nothing else
HOSTILE = (
    "<script>window.hit=1</script>",
    "\"'><img src=x onerror=window.hit=1>",
    "=cmd|' /C calc'!A0",
    " @SUM(1+1)",
    "'); drop table scores; --",
    "a:b&where=country:XX#c?d=e/%00+;",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe",
    "ключ 鍵 🔑",
)

Odd = Mapping[tuple[int, int], tuple[float, float, str]]


def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation in the folder; returns its lake."""
    for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BARTIZAN_HOME", str(folder))
    return jobs.settings().lake


@contextmanager
def one_home(folders: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation for several tests, which only look; gives its lake."""
    with pytest.MonkeyPatch.context() as patch:
        yield home(folders.mktemp("home"), patch)


def client(now: datetime, visitor: Visitor | None = None) -> TestClient:
    """The app for somebody who may look and no more."""
    who = visitor or Visitor("vera", may_write=False)
    app = create_app(lambda: who, b"key", lambda: now)
    return TestClient(app, follow_redirects=False)


def scores(
    connector: Connector, window: Window, series: list[tuple[str, ...]], odd: Odd
) -> pd.DataFrame:
    """Every series of the first measure in every interval of a window. `odd` has value, severity
    and reason of (series, interval) by number; NaN as a value is none."""
    count = int((window.end - window.start) / connector.frequency)
    step = np.timedelta64(connector.frequency, "us")
    times = np.datetime64(naive(window.start), "us") + np.arange(count) * step
    frame = pd.DataFrame(
        {
            "interval_start": np.repeat(times, len(series)),
            **{
                name: [values[at] for values in series] * count
                for at, name in enumerate(connector.dimensions)
            },
            "measure": connector.measures[0].name,
            "value": LEVEL,
            "expected": LEVEL,
            "lower": LEVEL / 2,
            "upper": LEVEL * 2,
            "severity": 0.0,
            "direction": "",
            "reason": "normal",
        }
    )
    for (which, at), (value, severity, reason) in odd.items():
        row = at * len(series) + which
        direction = "" if np.isnan(value) else "above" if value > LEVEL else "below"
        told = [value, severity, direction, reason]
        frame.loc[row, ["value", "severity", "direction", "reason"]] = told
    return frame


def scored(
    name: str, window: Window, series: list[tuple[str, ...]], odd: Odd | None = None
) -> pd.DataFrame:
    """Save the scores of a shipped connector; returns them."""
    connector = jobs.load_connector(name)
    frame = scores(connector, window, series, odd or {})
    for day in window.pieces(DAY):
        start, end = (np.datetime64(naive(at), "us") for at in (day.start, day.end))
        times = frame["interval_start"]
        part = frame[(times >= start) & (times < end)].reset_index(drop=True)
        save_scores(jobs.settings().lake, connector, day, part)
    save_detector(
        jobs.open_store(),
        DetectorRecord(
            name,
            DetectorStatus.ACTIVE,
            "learned from 4320 intervals",
            format_time(floor(window.start, DAY) - 35 * DAY),
            format_time(floor(window.start, DAY)),
            format_time(window.end),
            len(series),
            len(series),
        ),
    )
    return frame
