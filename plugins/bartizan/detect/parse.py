"""The records of a metric file as text columns: CSV, JSON lines or Parquet, plain or gzip."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from bartizan.detect.values import Integers
from bartizan.engines.duckdb import connect
from bartizan.errors import SourceError
from bartizan.model.source import FileFormat, FileKind

_GZIP = b"\x1f\x8b"
_KEPT = 200  # characters of a line that is no record
_NAMES = {
    FileKind.CSV: "CSV file",
    FileKind.JSON: "JSON lines file",
    FileKind.PARQUET: "Parquet file",
}


@dataclass(frozen=True)
class Parsed:
    """`table` holds the records, `rows` the number of each in its file: from 1, a header counts,
    empty lines of CSV do not. `broken` are the lines that are no records, by their numbers.
    """

    table: pa.Table
    rows: Integers
    broken: tuple[tuple[int, str], ...] = ()


def unpacked(content: bytes) -> bytes:
    """What gzip has packed, or the content itself."""
    return gzip.decompress(content) if content.startswith(_GZIP) else content


def parse(content: bytes, path: str, form: FileFormat, columns: Sequence[str]) -> Parsed:
    """The columns of every record. Raises SourceError naming `path`."""
    try:
        plain = unpacked(content)
        match form.kind:
            case FileKind.JSON:
                return _json_lines(plain.decode(form.charset), columns)
            case FileKind.PARQUET:
                return _parquet(plain, columns)
            case FileKind.CSV:
                return _csv(plain, form, columns)
    except (
        pa.ArrowInvalid,
        pa.ArrowKeyError,
        pa.ArrowNotImplementedError,
        OSError,
        EOFError,
        zlib.error,
        ValueError,
    ) as error:
        kind = _NAMES[form.kind] if form.kind is FileKind.PARQUET else _text_file(form)
        raise SourceError(
            path,
            f"not a {kind} with the columns {', '.join(columns)} ({error})",
            "write it again from the connector's query",
        ) from error


def _text_file(form: FileFormat) -> str:
    return f"{form.charset} {_NAMES[form.kind]}"


def _csv(content: bytes, form: FileFormat, columns: Sequence[str]) -> Parsed:
    if not content and not form.header:  # what UNLOAD leaves of a slice without rows
        nothing = pa.table({name: pa.array([], pa.string()) for name in columns})
        return Parsed(nothing, np.zeros(0, dtype=np.int64))
    broken: list[tuple[int, str]] = []

    def skip(row: csv.InvalidRow) -> str:
        broken.append((row.number, row.text[:_KEPT]))
        return "skip"

    table = csv.read_csv(
        io.BytesIO(content),
        read_options=csv.ReadOptions(
            encoding=form.charset,
            column_names=None if form.header else list(form.columns),
            use_threads=False,  # only one reader knows the numbers of rows
        ),
        parse_options=csv.ParseOptions(
            delimiter=form.delimiter,
            quote_char=form.quote or False,
            newlines_in_values=True,
            invalid_row_handler=skip,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), include_columns=list(columns)
        ),
    )
    first = 2 if form.header else 1
    rows = np.arange(first, first + table.num_rows + len(broken))
    rows = np.delete(rows, np.array([number - first for number, _ in broken], dtype=np.int64))
    return Parsed(table, rows, tuple(broken))


def _json_lines(text: str, columns: Sequence[str]) -> Parsed:
    """Numbers and texts of objects alike as text; a line that is no object is no record."""
    lines = {row: line for row, line in enumerate(text.split("\n"), start=1) if line.strip()}
    given = pa.table(
        {
            "row": pa.array(list(lines), pa.int64()),
            "line": pa.array(list(lines.values()), pa.string()),
        }
    )
    fields = "".join(f", json_extract_string(line, ?) as c{n}" for n in range(len(columns)))
    # The case keeps extraction away from lines that are no JSON, whatever order filters run in.
    query = f"""
        select row{fields}
        from (select row,
                     case when json_valid(line) and json_type(line) = 'OBJECT' then line end as line
              from given) as records
        where line is not null
        order by row
    """
    with connect() as connection:
        connection.register("given", given)
        paths = [f'$."{name}"' for name in columns]
        found = connection.sql(query, params=paths).to_arrow_table()
    rows = found["row"].to_numpy()
    good = set(rows.tolist())
    broken = tuple((row, line[:_KEPT]) for row, line in lines.items() if row not in good)
    return Parsed(found.drop_columns("row").rename_columns(list(columns)), rows, broken)


def _parquet(content: bytes, columns: Sequence[str]) -> Parsed:
    """Values as text; times to the second, as UTC where the column knows its zone."""
    table = pq.read_table(io.BytesIO(content), columns=list(columns))
    if lacking := [name for name in columns if name not in table.column_names]:
        raise pa.ArrowKeyError(f"column {lacking[0]} is missing")
    texts = {name: _as_text(table[name]) for name in columns}
    return Parsed(pa.table(texts), np.arange(1, table.num_rows + 1))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = pc.floor_temporal(column.cast(pa.timestamp("us")), unit="second")
        column = column.cast(pa.timestamp("s"))
    return column.cast(pa.string())
