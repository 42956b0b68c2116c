"""The few scores that stand out, apart from the many that do not.

Those with a severity that rounds to 1 or more, a few in a hundred, are kept beside each file of
scores, in Arrow's own format. What is beside a file counts only while it names that very file (size
and time of change); else the scores themselves are read, so that it may be lacking, stale or lost
at any time. See docs/adr/0004-scores-that-stand-out.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, naive
from bartizan.store.scores import day_of, score_files

LEAST = 0.5  # severity that rounds to 1, the least that has a label

_TEXT = pa.dictionary(pa.int32(), pa.large_string())
_LEFT_OUT = ("lower", "upper", "raw_severity", "feedback")
_SCORES, _JUDGED = b"scores", b"judged"
_ALONE = pa.ipc.IpcReadOptions(use_threads=False)  # a small file is read before threads could help


@dataclass(frozen=True)
class Notable:
    """`rows`: interval_start, dimensions, measure, value, expected, severity, direction, reason, in
    no order; texts are dictionaries. `judged` are the starts of the intervals (datetime64, sorted)
    in which at least one series has a severity."""

    rows: pa.Table
    judged: np.ndarray


def keep_notable(scores: Path) -> None:
    """Write those of a file of scores beside it; the same scores give the same rows."""
    table = _of(scores)
    temporary = _beside(scores).with_suffix(".arrow.tmp")
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(temporary, table.schema, options=options) as file:
        file.write_table(table)
    temporary.replace(_beside(scores))


def forget_notable(scores: Path) -> None:
    """Remove them, as their file of scores was."""
    _beside(scores).unlink(missing_ok=True)


def load_notable(root: Path, connector: Connector, window: Window) -> Notable:
    """Those of a detector in a window; `root` is the lake folder."""
    files = score_files(root, connector, window)
    found = [_within(_kept_or_made(path), path, window) for path in files]
    judged = [np.empty(0, "datetime64[us]"), *(_judged(one, window) for one in found)]
    schema = _schema(connector)
    tables = [schema.empty_table(), *(_shaped(one, schema) for one in found)]
    rows = pa.concat_tables(tables).unify_dictionaries()
    return Notable(rows, np.unique(np.concatenate(judged)))


def _kept_or_made(scores: Path) -> pa.Table:
    kept = _kept(scores)
    return _of(scores) if kept is None else kept


def _of(scores: Path) -> pa.Table:
    """The notable rows of a file, with what tells the file and its judged intervals."""
    identity = _identity(scores)
    file = pq.ParquetFile(scores)
    names = [name for name in file.schema_arrow.names if name not in _LEFT_OUT]
    texts = [name for name in names if _is_text(file.schema_arrow.field(name).type)]
    table = pq.read_table(scores, columns=names, read_dictionary=texts)
    severity = table["severity"].to_numpy()
    judged = np.unique(table["interval_start"].to_numpy()[~np.isnan(severity)])
    rows = table.filter(pa.array(severity >= LEAST)).combine_chunks()
    for place, name in enumerate(rows.schema.names):
        if name in texts:  # the dictionaries are those of all rows
            plain = rows[name].cast(pa.large_string())
            rows = rows.set_column(place, name, plain.combine_chunks().dictionary_encode())
    said = {_SCORES: identity, _JUDGED: json.dumps(judged.astype(np.int64).tolist())}
    return rows.replace_schema_metadata(said)


def _kept(scores: Path) -> pa.Table | None:
    """What is beside a file of scores, None where it is not of that file."""
    try:
        with pa.ipc.open_file(_beside(scores), options=_ALONE) as file:
            table = file.read_all()
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    return table if table.schema.metadata.get(_SCORES) == _identity(scores).encode() else None


def _within(table: pa.Table, scores: Path, window: Window) -> pa.Table:
    """The rows of a window, of the table of a file; most files lie in it with their whole day."""
    day = day_of(scores)
    if window.start <= day and day + DAY <= window.end:
        return table
    start, end = (np.datetime64(naive(at), "us") for at in (window.start, window.end))
    times = table["interval_start"]
    return table.filter(pc.and_(pc.greater_equal(times, start), pc.less(times, end)))


def _judged(table: pa.Table, window: Window) -> np.ndarray:
    told = np.array(json.loads(table.schema.metadata[_JUDGED]), np.int64).view("datetime64[us]")
    start, end = (np.datetime64(naive(at), "us") for at in (window.start, window.end))
    return told[(told >= start) & (told < end)]


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """With the columns of today's connector; one that the scores did not have is null."""
    plain = table.replace_schema_metadata()
    if plain.schema == schema:
        return plain
    columns = [
        table[one.name].cast(one.type)
        if one.name in table.schema.names
        else pa.nulls(len(table), one.type)
        for one in schema
    ]
    return pa.table(columns, schema)


def _schema(connector: Connector) -> pa.Schema:
    """In the order of the columns of scores, so that little has to be shaped."""
    return pa.schema(
        [
            ("interval_start", pa.timestamp("us")),
            *((name, _TEXT) for name in (*connector.dimensions, "measure")),
            *((name, pa.float64()) for name in ("value", "expected", "severity")),
            *((name, _TEXT) for name in ("direction", "reason")),
        ]
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _identity(scores: Path) -> str:
    facts = scores.stat()
    return f"{facts.st_size} {facts.st_mtime_ns}"


def _beside(scores: Path) -> Path:
    return scores.with_suffix(".arrow")
