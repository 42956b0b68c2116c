"""Cost of landing against bare DuckDB on the same objects, in the same run.

    python benchmarks/landing.py FOLDER [--objects 4000]

FOLDER holds gzip objects of JSON lines, such as `bartizan simulate` writes. Both sides use one
thread and write Parquet (zstd) to a temporary folder. The baseline is `read_json` with the full
column list and `COPY`; it does not check, deduplicate, quarantine, extract rule hits or partition.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bartizan.engines.duckdb import connect
from bartizan.lake import Lake
from bartizan.land.shape import RECORD, Shape
from bartizan.land.stage import stage
from bartizan.model.landing import Batch, LogObject
from bartizan.store.database import Store
from bartizan.store.landing import add_batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objects", type=int, default=4000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    files = sorted(options.folder.rglob("*.gz"))[: options.objects]
    print(f"{len(files)} objects, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB gzip")
    sides: dict[str, Callable[[list[Path], Path], int]] = {"bare DuckDB": bare, "stage": staged}
    best = {name: measure(name, run, files, options.repeat) for name, run in sides.items()}
    print(f"ratio of CPU time: {best['stage'] / best['bare DuckDB']:.2f}")


def measure(
    name: str, run: Callable[[list[Path], Path], int], files: list[Path], repeat: int
) -> float:
    """CPU microseconds per record, the best of the repeats."""
    costs = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            wall, cpu = time.perf_counter(), time.process_time()
            records = run(files, Path(folder))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        costs.append(cpu / records * 1e6)
        speed = f"{costs[-1]:.1f} CPU us/record, {records / wall:,.0f} records/s"
        print(f"{name:12} {records} records, {speed}")
    return min(costs)


def bare(files: list[Path], folder: Path) -> int:
    columns = ", ".join(f"'{name}': '{sql_type(shape)}'" for name, shape in RECORD.items())
    with connect() as connection:
        connection.execute("set threads = 1")
        [(records,)] = connection.execute(
            f"""
            copy (
                select * from read_json($files, format = 'newline_delimited',
                    columns = {{{columns}}})
            ) to '{folder / "all.parquet"}' (format parquet, compression zstd)
            """,
            {"files": [str(file) for file in files]},
        ).fetchall()
    return int(records)


def staged(files: list[Path], folder: Path) -> int:
    lake = Lake.open(folder)
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    batch = Batch.of(LogObject(str(file), "1", file.stat().st_size) for file in files)
    add_batches(store, [batch])
    return stage(store, lake, batch.id).counts.records


def sql_type(shape: Shape) -> str:
    if isinstance(shape, dict):
        members = ", ".join(f'"{name}" {sql_type(member)}' for name, member in shape.items())
        return f"STRUCT({members})"
    return f"{sql_type(shape[0])}[]" if isinstance(shape, list) else shape


if __name__ == "__main__":
    main()
