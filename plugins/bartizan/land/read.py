"""Reads the bytes of objects, from local disk one by one, from object stores many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from upath import UPath

from bartizan.errors import SourceError
from bartizan.model.landing import LogObject

_AT_A_TIME = 64  # objects that a store is asked for concurrently
_BYTES_AT_A_TIME = 64 * 1024**2  # of them together, in memory; a larger one is read alone


def read_objects(objects: Sequence[LogObject]) -> Iterator[tuple[LogObject, bytes | None]]:
    """Each object with its bytes, or None if it no longer exists.

    Raises SourceError when an object exists but cannot be read: a later run may succeed.
    """
    for group in _groups(objects):
        contents = _remote(group) if "://" in group[0].uri else map(_local, group)
        for item, content in zip(group, contents, strict=True):
            if isinstance(content, FileNotFoundError):
                yield item, None
            elif isinstance(content, OSError):
                raise SourceError(
                    item.uri, f"cannot be read: {content}", "give read access, then run again"
                ) from content
            else:
                yield item, content


def _groups(objects: Sequence[LogObject]) -> Iterator[list[LogObject]]:
    group: list[LogObject] = []
    for item in objects:
        size = sum(one.bytes for one in group)
        if group and (len(group) == _AT_A_TIME or size + item.bytes > _BYTES_AT_A_TIME):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _local(item: LogObject) -> bytes | OSError:
    try:
        return Path(item.uri).read_bytes()
    except OSError as error:
        return error


def _remote(group: Sequence[LogObject]) -> list[bytes | OSError]:
    paths = [UPath(item.uri) for item in group]
    found = paths[0].fs.cat([path.path for path in paths], on_error="return")
    return [found[path.path] for path in paths]
