"""Where this installation keeps things: parsed once from the environment into a frozen object.

BARTIZAN_HOME      folder of everything below unless set apart   (default: ./var)
BARTIZAN_SOURCE    raw WAF logs, a folder or s3:// prefix        (default: <home>/raw)
BARTIZAN_LAKE      Iceberg catalog and tables                    (default: <home>/lake)
BARTIZAN_METRICS   metric files on Lookout for Metrics paths     (default: <home>/metrics)
BARTIZAN_OUTBOX    what dispatch would send, one file a channel  (default: <home>/outbox)
BARTIZAN_STORE     SQLAlchemy URL of the relational store        (default: SQLite in the lake)
BARTIZAN_SQL       folder of aggregates and connectors           (default: include/sql)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from bartizan.errors import UsageError

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    home: Path
    source: UPath
    lake: Path
    metrics: UPath
    outbox: UPath
    store_url: str
    sql: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        home = local_folder("BARTIZAN_HOME", env.get("BARTIZAN_HOME", "var"))
        lake = local_folder("BARTIZAN_LAKE", env.get("BARTIZAN_LAKE", str(home / "lake")))
        return cls(
            home=home,
            source=UPath(env.get("BARTIZAN_SOURCE", str(home / "raw"))),
            lake=lake,
            metrics=UPath(env.get("BARTIZAN_METRICS", str(home / "metrics"))),
            outbox=UPath(env.get("BARTIZAN_OUTBOX", str(home / "outbox"))),
            store_url=env.get("BARTIZAN_STORE", store_in(lake)),
            sql=Path(env.get("BARTIZAN_SQL", str(PROJECT / "include" / "sql"))),
        )


def store_in(lake: Path) -> str:
    """URL of the embedded store that lives in a lake folder."""
    return f"sqlite:///{lake / 'store.db'}"


def local_folder(name: str, value: str) -> Path:
    """A local folder from a path or file:// URI. Raises UsageError for other schemes."""
    if "://" in value and not value.startswith("file://"):
        raise UsageError(
            name,
            f"{value!r} is not a local folder",
            "it must be on a local disk; give a path or file:// URI",
        )
    return Path(value.removeprefix("file://")).absolute()


def make_folder(path: Path) -> None:
    """Create a folder and those above it. Raises UsageError when that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            str(path), f"cannot be created ({error.strerror})", "choose another BARTIZAN_HOME"
        ) from error
