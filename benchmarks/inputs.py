"""Inputs of the benches: objects of simulated AWS WAF logs, the same bytes on every machine.

Made once, kept under var/bench; the folder's name holds what they are made of.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from isal import igzip
from upath import UPath

from bartizan.model.delivery import delivery_window
from bartizan.model.window import DAY, Window
from bartizan.simulate import SimulationPlan, simulate

HOME = Path("var/bench")
_DAY = datetime(2026, 11, 1, tzinfo=UTC)
_LEVEL = 3  # of ISA-L: close to the size that AWS delivers


def small() -> list[Path]:
    """1,000 deliveries of 5 minutes, some 300 records each, in order of delivery."""
    return _simulated(HOME / "small-day-320000-seed-1", 320_000)[:1000]


def large(objects: int = 20, records: int = 50_000) -> list[Path]:
    """Objects of many records each, such as Firehose and CloudWatch Logs exports write."""
    folder = HOME / f"large-{objects}x{records}-seed-1"
    if not (folder / "_done").exists():
        day = round(objects * records * 1.3)  # more than enough: the last of each web ACL is short
        regroup(_simulated(HOME / f"large-day-{day}-seed-1", day), folder, objects, records)
        (folder / "_done").touch()
    return _objects(folder)


def spread(files: Sequence[Path], count: int) -> list[Path]:
    """`count` of the files at equal distances: alike in web ACLs and times of day."""
    return [files[index * len(files) // count] for index in range(count)]


def middle(files: Sequence[Path], count: int) -> list[Path]:
    """`count` files delivered one after the other, around noon."""
    start = (len(files) - count) // 2
    return list(files[start : start + count])


def linked(files: Sequence[Path], folder: Path) -> Path:
    """A new folder that holds just these objects, under the paths that they have below AWSLogs."""
    for file in files:
        link = folder / Path(*file.parts[file.parts.index("AWSLogs") :])
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, link)
    return folder


def _simulated(folder: Path, records: int) -> list[Path]:
    window = Window(_DAY, _DAY + DAY)
    simulate(UPath(folder), SimulationPlan(window, records, attack_window=window), workers=1)
    return _objects(folder)


def _objects(folder: Path) -> list[Path]:
    """By time of delivery."""
    return sorted(folder.rglob("*.gz"), key=lambda file: (_delivered(file), file.name))


def _delivered(file: Path) -> datetime:
    window = delivery_window(str(file.parent))
    assert window is not None, f"{file} names no time"
    return window.start


def regroup(source: Sequence[Path], target: Path, objects: int, records: int) -> None:
    """The first objects of exactly `records` lines that the lines of each web ACL make.

    Each takes the place of the delivery that fills it; its name is numbered, because one delivery
    can fill several.
    """
    lines: dict[Path, list[bytes]] = defaultdict(list)
    made = 0
    for file in source:
        webacl = file.parents[5]
        lines[webacl] += igzip.decompress(file.read_bytes()).splitlines(keepends=True)
        while len(lines[webacl]) >= records and made < objects:
            place = target / Path(*file.parts[file.parts.index("AWSLogs") :])
            path = place.with_name(f"{made:04d}_{place.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(igzip.compress(b"".join(lines[webacl][:records]), _LEVEL, mtime=0))
            del lines[webacl][:records]
            made += 1
    assert made == objects, f"{made} objects of {records} lines instead of {objects}"
