"""Metric files of a detector without a house: which there are, and what is in them."""

from __future__ import annotations

from dataclasses import replace

from upath import UPath

from bartizan.detect.listing import Found, live_files
from bartizan.detect.metrics import MetricFrame, read_files
from bartizan.detect.reading import EVER
from bartizan.errors import UsageError
from bartizan.model.connector import Connector
from bartizan.model.source import Source
from bartizan.model.window import Window

_DATA = (".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".txt", ".tsv")


def find_files(path: str, connector: Connector | None, window: Window | None) -> list[Found]:
    """A file; all files below a folder, in order; or, of a path template with dates in `{{ }}`,
    those in the folders of the window's intervals.

    Names that begin with "_" or "." are no data; without a connector, neither are those whose
    ending is of another kind. Raises UsageError when there is no file.
    """
    if "{{" in path:
        if connector is None or window is None:
            raise UsageError(
                f"--input {path}", "is a template", "give --connector, --start and --end with it"
            )
        source = replace(connector.source or Source(None, None), live=path, history=None)
        root = UPath(path.partition("{{")[0])
        return live_files(source, root, window, connector.frequency)
    place = UPath(path)
    fs, plain = place.fs, place.fs._strip_protocol(str(place))
    if fs.isfile(plain):
        return [Found(place, plain, window or EVER)]
    if not fs.exists(plain):
        raise UsageError(f"--input {path}", "no such file or folder", "check the path")
    endings = () if connector else _DATA
    found = [one for one in sorted(fs.find(plain)) if _is_data(one[len(plain) :], endings)]
    if not found:
        raise UsageError(
            f"--input {path}",
            "is a folder without data files",
            f"give CSV, JSON lines or Parquet: names that end in {', '.join(_DATA)}, or in .gz",
        )
    return [Found(place, one, window or EVER) for one in found]


def read_rows(files: list[Found], connector: Connector) -> MetricFrame:
    """All rows of the files. Raises UsageError when none can be used, naming the first bad one."""
    source = connector.source or Source(None, None)
    is_live = source.live is not None
    found = read_files(
        files, source, connector, EVER, "outside_interval" if is_live else "outside_window"
    )
    if not len(found.frame):
        bad = found.examples[0] if found.examples else None
        where = f"{bad.file}: row {bad.row}" if bad else files[0].path if files else "--input"
        what = f"{bad.reason}, {bad.column} is {bad.value[:80]!r}" if bad else "has no rows"
        raise UsageError(
            where,
            f"{what}; of {found.rows} rows none can be used",
            "correct the file, or timestamp.format and columns in connector.yaml",
        )
    return found


def _is_data(path: str, endings: tuple[str, ...]) -> bool:
    parts = path.strip("/").split("/")
    marked = any(part.startswith(("_", ".")) for part in parts)
    return not marked and parts[-1].removesuffix(".gz").lower().endswith(endings or ("",))
