"""Stored scores: a Parquet file for each detector and UTC day, several for very many series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bartizan.detect.judge import CONTINUES
from bartizan.detect.panel import TIME
from bartizan.model.connector import Connector
from bartizan.model.window import Window, naive
from bartizan.store.notable import forget_notable, keep_notable
from bartizan.store.scores import next_scores_path, score_files

MOST = 2**20  # rows to which a file is written again with more of its day
ROW_GROUP = 2**17


def save_scores(root: Path, connector: Connector, window: Window, scores: pd.DataFrame) -> None:
    """Replace the stored scores of `window`, which lies within one UTC day."""
    table = pa.Table.from_pandas(scores, preserve_index=False).replace_schema_metadata()
    files = score_files(root, connector, window)
    replaced = [path for path in files if _overlaps(path, window)]
    if files and not replaced and _rows(files[-1]) + len(table) <= MOST:
        replaced = files[-1:]
    kept = [pq.read_table(path, filters=~_inside(window)) for path in replaced]
    path = replaced[0] if replaced else next_scores_path(root, connector, window)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    whole = _in_order(pa.concat_tables([*kept, table], promote_options="permissive"))
    pq.write_table(whole, temporary, compression="zstd", row_group_size=ROW_GROUP)
    temporary.replace(path)
    keep_notable(path)
    for other in replaced[1:]:
        other.unlink()
        forget_notable(other)


def load_scores(root: Path, connector: Connector, window: Window) -> pd.DataFrame:
    """Stored scores of `window`, by interval; an empty frame when there are none."""
    files = score_files(root, connector, window)
    return _frame([pq.read_table(path, filters=_inside(window)) for path in files], connector)


def load_anomalous(
    root: Path, connector: Connector, window: Window, threshold: float
) -> pd.DataFrame:
    """Those scores of `window` that can be part of an incident, and few others."""
    told = (pc.field("severity") >= threshold) | (pc.field("reason") == CONTINUES)
    tables = []
    for path in score_files(root, connector, window):
        for file in ds.dataset(path).get_fragments():
            groups = [one.id for one in file.row_groups if _may_tell(one.statistics, threshold)]
            tables.append(file.subset(row_group_ids=groups).to_table(filter=_inside(window) & told))
    return _frame(tables, connector)


def _may_tell(statistics: Mapping[str, Mapping[str, Any]], threshold: float) -> bool:
    """Whether a row group can hold such rows. Arrow reads all that have an unknown severity."""
    severity, reason = statistics.get("severity"), statistics.get("reason")
    return (
        reason is None
        or reason["min"] <= CONTINUES <= reason["max"]
        or (severity is not None and severity["max"] >= threshold)
    )


def _frame(tables: Sequence[pa.Table], connector: Connector) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame(columns=[TIME, *connector.dimensions, "measure", "severity"])
    return _in_order(pa.concat_tables(tables, promote_options="permissive")).to_pandas()


def _inside(window: Window) -> pc.Expression:
    return (pc.field(TIME) >= naive(window.start)) & (pc.field(TIME) < naive(window.end))


def _in_order(table: pa.Table) -> pa.Table:
    """By interval and measure; series stay in the order in which they are."""
    time = table[TIME].to_numpy()
    measure = table["measure"].combine_chunks().dictionary_encode()
    rank = np.argsort(np.argsort(measure.dictionary.to_numpy(zero_copy_only=False)))
    order = np.lexsort((rank[measure.indices.to_numpy()], time))
    return table if np.array_equal(order, np.arange(len(order))) else table.take(order)


def _overlaps(path: Path, window: Window) -> bool:
    """By the file's statistics; a file without rows overlaps everything."""
    footer = pq.read_metadata(path)
    column = footer.schema.names.index(TIME)
    groups = [footer.row_group(n).column(column).statistics for n in range(footer.num_row_groups)]
    known = [one for one in groups if one is not None and one.has_min_max]
    if not known:
        return True
    first, last = min(one.min for one in known), max(one.max for one in known)
    return bool(first < naive(window.end) and last >= naive(window.start))


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)
