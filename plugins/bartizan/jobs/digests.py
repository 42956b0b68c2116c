"""Digests of what happened in a time."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import json
from pathlib import Path

from bartizan.config import make_folder
from bartizan.errors import UsageError
from bartizan.jobs.here import open_store
from bartizan.model.window import Window


def write_digest(window: Window, path: Path) -> str:
    """Write the digest of the incidents that start in a window; returns the path.

    By its name the file is Markdown (`.md`) or JSON (`.json`); raises UsageError for others.
    """
    from bartizan.dispatch.digest import digest_of
    from bartizan.dispatch.digest_text import as_json, as_markdown

    if path.suffix not in (".md", ".json"):
        raise UsageError(str(path), "is neither .md nor .json", "write --out digest.md")
    found = digest_of(open_store(), window)
    is_json = path.suffix == ".json"
    make_folder(path.absolute().parent)
    text = json.dumps(as_json(found), indent=2) + "\n" if is_json else as_markdown(found)
    path.write_text(text, encoding="utf-8")
    return str(path)
