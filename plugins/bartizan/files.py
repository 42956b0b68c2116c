"""Whole files by URI: in a local folder or on s3://."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from upath import UPath


def put(path: UPath, content: bytes) -> None:
    """Make the file hold `content`; a reader sees all of it or none (S3 puts are atomic)."""
    if path.protocol not in ("", "file"):
        path.write_bytes(content)
        return
    target = Path(path.path)
    part = target.with_name(f".{target.name}.{uuid4().hex}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    part.replace(target)


def get(path: UPath) -> bytes | None:
    """The content of a file, None when there is none."""
    try:
        return bytes(path.read_bytes())
    except FileNotFoundError:
        return None
