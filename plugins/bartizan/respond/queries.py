"""The queries of `include/sql/intel`: one folder each, answering rows about clients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from bartizan.engines import Engine
from bartizan.errors import ConfigError
from bartizan.model.window import Window


def client_rows(
    engine: Engine, window: Window, folder: Path, given: Mapping[str, pa.Table] | None = None
) -> list[dict[str, Any]]:
    """`clients` as dicts."""
    rows: list[dict[str, Any]] = clients(engine, window, folder, given).to_pylist()
    return rows


def clients(
    engine: Engine, window: Window, folder: Path, given: Mapping[str, pa.Table] | None = None
) -> pa.Table:
    """What the query of a folder answers: `client_ip` and more.

    The engine's own `query.<engine>.sql` is taken before `query.sql`. Raises ConfigError naming the
    file for a query that is missing, fails or answers no `client_ip`.
    """
    own = folder / f"query.{engine.name}.sql"
    path = own if own.exists() else folder / "query.sql"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}", "restore it") from error
    rows = engine.query(text, window, str(path), given)
    if "client_ip" not in rows.column_names:
        raise ConfigError(str(path), "answers no column client_ip", "select it")
    return rows
