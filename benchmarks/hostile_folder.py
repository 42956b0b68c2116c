"""Lands a folder of hostile objects, large ones included, and shows time and peak memory.

    PYTHONPATH=tests/support python benchmarks/hostile_folder.py [--objects 400] [--seed 7]

One worker, so that the peak is that of all the work. Fails when a good record is missing or an
object's counts do not add up.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from hostile import CLOUDWATCH_AND_ZSTD, HUGE, KINDS, hostile_folder
from landing_worker import accept
from upath import UPath

from bartizan.config import store_in
from bartizan.lake import Lake, planned_files
from bartizan.land.run import land
from bartizan.store.database import Store
from bartizan.store.reconciliation import unbalanced


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--objects", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _land(Path(folder), given.objects, given.seed)


def _land(root: Path, objects: int, seed: int) -> None:
    kinds = KINDS + CLOUDWATCH_AND_ZSTD
    made = [
        *hostile_folder(root / "raw", objects, seed, kinds),
        *hostile_folder(root / "raw" / "huge", len(HUGE), seed, HUGE, large=()),
    ]
    size = sum(one.file.stat().st_size for one in made)
    lake = Lake.open(root / "lake")
    store = Store.open(store_in(lake.root))
    before = _peak_mb()
    start = time.perf_counter()
    report = land(store, lake, UPath(root / "raw"), validator=accept, workers=1)
    seconds = time.perf_counter() - start
    landed = {
        row["request_id"]
        for file in planned_files(lake.table("waf.requests"))
        for row in pq.read_table(file, columns=["request_id"], partitioning=None).to_pylist()
    }
    missing = {f"good-{number}" for one in made for number in one.sure} - landed
    print(f"{len(made)} objects, {size / 1e6:.1f} MB: {report.counts}")
    print(f"{seconds:.1f} s; peak memory {_peak_mb():.0f} MB, {before:.0f} MB of it before landing")
    if wrong := unbalanced(store):
        sys.exit(f"the counts of {wrong} objects and batches do not add up")
    if missing:
        sys.exit(f"{len(missing)} good records are missing: {sorted(missing)[:5]}")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
