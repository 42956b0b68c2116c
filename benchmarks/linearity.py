"""Whether landing costs the same per record for few and many objects, and what a second core gives.

    python benchmarks/linearity.py [--repeat 3] [--json FILE]

A landing costs `fixed + marginal * records`; importing Great Expectations makes most of `fixed`.
Both come from a straight line through two sizes, so that `marginal` is free of the start. What
two cores can give is measured beside it: by two landings at once that share nothing, half of the
objects each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import inputs
from measure import Cost, best, run
from tables import show

COUNTS = (1, 10, 100, 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    small, large = inputs.small(), inputs.large()
    sizes = {f"{count:,} small": inputs.middle(small, count) for count in COUNTS}
    sizes |= {f"{count} large": inputs.middle(large, count) for count in (1, 10, 20)}
    growing = measured("bartizan", sizes, options.repeat)
    halves = {f"{count} large": inputs.middle(large, count) for count in (8, 16)}
    one = measured("bartizan", halves, options.repeat)
    two = measured("bartizan-2", halves, options.repeat)
    apart = side_by_side(halves["16 large"], options.repeat)
    show_linearity(growing)
    show_second_core(one, two, apart)
    if options.json:
        plain = {
            workers: {name: asdict(cost) for name, cost in costs.items()}
            for workers, costs in (("as is", growing), ("1", one), ("2", two))
        }
        options.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")


def measured(contender: str, sizes: Mapping[str, Sequence[Path]], repeat: int) -> dict[str, Cost]:
    """The sizes in turn, again and again; the best of each."""
    costs: dict[str, list[Cost]] = {name: [] for name in sizes}
    for _ in range(repeat):
        for name, files in sizes.items():
            costs[name].append(run(contender, files))
    return {name: best(found) for name, found in costs.items()}


def side_by_side(files: Sequence[Path], repeat: int) -> float:
    """Wall seconds of two landings at once, half of the objects each; the best of the repeats."""
    walls = []
    for _ in range(repeat):
        with ThreadPoolExecutor(2) as threads:
            costs = threads.map(partial(run, "bartizan"), (files[::2], files[1::2]))
            walls.append(max(cost.wall for cost in costs))
    return min(walls)


def show_linearity(costs: Mapping[str, Cost]) -> None:
    names = list(costs)
    first = costs[names[0]]
    rows = [
        [
            name,
            f"{cost.records:,}",
            f"{cost.cpu:.1f}",
            f"{cost.cpu / cost.records * 1e6:,.1f}",
            f"{marginal(first.cpu, cost.cpu, first, cost):.1f}" if cost is not first else "",
            f"{cost.peak / 1e6:,.0f}",
        ]
        for name, cost in costs.items()
    ]
    head = ["objects", "records", "CPU s", "CPU us/rec", "without fixed", "peak MB"]
    show("complete landing, 1 worker, batches as shipped", head, rows)


def show_second_core(one: Mapping[str, Cost], two: Mapping[str, Cost], apart: float) -> None:
    few, many = two
    rows = []
    for workers, costs in (("1", one), ("2", two)):
        start, end = costs[few], costs[many]
        slope = marginal(start.wall, end.wall, start, end)
        fixed = start.wall - slope * start.records / 1e6
        rows.append([workers, f"{end.wall:.1f}", f"{fixed:.1f}", f"{slope:.1f}"])
    gains = [float(rows[0][column]) / float(rows[1][column]) for column in (1, 3)]
    rows.append(["1 over 2", f"{gains[0]:.2f}", "", f"{gains[1]:.2f}"])
    rows.append(["two landings at once", f"{apart:.1f}", "", ""])
    title = f"second core: {one[many].records:,} records in {many} objects"
    show(title, ["workers", "wall s", "fixed s", "marginal wall us/rec"], rows)


def marginal(before: float, after: float, few: Cost, many: Cost) -> float:
    """Microseconds that one more record costs."""
    return (after - before) / (many.records - few.records) * 1e6


if __name__ == "__main__":
    main()
