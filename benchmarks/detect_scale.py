"""What learning and scoring cost per series, from ten thousand series to a million.

    python benchmarks/detect_scale.py [--series 10000,100000,1000000] [--kind counts] [--peers]

Hourly counts of two weeks by web ACL and client: 97 % of the series have a row in one of three
hours at most, most of them in one of thirty. With `--kind gauges` it is the mean of a latency, in
nearly every hour, from files fifteen times as large. Every step runs in a process of its own, whose
peak memory the operating system tells; CPU seconds are those of all its threads. `--peers` shows
the speed of libraries on the same metrics, in one process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from scale.metrics import prepared
from scale.steps import STEPS, Parts

SIZES = "10000,100000,1000000"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--series", default=SIZES)
    parser.add_argument("--kind", choices=("counts", "gauges"), default="counts")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--step", choices=tuple(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        run_step(options.step, options.folder, options.kind)
        return
    folders = {int(one): prepared(int(one), options.kind) for one in options.series.split(",")}
    found: dict[str, Any] = {}
    for step in STEPS:
        found[step] = {n: measured(step, folder, options.kind) for n, folder in folders.items()}
        show(step, found[step])
    if options.peers:
        from scale.peers import speeds  # noqa: PLC0415  (they need not be installed)

        found["peers"] = speeds(options.kind)
        show_peers(found["peers"])
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def run_step(step: str, folder: Path, kind: str) -> None:
    """In the process of its own: prints what was measured."""
    parts = Parts()
    facts = STEPS[step](folder, kind, parts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"facts": facts, "parts": parts.spent, "peak": peak}))


def measured(step: str, folder: Path, kind: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder), "--kind", kind]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def show(step: str, found: dict[int, dict[str, Any]]) -> None:
    """A column per number of series; seconds of the clock, of the CPU in brackets."""
    steps = list(found.values())
    sums = [[sum(part) for part in zip(*one["parts"].values(), strict=True)] for one in steps]
    print()
    row(step, [f"{series:,}" for series in found])
    row("---", ["---:"] * len(found))
    for name in steps[0]["parts"]:
        row(name, [seconds(*one["parts"][name]) for one in steps])
    if len(steps[0]["parts"]) > 1:
        row("all", [seconds(*one) for one in sums])
    each = [cpu / series * 1e6 for series, (_, cpu) in zip(found, sums, strict=True)]
    row("CPU µs a series", [f"{one:.1f}" for one in each])
    row("peak GB", [f"{one['peak'] / 1e9:.2f}" for one in steps])
    for name in steps[0]["facts"]:
        row(name, [f"{one['facts'][name]:,}" for one in steps])


def show_peers(speeds: dict[str, tuple[int, float]]) -> None:
    print()
    row("learn 14 days, score one", ["series", "CPU s", "series a CPU s", "Bartizan is quicker"])
    row("---", ["---:"] * 4)
    own_series, own_spent = speeds["Bartizan"]
    for name, (series, spent) in speeds.items():
        ratio = own_series / own_spent / (series / spent)
        row(name, [f"{series:,}", f"{spent:.1f}", f"{series / spent:,.1f}", f"{ratio:,.1f} x"])


def seconds(wall: float, cpu: float) -> str:
    return f"{wall:.2f} ({cpu:.2f})"


def row(name: str, cells: list[str]) -> None:
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
