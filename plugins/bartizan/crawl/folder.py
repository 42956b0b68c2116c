"""Writes the folder of a new connector: its files as text, never over anything that is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bartizan.errors import UsageError
from bartizan.model.connector import NAME

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED = frozenset({"timestamp", "group", "order", "user", "limit", "end", "select", "from"})


def create(connectors: Path, name: str, description: str, query: str | None) -> Path:
    """Write `connectors/<name>` with connector.yaml and, if any, query.sql; returns the folder.

    Raises UsageError for a name that is unfit for a folder and DAG ids, or taken.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            "name", f"{name!r} is no connector name", "use 1-63 letters, digits, - and _"
        )
    if not connectors.is_dir():
        raise UsageError(
            "connectors", f"{connectors} is not a folder", "set BARTIZAN_SQL to include/sql"
        )
    folder = connectors / name
    try:
        folder.mkdir()
    except FileExistsError as error:
        raise UsageError(
            "name", f"{folder} is there already", "choose another name; nothing was changed"
        ) from error
    # connector.yaml makes the folder a connector, so it comes last.
    if query is not None:
        (folder / "query.sql").write_text(query, encoding="utf-8")
    (folder / "connector.yaml").write_text(description, encoding="utf-8")
    return folder


def flow(value: Any) -> str:
    """A value as YAML on one line, quoted where it must be."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.strip().removesuffix("...").strip()


def identifier(name: str) -> str:
    """A column's name in SQL, quoted where it must be."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'
