"""A worker that lands one batch, importable by the processes that tests start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bartizan.lake import Lake
from bartizan.land.publish import publish
from bartizan.land.stage import stage
from bartizan.model.landing import BatchState
from bartizan.store.database import Store
from bartizan.store.landing import load_batch, set_state


def accept(store: Store, lake: Lake, batch_ids: Sequence[str]) -> None:
    """A validator that finds nothing wrong."""
    for batch_id in batch_ids:
        batch = load_batch(store, batch_id)
        if batch.state is BatchState.STAGED:
            set_state(store, batch, BatchState.VALID)


def land_batch(root: Path, batch_id: str) -> None:
    """Stage, accept and publish a planned batch of the lake in `root`."""
    lake, store = Lake.open(root / "lake"), Store.open(f"sqlite:///{root / 'lake' / 'store.db'}")
    stage(store, lake, batch_id)
    accept(store, lake, [batch_id])
    publish(store, lake, [batch_id])


def open_lake(root: Path) -> None:
    """Open a lake that may not exist yet."""
    assert len(Lake.open(root).names()) == 3
