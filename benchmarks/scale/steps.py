"""The steps of a detector, timed part by part."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from upath import UPath

from bartizan.config import store_in
from bartizan.detect.group import find_groups
from bartizan.detect.learn import learn
from bartizan.detect.metrics import read_live
from bartizan.detect.panel import TIME
from bartizan.detect.reading import read_metrics
from bartizan.detect.remembered import place_after, recall, remember
from bartizan.detect.run import detect
from bartizan.detect.score import context_start, follow
from bartizan.detect.scores import load_anomalous, save_scores
from bartizan.detect.state import DetectorState
from bartizan.model.window import Window
from bartizan.store import Store
from scale.metrics import LEARNED, NAME, connector, live_hour

Facts = dict[str, int]


class Parts:
    """Seconds by part, of the clock and of the CPU."""

    def __init__(self) -> None:
        self.spent: dict[str, tuple[float, float]] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.spent[name] = (time.perf_counter() - wall, time.process_time() - cpu)


def step_learn(folder: Path, kind: str, parts: Parts) -> Facts:
    """What comes from the frame of the history; how it is read is another matter."""
    source = connector(folder, kind)
    frame = pq.read_table(folder / "history").to_pandas().rename(columns={"time": TIME})
    learn(frame.head(20_000), source, LEARNED)  # compiles, or reads what was compiled
    with parts.part("learn"):
        state = learn(frame, source, LEARNED)
    shutil.rmtree(folder / "lake", ignore_errors=True)
    with parts.part("save state"):
        state.save(learned(folder))
    files = (file for file in Path(learned(folder)).rglob("*") if file.is_file())
    size = sum(file.stat().st_size for file in files)
    active = sum(int(one.active.sum()) for one in state.measures.values())
    return {"rows": len(frame), "series with a model": active, "bytes of state": size}


def step_first(folder: Path, kind: str, parts: Parts) -> Facts:
    """The first hour of the day, by the detector itself."""
    return _detected(folder, kind, parts, 0)


def step_hour(folder: Path, kind: str, parts: Parts) -> Facts:
    """The second hour, part by part as the detector goes through it."""
    source, metrics, lake, window = (
        connector(folder, kind),
        UPath(folder),
        _lake(folder),
        live_hour(1),
    )
    with parts.part("load state"):
        state = DetectorState.load(learned(folder))
    with parts.part("load memory"):
        place = place_after(learned(folder), metrics, source, Window(LEARNED.end, window.start))
        recalled = recall(place, state, window.start)
        assert recalled is not None, "the first hour was not remembered"
    with parts.part("read metrics"):
        after = place_after(learned(folder), metrics, source, Window(LEARNED.end, window.end))
        live = read_live(metrics, source, window)
        earlier = Window(context_start(recalled, source), window.start)
        before = read_metrics(metrics, source, earlier)
    with parts.part("score"):
        covered = live.covered.union(before.covered)
        scores, state = follow(recalled, live.frame, source, window, before.frame, covered)
    with parts.part("save memory"):
        remember(after, state)
    with parts.part("save scores"):
        save_scores(lake, source, window, scores)
    with parts.part("group"):
        incidents = find_groups(load_anomalous(lake, source, window, 70.0), source, 70.0)
    return {"rows": len(live.frame), "scores": len(scores), "incidents": len(incidents)}


def step_third(folder: Path, kind: str, parts: Parts) -> Facts:
    """The third hour, by the detector itself."""
    return _detected(folder, kind, parts, 2)


def _detected(folder: Path, kind: str, parts: Parts, hour: int) -> Facts:
    lake = _lake(folder)
    lake.mkdir(exist_ok=True)
    store, metrics = Store.open(store_in(lake)), UPath(folder)
    with parts.part("detect"):
        result = detect(store, lake, metrics, connector(folder, kind), [live_hour(hour)])
    return {"scores": result.scores}


def _lake(folder: Path) -> Path:
    return folder / "lake"


def learned(folder: Path) -> UPath:
    return UPath(_lake(folder) / "detectors" / NAME / f"state_{LEARNED.end:%Y%m%d}")


STEPS: dict[str, Callable[[Path, str, Parts], Facts]] = {
    "learn 14 days": step_learn,
    "first hour of the day": step_first,
    "second hour, part by part": step_hour,
    "third hour": step_third,
}
