"""What stands out is read as it is in the scores, whatever lies beside them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from incidents import DAY_START
from score_house import HOSTILE, RULES, home, scores

from bartizan import jobs
from bartizan.detect.scores import load_scores, save_scores
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.notable import LEAST, load_notable
from bartizan.store.scores import score_files

ONE_DAY = Window(DAY_START, DAY_START + DAY)
SERIES = [("shop", rule) for rule in ("SQLi", "XSS", *HOSTILE)]
NAN = float("nan")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home(tmp_path, monkeypatch)


@pytest.fixture
def connector(lake: Path) -> Connector:
    return jobs.load_connector(RULES)


def random_day(connector: Connector, seed: int, window: Window = ONE_DAY) -> pd.DataFrame:
    """Severities of all kinds, some just below and above what counts; 00:20 was not judged."""
    rng = np.random.default_rng(seed)
    frame = scores(connector, window, SERIES, {})
    frame["severity"] = rng.choice([0.0, 0.49, 0.5, 1.0, 69.3, 100.0], len(frame))
    frame.loc[rng.random(len(frame)) < 0.05, "severity"] = NAN
    at = pd.Timestamp(window.start.replace(tzinfo=None)) + pd.Timedelta(minutes=20)
    frame.loc[frame["interval_start"] == at, "severity"] = NAN
    return frame


def told(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    names = ["interval_start", "webacl", "rule", "value", "expected", "severity", "reason"]
    found = frame[frame["severity"] >= LEAST][names]
    return sorted(found.itertuples(index=False, name=None))


def kept(lake: Path, connector: Connector, window: Window = ONE_DAY) -> list[tuple[object, ...]]:
    return told(load_notable(lake, connector, window).rows.to_pandas())


def test_rows_and_judged_intervals_are_those_of_the_scores(
    lake: Path, connector: Connector
) -> None:
    frame = random_day(connector, 1)
    save_scores(lake, connector, ONE_DAY, frame)
    expected = told(frame)
    assert 1000 < len(expected) < len(frame)
    assert kept(lake, connector) == expected
    judged = load_notable(lake, connector, ONE_DAY).judged
    assert len(judged) == 287  # of 288: nothing was judged at 00:20
    assert not np.isin(np.datetime64("2026-11-16T00:20"), judged)


@pytest.mark.parametrize("damage", ["lost", "of other scores", "empty", "cut", "not ours"])
def test_what_is_beside_the_scores_need_not_be_there_or_right(
    lake: Path, connector: Connector, damage: str
) -> None:
    save_scores(lake, connector, ONE_DAY, random_day(connector, 1))
    [path] = score_files(lake, connector, ONE_DAY)
    before = path.with_suffix(".arrow").read_bytes()
    frame = random_day(connector, 2)
    save_scores(lake, connector, ONE_DAY, frame)
    after = path.with_suffix(".arrow")
    assert after.read_bytes() != before
    match damage:
        case "lost":
            after.unlink()
        case "of other scores":
            after.write_bytes(before)
        case "empty":
            after.write_bytes(b"")
        case "cut":
            after.write_bytes(after.read_bytes()[:-500])
        case _:
            after.write_bytes(b"ARROW1 and nothing that follows")
    assert kept(lake, connector) == told(frame)


@pytest.mark.parametrize("quiet", [True, False])
def test_the_scores_themselves_are_not_read_again(
    lake: Path, connector: Connector, quiet: bool
) -> None:
    frame = scores(connector, ONE_DAY, SERIES, {}) if quiet else random_day(connector, 4)
    save_scores(lake, connector, ONE_DAY, frame)
    [path] = score_files(lake, connector, ONE_DAY)
    before = path.stat()
    path.write_bytes(b"x" * before.st_size)  # nobody could read this
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept(lake, connector) == told(frame)
    assert bool(told(frame)) is not quiet


def test_a_day_scored_hour_by_hour_is_as_scored_at_once(lake: Path, connector: Connector) -> None:
    frame = random_day(connector, 3)
    for hour in ONE_DAY.split(HOUR):
        start, end = (pd.Timestamp(at.replace(tzinfo=None)) for at in (hour.start, hour.end))
        times = frame["interval_start"]
        part = frame[(times >= start) & (times < end)].reset_index(drop=True)
        save_scores(lake, connector, hour, part)
    assert kept(lake, connector) == told(frame)
    folder = score_files(lake, connector, ONE_DAY)[0].parent
    assert {one.stem for one in folder.glob("*.arrow")} == {
        one.stem for one in folder.glob("*.parquet")
    }


def test_a_window_takes_its_own_intervals_only(lake: Path, connector: Connector) -> None:
    days = [random_day(connector, n, Window(DAY_START + n * DAY, DAY_START + (n + 1) * DAY))
            for n in range(3)]  # fmt: skip
    for number, frame in enumerate(days):
        start = DAY_START + number * DAY
        save_scores(lake, connector, Window(start, start + DAY), frame)
    window = Window(DAY_START + timedelta(hours=5), DAY_START + 2 * DAY + timedelta(minutes=5))
    whole = pd.concat(days)
    inside = (whole["interval_start"] >= pd.Timestamp("2026-11-16T05:00")) & (
        whole["interval_start"] < pd.Timestamp("2026-11-18T00:05")
    )
    assert kept(lake, connector, window) == told(whole[inside])
    judged = load_notable(lake, connector, window).judged
    assert (judged[0], judged[-1]) == (
        np.datetime64("2026-11-16T05:00"),
        np.datetime64("2026-11-18T00:00"),
    )


def test_a_dimension_that_older_scores_lack_is_empty(lake: Path, connector: Connector) -> None:
    save_scores(lake, connector, ONE_DAY, random_day(connector, 1).drop(columns="rule"))
    rows = load_notable(lake, connector, ONE_DAY).rows
    assert len(rows) == len(load_scores(lake, connector, ONE_DAY).query(f"severity >= {LEAST}"))
    assert rows["rule"].null_count == len(rows)


def test_without_scores_there_is_nothing(lake: Path, connector: Connector) -> None:
    found = load_notable(lake, connector, ONE_DAY)
    assert (len(found.rows), len(found.judged)) == (0, 0)
    assert "rule" in found.rows.schema.names
