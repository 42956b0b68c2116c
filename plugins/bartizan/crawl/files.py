"""Metric files and the manifests that say what was written, in a local folder or on s3://.

A manifest is written after its CSV file. It covers [start, end) also when there were no rows: then
it stands alone, which tells "there was nothing" from "was never crawled". `delivered` are the parts
for which the source delivered at all; no row in them is no occurrence, elsewhere it says nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from upath import UPath

from bartizan.crawl.rows import Cut
from bartizan.files import get, put
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


def write(name: str, cut: Cut, file: MetricFile, made_by: str | None = None) -> Written:
    """Write the CSV file of a window (none without rows), then its manifest; equal bytes stay.

    `name` is the connector's, `made_by` a digest of what the rows were made from.
    """
    wanted = cut.content if cut.rows else None
    manifest = _manifest(name, cut, file, wanted, made_by)
    changed = get(file.manifest) != manifest or get(file.csv) != wanted
    if changed:
        if wanted is None:
            file.csv.unlink(missing_ok=True)
        else:
            put(file.csv, wanted)
        put(file.manifest, manifest)
    return Written(cut.rows, changed)


def note(name: str, cut: Cut, file: MetricFile) -> Written:
    """Write only the manifest, of rows that are in the files of others."""
    manifest = _manifest(name, cut, file, None, None)
    changed = get(file.manifest) != manifest
    if changed:
        put(file.manifest, manifest)
    return Written(cut.rows, changed)


def vouched(file: MetricFile) -> dict[str, Any] | None:
    """The manifest, if it can be read and the files it names have the sizes it says."""
    try:
        facts: dict[str, Any] = json.loads(get(file.manifest) or b"")
        sizes = {one["name"]: one["bytes"] for one in facts["files"]}
    except (ValueError, KeyError, TypeError):
        return None
    there = {file.csv.name: file.csv.stat().st_size} if file.csv.exists() else {}
    return facts if sizes == there else None


def _manifest(
    name: str, cut: Cut, file: MetricFile, content: bytes | None, made_by: str | None
) -> bytes:
    files = []
    if content is not None:
        checksum = hashlib.sha256(content).hexdigest()
        size = len(content)
        files = [{"name": file.csv.name, "sha256": checksum, "bytes": size, "rows": cut.rows}]
    body = {
        "connector": name,
        **file.window.as_json(),
        "rows": cut.rows,
        "delivered": [window.as_json() for window in cut.delivered],
        "files": files,
        "quality": cut.quality.as_json(),
        **({"made_by": made_by} if made_by else {}),
    }
    return (json.dumps(body, indent=2) + "\n").encode()
