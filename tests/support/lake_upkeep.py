"""Lakes of many small files, and the processes that tests of their upkeep start."""

from __future__ import annotations

import os
import shutil
import signal
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from landing_house import START, House
from upath import UPath
from waf_logs import lines, record, write_object

import bartizan.lake.compact as compaction
from bartizan.config import store_in
from bartizan.engines.duckdb import DuckDBEngine
from bartizan.lake import Lake
from bartizan.lake.batches import Batches
from bartizan.land.plan import plan
from bartizan.model.window import DAY, Window
from bartizan.store.database import Store

LANDINGS = 5
EACH = 30
DAY_OF_ALL = Window(START, START + DAY)


def fill_in_pieces(house: House) -> None:
    """Five batches of 30 records each, all in the same two hours."""
    for landing in range(LANDINGS):
        numbers = range(landing, 7200, 7200 // EACH)
        content = lines(record(number) for number in numbers) + b"broken\n"
        write_object(house.source, f"object-{landing}", content, START)
    plan(house.store, UPath(house.source), objects_per_batch=1)
    house.land()


class Saved:
    """A house as it was when it was saved, at the same paths again for every test."""

    def __init__(self, house: House, root: Path) -> None:
        self.house, self.root, self.copy = house, root, root.with_name(f"{root.name}-saved")
        house.store.engine.dispose()
        shutil.copytree(root, self.copy)

    def again(self) -> House:
        self.house.store.engine.dispose()
        shutil.rmtree(self.root)
        shutil.copytree(self.copy, self.root)
        self.house.lake = Lake.open(self.root / "lake")
        self.house.store = Store.open(store_in(self.house.lake.root))
        return self.house


def compact_and_die(root: Path) -> None:
    """Compact the first partition of waf.requests and be killed when all but the commit is done."""
    lake = Lake.open(root)
    [small, *_] = compaction.small_files(lake, "waf.requests")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            compaction, "replace_files", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        )
        compaction.compact(lake, small, lambda: Batches(frozenset(), frozenset()))


def count_until(root: Path, stop: Event, counts: Path) -> None:
    """Count the requests again and again, as a reader of the lake does; write what was counted."""
    engine = DuckDBEngine(Lake.open(root))
    query = """
        select count(distinct uri) as n from waf.requests
        where event_time >= {{ start }} and event_time < {{ end }}
    """
    seen = []
    while not stop.is_set() or not seen:
        seen += engine.query(query, DAY_OF_ALL)["n"].to_pylist()
        counts.write_text("\n".join(map(str, seen)))
