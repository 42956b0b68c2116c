"""The lines of a metric file as text columns: CSV or JSON lines, plain or gzip, any charset."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence

import pyarrow as pa
from pyarrow import csv

from bartizan.engines.duckdb import connect
from bartizan.errors import SourceError
from bartizan.model.source import FileFormat, FileKind

_GZIP = b"\x1f\x8b"


def parse(
    content: bytes, path: str, form: FileFormat, columns: Sequence[str]
) -> tuple[pa.Table, int]:
    """The columns as text, and how many lines are no records. Raises SourceError naming `path`."""
    try:
        plain = gzip.decompress(content) if content.startswith(_GZIP) else content
        if form.kind is FileKind.JSON:
            return _json_lines(plain.decode(form.charset), columns)
        return _csv(plain, form, columns)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError, EOFError, zlib.error, ValueError) as error:
        kind = {FileKind.CSV: "CSV file", FileKind.JSON: "JSON lines file"}[form.kind]
        raise SourceError(
            path,
            f"not a {form.charset} {kind} with the columns {', '.join(columns)} ({error})",
            "write it again from the connector's query",
        ) from error


def _csv(content: bytes, form: FileFormat, columns: Sequence[str]) -> tuple[pa.Table, int]:
    if not content and not form.header:  # what UNLOAD leaves of a slice without rows
        return pa.table({name: pa.array([], pa.string()) for name in columns}), 0
    broken = 0

    def skip(_row: csv.InvalidRow) -> str:
        nonlocal broken
        broken += 1
        return "skip"

    table = csv.read_csv(
        io.BytesIO(content),
        read_options=csv.ReadOptions(
            encoding=form.charset, column_names=None if form.header else list(form.columns)
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
    return table, broken


def _json_lines(text: str, columns: Sequence[str]) -> tuple[pa.Table, int]:
    """Numbers and texts of objects alike as text; a line that is no object is no record."""
    lines = pa.table({"line": [line for line in text.split("\n") if line.strip()]})
    fields = ", ".join(f"json_extract_string(line, ?) as c{n}" for n in range(len(columns)))
    # The case keeps extraction away from lines that are no JSON, whatever order filters run in.
    query = f"""
        select {fields}
        from (select case when json_valid(line) and json_type(line) = 'OBJECT' then line end as line
              from lines) as records
        where line is not null
    """
    with connect() as connection:
        connection.register("lines", lines.cast(pa.schema([("line", pa.string())])))
        paths = [f'$."{name}"' for name in columns]
        found = connection.sql(query, params=paths).to_arrow_table()
    return found.rename_columns(list(columns)), lines.num_rows - found.num_rows
