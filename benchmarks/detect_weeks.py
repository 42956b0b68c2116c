"""Labelled weeks: attacks of every kind at four strengths in simulated traffic, found or not.

    python benchmarks/detect_weeks.py [--seed N] [--worlds N] [--only NAME]

15 worlds of four live weeks at four web ACLs; `weeks/plan.py` says what happens in them. Prints
Markdown, and writes the same numbers as JSON and the curve as a picture. The figures of
docs/benchmarks.md are of seed 0: develop with seeds from 1000 on (`--only Bartizan --worlds 6`
takes two minutes).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from bartizan.config import PROJECT
from bartizan.crawl import load_connector
from weeks import curve, report, worlds
from weeks.contenders import CONTENDERS
from weeks.figures import THRESHOLDS, Figures, figures
from weeks.plan import CONNECTORS, LIVE, SPAN, World
from weeks.plan import worlds as planned_worlds
from weeks.pooled import pooled

ROOT = Path("var/bench/weeks")


def main() -> None:
    options = _options()
    began = time.monotonic()
    planned = planned_worlds(options.worlds, options.seed)
    folders = list(worlds.make(ROOT, planned, options.seed, options.workers))
    made = time.monotonic()
    curves = pooled(list(run(folders, planned, options)), len(planned))
    print(report.markdown(curves))
    print(f"\n{made - began:.0f} s to make the worlds, {time.monotonic() - made:.0f} s to detect")
    options.json.write_text(json.dumps(report.plain(curves), indent=1) + "\n", encoding="utf-8")
    curve.draw(curves, options.plot)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worlds", type=int, default=15)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=[one.name for one in CONTENDERS])
    parser.add_argument("--json", type=Path, default=ROOT.with_suffix(".json"))
    parser.add_argument("--plot", type=Path, default=ROOT.with_suffix(".png"))
    return parser.parse_args()


def run(
    folders: Sequence[Path], planned: Sequence[World], options: argparse.Namespace
) -> Iterator[Figures]:
    """The figures of every contender in every world at every threshold."""
    chosen = [one.name for one in CONTENDERS if options.only in (None, one.name)]
    jobs = [
        (folder, world, name)
        for name in chosen
        for folder, world in zip(folders, planned, strict=True)
    ]
    columns = zip(*jobs, strict=True)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for each in pool.map(judge, *columns, [options.seed] * len(jobs)):
            yield from each


def judge(folder: Path, world: World, name: str, seed: int) -> list[Figures]:
    """One contender in one world."""
    contender = next(one for one in CONTENDERS if one.name == name)
    made = worlds.load(folder, world, seed)
    connectors = {
        each: load_connector(PROJECT / "include" / "sql" / "connectors" / each)
        for each in CONNECTORS
    }
    scores = {
        each: contender.run(made.metrics[each], connector, SPAN, LIVE)
        for each, connector in connectors.items()
    }
    return [
        figures(
            name,
            world,
            made.labels,
            scores,
            connectors,
            threshold,
            timed=threshold == contender.threshold,
        )
        for threshold in THRESHOLDS
        if threshold >= contender.least
    ]


if __name__ == "__main__":
    main()
