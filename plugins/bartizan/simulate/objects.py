"""Objects of the direct-to-S3 delivery: their names, and how they come into being."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from isal import igzip
from upath import UPath

from bartizan.model.ids import digest
from bartizan.simulate.sites import Site

_COMPRESSION = 1


def object_key(site: Site, day: date, slot: int, seed: int) -> str:
    """The key AWS gives the delivery of one 5-minute slot, below the target."""
    hour, minute = divmod(slot * 5, 60)
    stamp = f"{day:%Y%m%d}T{hour:02}{minute:02}Z"
    name = f"{site.account}_waflogs_{site.folder}_{site.webacl}_{stamp}"
    folder = f"AWSLogs/{site.account}/WAFLogs/{site.folder}/{site.webacl}"
    unique = digest((seed, name), 8)
    return f"{folder}/{day:%Y/%m/%d}/{hour:02}/{minute:02}/{name}_{unique}.log.gz"


def packed(lines: Sequence[str]) -> bytes:
    """The lines as gzip; the same lines give the same bytes."""
    text = "\n".join(lines) + "\n"
    return igzip.compress(text.encode(), _COMPRESSION, mtime=0)


def publish(path: UPath, content: bytes) -> None:
    """Write a whole object: a reader sees all of it or nothing. Equal bytes are left alone, so
    that an interrupted day, written again, does not look like changed objects to a lander."""
    if path.exists() and path.read_bytes() == content:
        return
    if path.protocol not in ("", "file"):
        path.write_bytes(content)  # object stores show an object only when it is complete
        return
    final = Path(path.path)
    final.parent.mkdir(parents=True, exist_ok=True)
    unfinished = final.with_name(f".{final.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(final)
