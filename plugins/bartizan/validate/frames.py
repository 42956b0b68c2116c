"""What of a staged batch is checked, as two pandas frames: its account and its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.lake import Lake
from bartizan.lake.evolution import lacks_only
from bartizan.lake.schemas import LANDED
from bartizan.lake.staged import staged_files
from bartizan.model.delivery import delivered
from bartizan.model.landing import Batch

COLUMNS = (
    "event_ms",
    "action",
    "webacl_id",
    "client_ip",
    "uri",
    "method",
    "terminating_rule_id",
    "source_object",
)
MOST_ROWS = 2_000_000  # of a larger batch every n-th row is checked; its counts are always whole
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class StagedFile:
    """A Parquet file of a batch. The footer is parsed once: of wide rows it is the larger part."""

    path: Path
    footer: pq.FileMetaData


Staged = Mapping[str, Sequence[StagedFile]]  # by table


def staged(lake: Lake, batch: Batch) -> Staged:
    """The files of the batch in the tables that landing fills."""
    return {
        name: [
            StagedFile(file, pq.read_metadata(file)) for file in staged_files(lake, name, batch.id)
        ]
        for name in LANDED
    }


def account(batch: Batch, files: Staged) -> pd.DataFrame:
    """One row: what the ledger says about the batch beside what its files hold."""
    counts = batch.counts
    rows = {name: sum(file.footer.num_rows for file in files[name]) for name in files}
    return pd.DataFrame(
        {
            "records": [counts.records],
            "records_accounted": [counts.requests + counts.duplicates + counts.quarantined],
            "requests": [counts.requests],
            "requests_in_files": [rows["waf.requests"]],
            "rule_hits": [counts.rule_hits],
            "rule_hits_in_files": [rows["waf.rule_hits"]],
            "quarantined": [counts.quarantined],
            "quarantined_in_files": [rows["waf.quarantine"]],
            "quarantined_share": [counts.quarantined / counts.records if counts.records else 0.0],
            "files_with_other_columns": [sum(_differs(files[name], name) for name in files)],
        }
    )


def requests(files: Staged) -> pd.DataFrame:
    """The columns that are checked row by row, and two that are derived from them.

    Texts are categories, as each filter of Great Expectations copies every column.
    `client_ip_is_address` is whether client_ip is one. `hours_from_delivery` is the distance of
    the request from the delivery window that the object's path names, NULL without one.
    """
    table = pa.concat_tables(_read(file) for file in files["waf.requests"])
    step = -(-len(table) // MOST_ROWS)
    if step > 1:
        table = table.take(pa.array(np.arange(0, len(table), step)))
    frame: pd.DataFrame = table.drop_columns(["source_object"]).to_pandas()
    frame["client_ip_is_address"] = _are_addresses(table.column("client_ip")).to_pandas()
    frame["hours_from_delivery"] = _hours_from_delivery(table)
    return frame


def _read(file: StagedFile) -> pa.Table:
    texts = [column for column in COLUMNS if column != "event_ms"]
    with pq.ParquetFile(file.path, metadata=file.footer, read_dictionary=texts) as opened:
        # Columns as small as these cost more CPU time when they are read side by side.
        return opened.read(columns=list(COLUMNS), use_threads=False)


def _differs(files: Sequence[StagedFile], name: str) -> int:
    expected = LANDED[name].schema
    # A batch that an earlier release staged lacks the columns added since.
    return sum(not lacks_only(file.footer.schema.to_arrow_schema(), expected) for file in files)


def _are_addresses(texts: pa.ChunkedArray) -> pa.Array:
    known = texts.unify_dictionaries().combine_chunks()
    return pa.array(map(_is_address, known.dictionary.to_pylist()), pa.bool_()).take(known.indices)


def _is_address(text: str) -> bool:
    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):  # ValueError: a NUL inside
        return False
    return True


def _hours_from_delivery(table: pa.Table) -> np.typing.NDArray[np.float64]:
    objects = table.column("source_object").combine_chunks().dictionary_encode()
    windows = [delivered(uri) for uri in objects.dictionary.to_pylist()]
    start = np.array([one.start.timestamp() * 1000 if one else np.nan for one in windows])
    end = np.array([one.end.timestamp() * 1000 if one else np.nan for one in windows])
    item = objects.indices.to_numpy()
    event_ms = table.column("event_ms").to_numpy()
    early, late = start[item] - event_ms, event_ms - end[item]
    hours: np.typing.NDArray[np.float64] = np.maximum(np.maximum(early, late), 0) / _HOUR_MS
    return hours
