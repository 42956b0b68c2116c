"""Workers that land, importable by the processes that tests start."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from upath import UPath

from bartizan.config import store_in
from bartizan.lake import Lake
from bartizan.land.plan import Plan, plan
from bartizan.land.publish import publish
from bartizan.land.run import LandReport, land
from bartizan.land.stage import stage
from bartizan.model.landing import BatchState
from bartizan.store.database import Store
from bartizan.store.landing import load_batch, set_state

OBJECTS_PER_BATCH = 4


@dataclass(frozen=True)
class Kill:
    """The moment at which a worker is killed: the n-th call of a function, before or after it."""

    function: str  # `package.module:name`, where it is called
    call: int = 1
    after: bool = False

    def arm(self) -> None:
        """Replace the function by one that ends this process as kill -9 does."""
        owner, _, name = self.function.rpartition(".")
        holder = resolve_name(owner)
        setattr(holder, name, self._deadly(getattr(holder, name)))

    def _deadly(self, real: Callable[..., Any]) -> Callable[..., Any]:
        calls = 0

        def deadly(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == self.call and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*args, **kwargs)
            if calls == self.call:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return deadly


def processes() -> ForkServerContext:
    """Starts processes of their own that have everything imported: in milliseconds."""
    support = Path(__file__).parent
    paths = [str(support), str(support.parents[1] / "plugins")]
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    context = get_context("forkserver")
    context.set_forkserver_preload(["landing_worker"])
    return context


def accept(store: Store, lake: Lake, batch_ids: Sequence[str]) -> None:
    """A validator that finds nothing wrong."""
    for batch_id in batch_ids:
        batch = load_batch(store, batch_id)
        if batch.state is BatchState.STAGED:
            set_state(store, batch, BatchState.VALID)


def open_house(root: Path) -> tuple[Store, Lake]:
    """The store and the lake of the house in `root`."""
    lake = Lake.open(root / "lake")
    return Store.open(store_in(lake.root)), lake


def land_small(root: Path, source: Path) -> LandReport:
    """Land everything new in batches of four objects."""
    store, lake = open_house(root)
    plan(store, UPath(source), objects_per_batch=OBJECTS_PER_BATCH)
    return land(store, lake, UPath(source), validator=accept, workers=1)


def land_killed(root: Path, source: Path, kill: Kill) -> None:
    """Land until killed."""
    kill.arm()
    land_small(root, source)


def land_together(root: Path, source: Path, barrier: Any) -> None:
    """Land at the same moment as another worker."""
    barrier.wait(30)
    land_small(root, source)


def plan_together(root: Path, source: Path, barrier: Any) -> Plan:
    """Plan at the same moment as another worker."""
    store, _ = open_house(root)
    barrier.wait(30)
    return plan(store, UPath(source), objects_per_batch=OBJECTS_PER_BATCH)


def land_batch(root: Path, batch_id: str) -> None:
    """Stage, accept and publish a planned batch of the lake in `root`."""
    store, lake = open_house(root)
    stage(store, lake, batch_id)
    accept(store, lake, [batch_id])
    publish(store, lake, [batch_id])


def open_lake(root: Path) -> None:
    """Open a lake that may not exist yet."""
    assert len(Lake.open(root).names()) == 3
