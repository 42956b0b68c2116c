"""Worlds made once: the metrics of all their days as Parquet, and the labels beside them.

The folder's name holds a digest of everything that makes a world, so old ones are never taken for
new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

import bartizan.simulate
from bartizan.model.attack import AttackLabel
from bartizan.model.ids import digest
from bartizan.model.window import DAY
from weeks.plan import CONNECTORS, HISTORY_DAYS, SPAN, World, attacks
from weeks.traffic import day_metrics, frame

DAYS = (SPAN.end - SPAN.start) // DAY
MADE_BY = (Path(__file__).with_name("plan.py"), Path(__file__).with_name("traffic.py"))


@dataclass(frozen=True)
class Made:
    """A world with its metrics by connector, and the labels of its live weeks.

    A label's `description` is the attack's strength.
    """

    world: World
    metrics: dict[str, pd.DataFrame]
    labels: tuple[AttackLabel, ...]


def make(root: Path, worlds: Sequence[World], seed: int, workers: int) -> Iterator[Path]:
    """The folder of each world, in order, made when it is not there yet."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_make, [root] * len(worlds), worlds, [seed] * len(worlds))


def load(folder: Path, world: World, seed: int) -> Made:
    metrics = {name: pd.read_parquet(folder / f"{name}.parquet") for name in CONNECTORS}
    return Made(world, metrics, live_labels(world, seed))


def live_labels(world: World, seed: int) -> tuple[AttackLabel, ...]:
    return tuple(attack.label for attack in attacks(world, seed) if attack.day >= HISTORY_DAYS)


def _make(root: Path, world: World, seed: int) -> Path:
    folder = root / _made_by() / str(world.seed)
    if folder.exists():
        return folder
    planned = attacks(world, seed)
    days = [day_metrics(world, number, planned) for number in range(DAYS)]
    unfinished = folder.with_name(f".{folder.name}")
    unfinished.mkdir(parents=True, exist_ok=True)
    for name in CONNECTORS:
        frame(days, name).to_parquet(unfinished / f"{name}.parquet", compression="zstd")
    unfinished.rename(folder)
    return folder


@cache
def _made_by() -> str:
    simulator = sorted(Path(bartizan.simulate.__file__).parent.glob("*.py"))
    return digest([path.read_text(encoding="utf-8") for path in (*simulator, *MADE_BY)], 12)
