"""Finds log objects below a folder or s3:// prefix.

Layouts: direct S3 delivery (`.../<acl>/YYYY/MM/dd/HH/mm/`), Firehose prefixes (`YYYY/MM/dd/HH/`,
hive keys included), CloudWatch Logs exports (`<task>/<stream>/000000.gz`), flat folders. Folder
times are delivery times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from upath import UPath

from bartizan.aws_errors import calling
from bartizan.errors import UsageError
from bartizan.model.delivery import delivered, delivery_window
from bartizan.model.landing import LogObject
from bartizan.model.window import Window

EXPORT_TEST = "aws-logs-write-test"  # CloudWatch Logs writes it to see whether it may export
# Firehose puts dots into names, so a suffix says only what an object is not.
OTHER_FORMATS = frozenset(
    {".avro", ".csv", ".html", ".md", ".orc", ".parquet", ".pdf", ".tmp", ".xml", ".yaml", ".zip"}
)


@dataclass(frozen=True)
class Listed:
    """An object and the start of the delivery window its folder names, if it names one."""

    item: LogObject
    delivered: datetime | None


@dataclass(frozen=True)
class Listing:
    """Log objects, and how many files were skipped because their name says they are none."""

    logs: tuple[Listed, ...]
    skipped: int


def list_objects(source: UPath, window: Window | None = None) -> Listing:
    """Log objects below `source`, in no particular order.

    With a `window`, folders of delivery times outside it are not entered; objects without a time
    in their path are always listed. Left out are files that are hidden or begin with `_`, those
    below a top folder of that kind, and the empty objects that mark folders in S3. Raises
    UsageError when the folder does not exist or may not be read, TransientError when S3 does not
    answer.
    """
    with _reading(source):
        root = _root(source)
        files = [one for one in _walk(source.fs, root, window) if not one["name"].endswith("/")]
    shown = [info for info in files if not _hidden(_below(root, info))]
    logs = [info for info in shown if _may_be_log(_below(root, info))]
    uri = _in_utf8 if _is_local(source.fs) else source.fs.unstrip_protocol
    return Listing(tuple(_listed(uri(i["name"]), i) for i in logs), len(shown) - len(logs))


def require_source(source: UPath) -> None:
    """Raises UsageError and TransientError where `list_objects` cannot begin."""
    with _reading(source):
        _root(source)


@contextmanager
def _reading(source: UPath) -> Iterator[None]:
    try:
        with calling(str(source)):
            yield
    except PermissionError as error:
        thing = str(error.filename or source)
        raise UsageError(thing, "may not be read", "allow it, or name another source") from error


def _root(source: UPath) -> str:
    """The source's path in its file system, where it is a folder there now."""
    source.fs.invalidate_cache()  # what was listed before in this process may be hours old
    root = str(UPath(source.path).absolute()) if _is_local(source.fs) else source.path.rstrip("/")
    if not source.fs.isdir(root):
        raise UsageError("source", f"{str(source)!r} is not a folder", "check the path or prefix")
    return root


def _walk(fs: Any, folder: str, window: Window | None) -> Iterator[dict[str, Any]]:
    span = delivery_window(folder)
    if window is not None and span is not None and not span.overlaps(window):
        return
    whole = window is None or (span is not None and _within(span, window))
    if whole and not _is_local(fs):
        # Nothing below can be skipped: one listing of the whole subtree. Of local folders it would
        # leave out silently what may not be read.
        yield from fs.find(folder, detail=True).values()
        return
    for info in fs.ls(folder, detail=True):
        if info["type"] == "directory":
            yield from _walk(fs, info["name"].rstrip("/"), window)
        else:
            yield info


def _is_local(fs: Any) -> bool:
    return "file" in fs.protocol


def _within(span: Window, window: Window) -> bool:
    return window.start <= span.start and span.end <= window.end


def _below(root: str, info: dict[str, Any]) -> PurePosixPath:
    return PurePosixPath(info["name"].removeprefix(root).lstrip("/"))


def _hidden(path: PurePosixPath) -> bool:
    """Web ACL names may begin with `_`, so only the first folder and the file are judged by it."""
    return path.name.startswith((".", "_")) or path.parts[0].startswith((".", "_"))


def _may_be_log(path: PurePosixPath) -> bool:
    return path.suffix.lower() not in OTHER_FORMATS and path.name != EXPORT_TEST


def _in_utf8(path: str) -> str:
    """The path; bytes of it that are not UTF-8 as escapes. No ledger could hold the real name, so
    such an object will not be found when it is read, and is quarantined.
    """
    return os.fsencode(path).decode(errors="backslashreplace")


def _listed(uri: str, info: dict[str, Any]) -> Listed:
    span = delivered(uri)
    item = LogObject(uri, _version(info), int(info["size"]))
    return Listed(item, span.start if span else None)


def _version(info: dict[str, Any]) -> str:
    """The etag in S3; size and modification time of a local file."""
    etag = info.get("ETag") or info.get("etag")
    if etag:
        return str(etag).strip('"')
    return f"{info['size']}-{round(info['mtime'] * 1e9)}"
