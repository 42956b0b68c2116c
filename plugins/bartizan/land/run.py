"""Landing from end to end: plan, stage, validate, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from upath import UPath

from bartizan.lake import Lake
from bartizan.lake.staged import staged_files
from bartizan.land.late import LATEST_REOPEN
from bartizan.land.plan import plan
from bartizan.land.publish import publish
from bartizan.land.quarantine import Quarantined
from bartizan.land.redact import NO_KEY, Redaction
from bartizan.land.stage import stage
from bartizan.model.landing import BatchCounts, ChangedObject
from bartizan.model.window import Window, format_time
from bartizan.store.database import Store
from bartizan.store.landing import load_batch

Validator = Callable[[Store, Lake, Sequence[str]], object]
Progress = Callable[[int, int], None]  # batches staged, batches in all


@dataclass(frozen=True)
class LandReport:
    """What one run landed. records = requests + duplicates + quarantined, over all batches
    named, the rejected ones included; only the others are published.
    """

    objects: int
    objects_known: int
    skipped: int  # files that are no logs by their suffix
    batches: int
    counts: BatchCounts
    hours: tuple[str, ...]  # announced to those downstream
    closed: tuple[tuple[str, int], ...]  # hour, requests that came too late for it to be announced
    rejected: tuple[tuple[str, str], ...]  # batch id, reason
    changed: tuple[ChangedObject, ...]  # landed before under another version: quarantined
    quarantined: tuple[Quarantined, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "objects": self.objects,
            "objects_known": self.objects_known,
            "skipped": self.skipped,
            "batches": self.batches,
            **asdict(self.counts),
            "hours": list(self.hours),
            "closed": [{"hour": hour, "requests": requests} for hour, requests in self.closed],
            "rejected": [{"batch_id": one, "reason": reason} for one, reason in self.rejected],
            "changed": [asdict(item) for item in self.changed],
            "quarantine": [asdict(entry) for entry in self.quarantined],
        }


def land(
    store: Store,
    lake: Lake,
    source: UPath,
    window: Window | None = None,
    *,
    validator: Validator,
    on_progress: Progress | None = None,
    workers: int = 2,
    latest_reopen: timedelta | None = LATEST_REOPEN,
    redaction: Redaction = NO_KEY,
) -> LandReport:
    """Land what is new below `source`, and what an earlier run left unfinished.

    `validator` is given the staged batches and moves each to VALID or REJECTED; `latest_reopen` is
    the bound of publish(). Raises what plan, stage and publish raise; a re-run goes on where this
    one stopped.
    """
    planned = plan(store, source, window, retry_rejected=True)
    ids = planned.batch_ids
    total = len(ids)
    staged = _stage_all(store, lake, ids, workers, redaction)
    for done, batch_id in enumerate(staged, start=1):
        validator(store, lake, [batch_id])  # while workers stage those that follow
        if on_progress is not None:
            on_progress(done, total)
    published = publish(store, lake, ids, latest_reopen)
    batches = [load_batch(store, batch_id) for batch_id in ids]
    return LandReport(
        objects=sum(len(batch.objects) for batch in batches),
        objects_known=planned.objects_known,
        skipped=planned.skipped,
        batches=total,
        counts=_total(batch.counts for batch in batches),
        hours=tuple(format_time(hour) for hour in published.hours),
        closed=tuple((format_time(hour), late) for hour, late in published.closed.items()),
        rejected=published.rejected,
        changed=planned.changed,
        quarantined=tuple(_quarantined(lake, ids)),
    )


def _stage_all(
    store: Store, lake: Lake, ids: Sequence[str], workers: int, redaction: Redaction
) -> Iterator[str]:
    if min(workers, len(ids)) <= 1:
        for batch_id in ids:
            stage(store, lake, batch_id, redaction)
            yield batch_id
        return
    url = store.engine.url.render_as_string(hide_password=False)
    # Spawned, not forked: DuckDB, Arrow and SQLAlchemy have threads and locks of their own.
    with ProcessPoolExecutor(min(workers, len(ids)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(_stage_one, url, lake.root, redaction), ids)


def _stage_one(url: str, root: Path, redaction: Redaction, batch_id: str) -> str:
    stage(Store.open(url), Lake.open(root), batch_id, redaction)
    return batch_id


def _total(counts: Iterator[BatchCounts]) -> BatchCounts:
    columns = zip(*(tuple(asdict(one).values()) for one in counts), strict=True)
    return BatchCounts(*(sum(column) for column in columns))


def _quarantined(lake: Lake, ids: Sequence[str]) -> Iterator[Quarantined]:
    columns = ["source_object", "source_offset", "length", "reason", "raw"]
    for batch_id in ids:
        for file in staged_files(lake, "waf.quarantine", batch_id):
            for row in pq.read_table(file, columns=columns, partitioning=None).to_pylist():
                yield Quarantined(**row)
