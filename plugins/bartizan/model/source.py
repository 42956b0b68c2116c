"""Metric files that others write, on the paths of the Lookout for Metrics S3 contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FileKind(StrEnum):
    """One record a line, or Parquet; gzip is told by the bytes of a file."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class FolderLabel(StrEnum):
    """Which end of its interval a folder is named by."""

    START = "start"
    END = "end"


@dataclass(frozen=True)
class FileFormat:
    """How a file's lines are read. The keys after `charset` are of CSV.

    `columns` names them where there is no header; `quote` is empty when there are no quotes.
    """

    kind: FileKind = FileKind.CSV
    charset: str = "UTF-8"
    header: bool = True
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    quote: str = '"'


@dataclass(frozen=True)
class Source:
    """Where the files are. `live` is a path template with `{{…}}`, one folder an interval;
    `history` a folder whose sub-folders do not count.

    Folder names and times without an offset are in `timezone`. `timestamp_format` is a Java
    pattern, or UNIX. Files count whose names end in one of `endings`; without them all do.
    """

    live: str | None
    history: str | None
    format: FileFormat = FileFormat()
    folder_label: FolderLabel = FolderLabel.START
    timezone: str = "UTC"
    timestamp_format: str = "yyyy-MM-dd HH:mm:ss"
    endings: tuple[str, ...] = ()
