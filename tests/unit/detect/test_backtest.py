"""A backtest says what the live detector says, changes nothing, and counts what it says."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import bartizan_command

from bartizan import jobs
from bartizan.detect import incidents, learn, score
from bartizan.detect.replay import history_for
from bartizan.detect.scores import load_scores
from bartizan.detect.severity import severity
from bartizan.detect.tally import by_chance
from bartizan.errors import UsageError
from bartizan.model.window import DAY, HOUR, Window

START = datetime(2026, 9, 28, tzinfo=UTC)
BACKFILLED, LIVE_FROM, DAYS = 40, 38, 45  # days; two are backfilled and live
CUT = START + 40 * DAY
HOSTILE = "<script>alert(1)</script>\x1b[31m"
KEYS = ["interval_start", "shop", "measure"]
NAME = "orders"
DESCRIPTION = """\
description: orders of shops
frequency: PT1H
timestamp: {column: timestamp}
dimensions: [shop]
measures: [{name: orders}, {name: waiting, aggregation: AVG, missing: gap}]
source: {live: 'ROOT/live/{{yyyyMMdd}}/{{HHmm}}', history: 'ROOT/history'}
"""


def orders() -> pd.DataFrame:
    """45 days of two shops; one is new after 20 days and sells too much for three hours."""
    times = pd.date_range(START.replace(tzinfo=None), periods=24 * DAYS, freq="h")
    parts = []
    for number, shop in enumerate(("north", HOSTILE)):
        rng = np.random.default_rng(number)
        counts = rng.poisson(20 + 10 * np.sin(times.hour / 24 * 2 * np.pi))
        counts[1000:1003] += 300 * number
        waiting = 50 + 20 * np.cos(times.hour / 24 * 2 * np.pi) + rng.normal(0, 3, len(times))
        rows = {"timestamp": times, "shop": shop, "orders": counts, "waiting": waiting}
        parts.append(pd.DataFrame(rows)[480 * number :])
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house with one connector over files, history and live, scored in uneven windows."""
    rows = orders()
    later = rows["timestamp"] >= (START + LIVE_FROM * DAY).replace(tzinfo=None)
    early = rows["timestamp"] < (START + BACKFILLED * DAY).replace(tzinfo=None)
    (tmp_path / "history").mkdir()
    doubled = rows.assign(orders=rows["orders"] * np.where(later, 2, 1))  # live ones win
    doubled[early].to_csv(tmp_path / "history" / "all.csv", index=False)
    for hour, part in rows[later].groupby("timestamp"):
        folder = tmp_path / "live" / f"{pd.Timestamp(hour):%Y%m%d/%H%M}"
        folder.mkdir(parents=True)
        part.to_csv(folder / "part.csv", index=False, date_format="%Y-%m-%d %H:%M:%S")
    described = tmp_path / "sql" / "connectors" / NAME
    described.mkdir(parents=True)
    (described / "connector.yaml").write_text(DESCRIPTION.replace("ROOT", str(tmp_path)))
    for name, value in {"HOME": tmp_path, "SQL": tmp_path / "sql"}.items():
        monkeypatch.setenv(f"BARTIZAN_{name}", str(value))
    end, at = START + DAYS * DAY, START + LIVE_FROM * DAY
    for length in (HOUR, 7 * HOUR, 2 * DAY, 5 * HOUR, 9 * DAY):
        jobs.detect(NAME, [Window(at, min(at + length, end))])
        at = min(at + length, end)
    return tmp_path


def stored(home: Path) -> pd.DataFrame:
    """What the live detector scored from CUT on."""
    window = Window(CUT, START + DAYS * DAY)
    scores = load_scores(home / "lake", jobs.load_connector(NAME), window)
    return scores.sort_values(KEYS, ignore_index=True)


def content(lake: Path) -> list[object]:
    """All rows of the store and all bytes beside it."""
    with closing(sqlite3.connect(lake / "store.db")) as store:
        rows = list(store.iterdump())
    files = [path for path in sorted(lake.rglob("*")) if path.is_file()]
    return [rows, [(path, path.read_bytes()) for path in files if "store.db" not in path.name]]


def test_a_backtest_gives_the_scores_of_the_live_detector_and_changes_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(home / "lake")
    words = ["backtest", NAME, "--train-until", f"{CUT:%Y-%m-%d}", "--out", home / "out", "--json"]
    code, out, err = bartizan_command(monkeypatch, capsys)(*words)
    assert (code, err) == (0, "")
    assert content(home / "lake") == before

    found = json.loads(out)
    assert found["rows"] == len(orders()) + 4 * 24 * 2 // 2  # two days of two shops twice
    replayed = pd.read_parquet(home / "out" / "scores.parquet")
    live = stored(home)
    assert len(replayed) == 5 * 24 * 2 * 2
    pd.testing.assert_frame_equal(
        replayed.sort_values(KEYS, ignore_index=True),
        live[replayed.columns],
        check_exact=True,
    )
    [alarm] = found["incidents"]
    start = START + 1000 * HOUR
    assert alarm["start"] == f"{start:%Y-%m-%dT%H:%M:%SZ}"
    assert (alarm["measure"], alarm["direction"]) == ("orders", "above")
    assert alarm["top_series"].startswith("shop=<script>alert(1)</script>\\u001b")

    kinds = {one["measure"]: (one["ready"], one["learning"]) for one in found["tally"]["series"]}
    assert kinds == {"orders": (2, 0), "waiting": (2, 0)}
    counted = pd.read_csv(home / "out" / "thresholds.csv").set_index("threshold")
    news = replayed[replayed["reason"] != "continues"]["severity"]
    for threshold in (50, 70, 95):
        assert counted.loc[threshold, "points"] == (news >= threshold).sum()
    assert counted.loc[70, "incidents"] == 1
    assert counted.loc[70, "per_week"] == pytest.approx(7 / 5)
    binned = found["tally"]["severities"]
    assert sum(one["points"] for one in binned) == news.notna().sum()

    page = (home / "out" / "report.html").read_text()
    assert "<script" not in page
    assert "\x1b" not in page + (home / "out" / "alarms.csv").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert f"bartizan connector activate {NAME}" in page
    assert "<svg" in page


def test_the_api_learns_anew_as_live(home: Path) -> None:
    rows = orders()
    cut = CUT.replace(tzinfo=None)
    detector = learn(
        rows[rows["timestamp"] < cut],
        {"orders": "SUM", "waiting": "AVG"},
        ["shop"],
        frequency="PT1H",
        name=NAME,
    )
    scores = score(detector, rows)
    live = stored(home)
    pd.testing.assert_frame_equal(scores, live[scores.columns], check_exact=True)
    once = score(detector, rows, relearn=False)
    assert len(once) == len(scores)
    assert not once["severity"].equals(scores["severity"])
    assert len(incidents(detector, scores)) == len(incidents(detector, once)) == 1


def test_without_history_or_with_nothing_to_score(home: Path) -> None:
    with pytest.raises(UsageError, match="leaves nothing"):
        jobs.backtest(NAME, train_until=START)
    with pytest.raises(UsageError, match=r"1\.5 is not between"):
        jobs.backtest(NAME, train_share=1.5)
    (home / "history" / "all.csv").unlink()
    with pytest.raises(UsageError, match="no backfilled history"):
        jobs.backtest(NAME)


def test_what_is_learned_from() -> None:
    noon = START + 3 * DAY + 12 * HOUR
    for step in (timedelta(minutes=1), timedelta(minutes=5), HOUR):
        assert history_for(noon, step) == Window(START - 32 * DAY, START + 3 * DAY)
    ends = {history_for(START + n * DAY, DAY).end for n in range(70)}
    assert len(ends) in (10, 11)  # weeks
    assert history_for(noon, DAY).end - history_for(noon, DAY).start == 400 * DAY


@pytest.mark.parametrize("rare", [2.0, 5.0, 8.0])
def test_chance_is_the_inverse_of_severity(rare: float) -> None:
    judged, allowed = 10**9, 5.0
    level = float(severity(np.array(rare), allowed))
    assert by_chance(level, 6 * judged, judged, allowed) == pytest.approx(6 * judged * 10**-rare)
    assert by_chance(100.0, 6 * judged, judged, allowed) == 0.0
    assert by_chance(0.0, 6 * judged, judged, allowed) == judged
