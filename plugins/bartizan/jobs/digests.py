"""Digests of what happened in a time."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import json
from pathlib import Path

from bartizan.config import make_folder
from bartizan.errors import UsageError
from bartizan.jobs.alerting import alerts
from bartizan.jobs.here import open_store
from bartizan.model.window import Window


def write_digest(window: Window, path: Path) -> str:
    """Write the digest of the incidents that start in a window; returns the path.

    By its name the file is a page (`.html`), Markdown (`.md`) or JSON (`.json`); raises UsageError
    for others.
    """
    from bartizan.dispatch.digest import digest_of
    from bartizan.dispatch.digest_html import as_html
    from bartizan.dispatch.digest_text import as_json, as_markdown

    if path.suffix not in (".html", ".md", ".json"):
        raise UsageError(str(path), "is neither .html nor .md nor .json", "write --out digest.html")
    found = digest_of(open_store(), window)
    match path.suffix:
        case ".html":
            text = as_html(found, alerts().context)
        case ".json":
            text = json.dumps(as_json(found), indent=2) + "\n"
        case _:
            text = as_markdown(found)
    make_folder(path.absolute().parent)
    path.write_text(text, encoding="utf-8")
    return str(path)
