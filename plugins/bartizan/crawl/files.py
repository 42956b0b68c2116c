"""Metric files and the manifests that say what was written, in a local folder or on s3://.

A manifest is written after its CSV file. It covers [start, end) also when there were no rows: then
it stands alone, which tells "the source delivered nothing" from "was never crawled".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from upath import UPath

from bartizan.crawl.rows import MetricRows
from bartizan.model.window import Window


@dataclass(frozen=True)
class MetricFile:
    """Where the rows of a window go, and the manifest that vouches for them."""

    window: Window
    csv: UPath
    manifest: UPath

    def remove(self) -> None:
        """Manifest first: an interrupted removal leaves rows uncovered, never covered and gone."""
        self.manifest.unlink(missing_ok=True)
        self.csv.unlink(missing_ok=True)


@dataclass(frozen=True)
class Written:
    """The rows of a file, and whether its bytes differed from what was there."""

    rows: int
    changed: bool


def write(rows: MetricRows, file: MetricFile, dry_run: bool = False) -> Written:
    """Write the CSV file of a window (none without rows), then its manifest; equal bytes stay."""
    content, count = rows.csv(file.window)
    wanted = content if count else None
    manifest = _manifest(rows.connector, file, wanted, count)
    changed = get(file.manifest) != manifest or get(file.csv) != wanted
    if changed and not dry_run:
        if wanted is None:
            file.csv.unlink(missing_ok=True)
        else:
            put(file.csv, wanted)
        put(file.manifest, manifest)
    return Written(count, changed)


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


def _manifest(connector: str, file: MetricFile, content: bytes | None, rows: int) -> bytes:
    files = []
    if content is not None:
        checksum = hashlib.sha256(content).hexdigest()
        files = [{"name": file.csv.name, "sha256": checksum, "bytes": len(content), "rows": rows}]
    body = {"connector": connector, **file.window.as_json(), "rows": rows, "files": files}
    return (json.dumps(body, indent=2) + "\n").encode()
