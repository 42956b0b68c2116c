"""Series learned from and scored in a CPU second, beside named libraries, in one process."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from accuracy.detector import Detector, Floats
from accuracy.lineup import INSTALLED
from accuracy.peers import PEERS
from bartizan.detect.learn import learn
from bartizan.detect.panel import TIME
from bartizan.detect.score import score
from bartizan.model.window import DAY, Window
from scale.metrics import HOURS, LEARNED, connector, generated, table

TEST = 24  # hours scored after the history
SERIES = 20_000  # of Bartizan
BATCH = 2_000  # of a library that takes all series at once
ENOUGH = 10.0  # CPU seconds after which one that takes them singly is given no other


def speeds(kind: str) -> dict[str, tuple[int, float]]:
    """By name: how many series it was given, and the CPU seconds it took for all of them."""
    warnings.filterwarnings("ignore")  # of peers, about ties and versions
    sys.path.append(str(INSTALLED.resolve()))
    rows = generated(np.random.default_rng(1), SERIES, kind, HOURS + TEST)
    values = np.zeros((SERIES, HOURS + TEST))
    values[rows.series, rows.hour] = rows.value
    frame = table(rows).to_pandas().rename(columns={"time": TIME})
    chosen = np.random.default_rng(2).permutation(SERIES)[:BATCH]
    found = {"Bartizan": (SERIES, _bartizan(frame, kind))}
    found["statsforecast SeasonalNaive"] = (BATCH, _seasonal_naive(values[chosen]))
    for make in PEERS:
        peer = make()
        found[peer.name] = _peer(peer, values[chosen])
    return found


def _bartizan(frame: pd.DataFrame, kind: str) -> float:
    source = connector(Path(), kind)
    learn(frame.head(2_000), source, LEARNED)  # compiles, or reads what was compiled
    day = Window(LEARNED.end, LEARNED.end + DAY)
    return _seconds(lambda: score(learn(frame, source, LEARNED), frame, source, day))


def _seasonal_naive(values: Floats) -> float:
    """The same hour of the day before, and how far it is usually off."""
    from statsforecast import StatsForecast  # noqa: PLC0415
    from statsforecast.models import SeasonalNaive  # noqa: PLC0415

    number, hour = np.divmod(np.arange(len(values) * HOURS), HOURS)
    frame = pd.DataFrame({"unique_id": number, "ds": hour, "y": values[:, :HOURS].reshape(-1)})
    models = StatsForecast([SeasonalNaive(24)], freq=1)
    return _seconds(lambda: models.forecast(h=TEST, df=frame, level=[99]))


def _peer(peer: Detector, values: Floats) -> tuple[int, float]:
    spent, done = 0.0, 0
    while spent < ENOUGH and done < len(values):
        train, test = values[done, :HOURS, None], values[done, HOURS:, None]
        spent += _seconds(lambda one=train, other=test: peer.run(one, other))
        done += 1
    return done, spent


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
