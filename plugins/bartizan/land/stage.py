"""Decodes one batch into data files that nobody sees until they are published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from bartizan.engines.duckdb import connect
from bartizan.lake import Lake
from bartizan.lake.lock import locked
from bartizan.lake.schemas import LANDED, REQUESTS, RULE_HITS
from bartizan.lake.staged import staged_files
from bartizan.land.account import Account, per_object
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.drift import DriftCounts
from bartizan.land.duplicates import Seen
from bartizan.land.hour_files import HourFiles
from bartizan.land.inflate import Inflated, inflate
from bartizan.land.parts import parts
from bartizan.land.quarantine import Quarantined, write_quarantine
from bartizan.land.read import read_objects
from bartizan.land.redact import NO_KEY, Redaction
from bartizan.land.rule_hits import rule_hits, with_hits
from bartizan.model.landing import Batch, BatchState, LogObject
from bartizan.store.database import Store
from bartizan.store.drift import save_drift
from bartizan.store.landing import load_batch, save_counts

_CHUNK_BYTES = 8 * 1024**2  # of text read at a time
_ROWS_AT_A_TIME = 24_000
_NOT_FOUND = "object no longer exists, or its name is not UTF-8"
_DONE = (BatchState.STAGED, BatchState.VALID, BatchState.PUBLISHED)


def stage(store: Store, lake: Lake, batch_id: str, redaction: Redaction = NO_KEY) -> Batch:
    """Decode a batch to Parquet inside the lake's data folders and account for every record.

    A batch that is staged already is returned as it is; a rejected one is staged again. A second
    worker on the same batch waits for the first and finds the work done. Raises UsageError for an
    unknown batch, SourceError when an object cannot be read now.
    """
    with locked(lake.root, f"batch-{batch_id}"):
        batch = load_batch(store, batch_id)
        return batch if batch.state in _DONE else _stage(store, lake, batch, redaction)


def _stage(store: Store, lake: Lake, batch: Batch, redaction: Redaction) -> Batch:
    batch_id = batch.id
    for name in LANDED:
        for file in staged_files(lake, name, batch_id):
            file.unlink()

    account = Account()
    requests = HourFiles(lake, "waf.requests", batch_id, REQUESTS)
    hits = HourFiles(lake, "waf.rule_hits", batch_id, RULE_HITS)
    set_aside: list[Quarantined] = []
    with connect() as connection:
        connection.execute("set threads = 1")  # batches are staged in processes of their own
        seen = Seen(connection)
        drift = DriftCounts()

        def add_hits(matched: pa.Table) -> None:
            hits.add(rule_hits(connection, matched))

        def add_requests(decoded: pa.Table) -> None:
            rows = seen.first_of_each(decoded)
            kept = per_object(rows)
            account.requests.update(kept)
            if rows is not decoded:
                account.duplicates.update(per_object(decoded) - kept)
            drift.add(connection, rows)
            requests.add(rows)
            in_hits.add(with_hits(rows))

        in_requests, in_hits = _Gathered(add_requests), _Gathered(add_hits)
        columns = Columns()
        for chunk in chunks(batch.objects):
            found = read_chunk(chunk, columns, batch_id, redaction)
            account.records.update(found.framed)
            set_aside += found.quarantined
            for part in found.parts:
                in_requests.add(part)
        in_requests.close()
        in_hits.close()
    account.quarantined.update(entry.source_object for entry in set_aside)

    if set_aside:
        write_quarantine(lake, set_aside, batch_id)
    hits.close()
    requests.close()
    save_drift(store, batch_id, drift.found())
    staged = replace(batch, state=BatchState.STAGED, reason="", counts=account.of_batch(hits.rows))
    save_counts(store, staged, account.of_objects(batch.objects))
    return staged


class _Gathered:
    """Passes tables on in larger ones, worth a query each: planning one takes milliseconds."""

    def __init__(self, sink: Callable[[pa.Table], None]) -> None:
        self._sink = sink
        self._waiting: list[pa.Table] = []

    def add(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= _ROWS_AT_A_TIME:
            self.close()

    def close(self) -> None:
        """Pass on what is left."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._sink(pa.concat_tables(waiting))


def chunks(
    objects: Sequence[LogObject], chunk_bytes: int = _CHUNK_BYTES
) -> Iterator[list[ObjectText]]:
    """The texts of the objects, in groups of about `chunk_bytes`; larger ones in parts."""
    chunk: list[ObjectText] = []
    size = 0
    for item, data in read_objects(objects):
        pieces = [Inflated(b"", _NOT_FOUND)] if data is None else inflate(data)
        for part in parts(item.uri, pieces, chunk_bytes):
            chunk.append(part)
            size += len(part.text)
            if size >= chunk_bytes:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk
