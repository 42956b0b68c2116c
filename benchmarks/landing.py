"""Cost of landing: Bartizan, the physical floor and other libraries side by side.

    python benchmarks/landing.py [--repeat 3] [--json FILE]

Every run is a process of its own, the contenders take turns, the best of the repeats counts. What
a run costs before its first record (start, imports, empty tables) is measured on one small object
and taken off; it is shown by itself as `fixed`. Slow contenders land a sample of the objects.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import inputs
from measure import Cost, best, run
from tables import show

BARE = ("duckdb", "duckdb-by-object")  # ratios are to the cheaper one
SAMPLED = {"pandas": 10, "orjson": 10, "msgspec": 10, "polars": 20}  # one object in so many
TITLES = {
    "floor": "physical floor: gunzip + parse + write",
    "duckdb": "DuckDB read_json -> COPY, all at once",
    "duckdb-by-object": "DuckDB, a COPY an object",
    "bartizan": "Bartizan, complete landing",
    "bartizan-2": "Bartizan, 2 workers",
    "pyarrow": "pyarrow.json, explicit schema",
    "orjson": "orjson -> pyarrow",
    "msgspec": "msgspec typed -> pyarrow",
    "pandas": "pandas read_json -> Parquet",
    "polars": "polars read_ndjson, schema",
}


@dataclass(frozen=True)
class Line:
    """One contender over one input. `cpu`, `parts`: microseconds a record without the fixed part.

    `fixed_cpu` and `fixed_wall` are seconds, `peak` bytes, `size` bytes written a record.
    """

    contender: str
    objects: int
    records: int
    cpu: float
    records_per_second: float
    peak: int
    size: float
    fixed_cpu: float
    fixed_wall: float
    parts: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--input", choices=("large", "small"), action="append")
    parser.add_argument("--contender", choices=tuple(TITLES), action="append")
    parser.add_argument("--objects", type=int, default=1000, help="at most so many of an input")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    contenders = options.contender or list(TITLES)
    results: dict[str, list[Line]] = {}
    for name in options.input or ("large", "small"):
        files = inputs.large() if name == "large" else inputs.small()
        files = inputs.spread(files, min(options.objects, len(files)))
        results[name] = compare(files, contenders, options.repeat)
        report(f"{name}: {described(files)}", results[name])
    if options.json:
        plain = {name: [asdict(line) for line in lines] for name, lines in results.items()}
        options.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")


def compare(files: Sequence[Path], contenders: Sequence[str], repeat: int) -> list[Line]:
    """All contenders in turn, again and again. Raises when one lands another number of records."""
    tiny = inputs.small()[:1]
    chosen = {name: sample(files, name) for name in contenders}
    fixed: dict[str, list[Cost]] = {name: [] for name in contenders}
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for _ in range(repeat):
        for name in contenders:
            fixed[name].append(run(name, tiny))
            costs[name].append(run(name, chosen[name]))
    lines = [line(name, len(chosen[name]), fixed[name], costs[name]) for name in contenders]
    agree(lines)
    return lines


def sample(files: Sequence[Path], contender: str) -> list[Path]:
    return inputs.spread(files, max(1, len(files) // SAMPLED.get(contender, 1)))


def line(name: str, objects: int, fixed: Sequence[Cost], costs: Sequence[Cost]) -> Line:
    start, cost = best(fixed), best(costs)
    records = cost.records - start.records
    parts = {
        part: (spent - start.parts[part]) / records * 1e6 for part, spent in cost.parts.items()
    }
    cpu, wall = (cost.cpu - start.cpu) / records * 1e6, cost.wall - start.wall
    if name == "floor":  # what it does between the parts is not part of the floor
        cpu, wall = sum(parts.values()), sum(parts.values()) * records / 1e6
    return Line(
        contender=name,
        objects=objects,
        records=cost.records,
        cpu=cpu,
        records_per_second=records / wall,
        peak=cost.peak,
        size=cost.size / cost.records,
        fixed_cpu=start.cpu,
        fixed_wall=start.wall,
        parts=parts,
    )


def agree(lines: Sequence[Line]) -> None:
    """Those that landed the same objects landed the same number of records."""
    counts = {(line.objects, line.records) for line in lines}
    assert len(counts) == len({objects for objects, _ in counts}), f"records differ: {counts}"


def described(files: Sequence[Path]) -> str:
    size = sum(file.stat().st_size for file in files)
    return f"{len(files):,} objects, {size / 1e6:.0f} MB of gzip"


def report(title: str, lines: Sequence[Line]) -> None:
    cpu = {line.contender: line.cpu for line in lines}
    bare = min((cpu[name] for name in BARE if name in cpu), default=None)
    rows = [
        [
            TITLES[line.contender],
            f"{line.records:,}",
            f"{line.cpu:.1f}",
            ratio(line.cpu, bare),
            ratio(line.cpu, cpu.get("floor")),
            f"{line.records_per_second:,.0f}",
            f"{line.peak / 1e6:,.0f}",
            f"{line.size:.0f}",
            f"{line.fixed_cpu:.1f}",
        ]
        for line in lines
    ]
    head = ["contender", "records", "CPU us/rec", "x DuckDB", "x floor", "rec/s", "peak MB"]
    show(title, [*head, "B/rec", "fixed CPU s"], rows)
    for line in lines:
        if line.parts:
            parts = ", ".join(f"{name} {cpu:.1f}" for name, cpu in line.parts.items())
            print(f"  {TITLES[line.contender]}, CPU us/rec by part: {parts}")


def ratio(cost: float, base: float | None) -> str:
    return f"{cost / base:.2f}" if base else ""


if __name__ == "__main__":
    main()
