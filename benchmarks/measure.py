"""Runs a contender in a process of its own and takes its cost from the operating system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import psutil
import pyarrow.parquet as pq

from inputs import HOME, linked

_SAMPLED_EVERY = 0.1  # seconds; the kernel takes a sixth of that to look at three processes
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}  # Arrow heeds OpenMP's variable


@dataclass(frozen=True)
class Cost:
    """`cpu` and `wall` in seconds, of the process and all below it, start and imports included.

    `peak` is the largest sum of memory in the process tree, in bytes; of a page that several
    processes share each has its part. `size` is bytes written, `parts` CPU seconds by part.
    """

    records: int
    cpu: float
    wall: float
    peak: int
    size: int
    parts: dict[str, float] = field(default_factory=dict)


def run(contender: str, files: Sequence[Path]) -> Cost:
    """One run of a contender over the objects. The rows are counted in the files it wrote."""
    HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        source = linked(files, Path(folder) / "in")
        out = Path(folder) / "out"
        out.mkdir()
        said = Path(folder) / "said.json"
        script = str(Path(__file__).with_name("contenders.py"))
        command = [sys.executable, script, contender, str(source), str(out), str(said)]
        cpu, wall, peak = watch(command)
        outcome = json.loads(said.read_text())
        rows = sum(pq.read_metadata(file).num_rows for file in outcome["files"])
        return Cost(
            records=rows,
            cpu=cpu,
            wall=wall,
            peak=peak,
            size=sum(file.stat().st_size for file in out.rglob("*.parquet")),
            parts=outcome["parts"],
        )


def best(costs: Sequence[Cost]) -> Cost:
    """The least of the times and the largest of the peaks. Raises if the records differ."""
    [records] = {cost.records for cost in costs}
    return Cost(
        records=records,
        cpu=min(cost.cpu for cost in costs),
        wall=min(cost.wall for cost in costs),
        peak=max(cost.peak for cost in costs),
        size=costs[0].size,
        parts={name: min(cost.parts[name] for cost in costs) for name in costs[0].parts},
    )


def watch(command: list[str]) -> tuple[float, float, int]:
    """CPU seconds, wall seconds and peak memory of a command. Raises if it fails."""
    path = os.pathsep.join(filter(None, [str(HOME / "peers"), os.environ.get("PYTHONPATH")]))
    start = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | _ONE_THREAD | {"PYTHONPATH": path})
    ended = Event()
    with ThreadPoolExecutor(1) as threads:
        sampled = threads.submit(_peak, process.pid, ended)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            ended.set()
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, wall, max(sampled.result(), usage.ru_maxrss * 1024)


def _peak(pid: int, ended: Event) -> int:
    """The most memory of a process and those below it, in bytes, looked at until `ended`."""
    peak = 0
    while not ended.wait(_SAMPLED_EVERY):
        peak = max(peak, _memory(pid))
    return peak


def _memory(pid: int) -> int:
    total = 0
    try:
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in tree:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
            continue
    return total
