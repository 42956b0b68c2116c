"""Accuracy of Bartizan beside baselines and named peers, all measured the same way.

    python benchmarks/detect_accuracy.py [--quick] [--slow] [--only PART] [--json FILE]

Five parts: OpenSearch's cosine workload, labelled WAF-like counts, general operational metrics,
several measures together, multi-dimensional faults.
No setting of any detector depends on the data; `accuracy/lineup.py` says who takes part. Develop
with another `--seed`: the figures of docs/benchmarks.md are of 0.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from accuracy import counted, counts, faults, hcad, measures, metrics_anomalies, rootcause, windows
from accuracy.lineup import lineup
from accuracy.today import bartizan
from tables import show

Options = argparse.Namespace
APART = 1_000  # between seeds of the whole, so that no run shares one with another


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test, not figures")
    parser.add_argument("--slow", action="store_true", help="slow peers too, on a sample")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # of peers, about ties and versions
    chosen = [options.only] if options.only else list(PARTS)
    found = {}
    for name in chosen:
        began = time.monotonic()
        found[name] = PARTS[name](options)
        print(f"\n{name}: {time.monotonic() - began:.0f} s", flush=True)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def run_hcad(options: Options) -> list[dict[str, Any]]:
    seeds, points = (1, 600) if options.quick else (20, hcad.POINTS)
    first = options.seed * APART
    detectors = lineup(hcad.INTERVAL, options.slow)
    found = list(hcad.results(detectors, range(first, first + seeds), points))
    show("OpenSearch's cosines, pointwise after the first 300; mean ± sd", *hcad.table(found))
    return hcad.plain(found)


def run_counts(options: Options) -> list[dict[str, Any]]:
    given = counts.made(2 if options.quick else 60, options.seed * APART)
    found = [counts.result(one, given) for one in lineup(counts.INTERVAL, slow=False)]
    quiet = found[0].quiet_points
    show(f"WAF-like counts, {quiet:,} quiet points, {len(found[0].events)} events",
         *counts.table(found))  # fmt: skip
    show("the same by kind of event", *counts.kinds_table(found))
    return counts.plain(found)


def run_metrics(options: Options) -> list[dict[str, Any]]:
    given = metrics_anomalies.made(1 if options.quick else 4, options.seed)
    lineups = {each: lineup(each, slow=False) for each in sorted({one.interval for one in given})}
    found = []
    for number, detector in enumerate(next(iter(lineups.values()))):
        runs = [lineups[one.interval][number].run for one in given]
        scores = [run(one.train, one.test) for run, one in zip(runs, given, strict=True)]
        found.append(windows.result(detector, given, scores))
    points = sum(len(one.test) for one in given)
    show(f"general metrics, {len(given)} series, {points:,} points, {found[0].labels} labels",
         *windows.table(found))  # fmt: skip
    show("the same by kind of series", *windows.kinds_table(found))
    show("the same by kind of anomaly", *windows.anomalies_table(found))
    return windows.plain(found)


def run_measures(options: Options) -> list[dict[str, Any]]:
    given = measures.made(1 if options.quick else 20, options.seed * APART)
    _, *others = lineup(measures.INTERVAL, options.slow)
    alone = bartizan(measures.INTERVAL, "Bartizan, each alone")
    detectors = bartizan(measures.INTERVAL, measures=True), alone, *others
    found = [counts.result(one, given) for one in detectors]
    quiet = found[0].quiet_points
    show(f"several measures, {quiet:,} quiet points, {len(found[0].events)} events",
         *counts.table(found))  # fmt: skip
    show("the same by kind of event", *counts.kinds_table(found, measures.CASES))
    return counts.plain(found)


def run_rootcause(options: Options) -> list[dict[str, Any]]:
    found = rootcause.results(faults.faults(1 if options.quick else 20, options.seed))
    show("root causes of multi-dimensional faults, exact match", *rootcause.table(found))
    in_counts = rootcause.results(counted.counted(2 if options.quick else 100, options.seed))
    show("the same in counts", *rootcause.families_table(in_counts))
    return rootcause.plain([*found, *in_counts])


PARTS: dict[str, Callable[[Options], list[dict[str, Any]]]] = {
    "hcad": run_hcad,
    "counts": run_counts,
    "metrics": run_metrics,
    "measures": run_measures,
    "rootcause": run_rootcause,
}


if __name__ == "__main__":
    main()
