"""Where this installation keeps things: parsed once from the environment into a frozen object.

BARTIZAN_HOME      folder of everything below unless set apart   (default: ./var)
BARTIZAN_SOURCE    raw WAF logs, a folder or s3:// prefix        (default: <home>/raw)
BARTIZAN_LAKE      Iceberg catalog and tables                    (default: <home>/lake)
BARTIZAN_METRICS   metric files on Lookout for Metrics paths     (default: <home>/metrics)
BARTIZAN_OUTBOX    what dispatch would send, one file a channel  (default: <home>/outbox)
BARTIZAN_ALERTS    channels and rules, docs/channels.md; empty: none (default: include/alerts.yaml)
BARTIZAN_STORE     SQLAlchemy URL of the relational store        (default: SQLite in the lake)
BARTIZAN_SQL       folder of aggregates and connectors           (default: include/sql)
BARTIZAN_MIRROR    s3:// prefix that mirrors the lake, with Glue (default: none)
BARTIZAN_MIRROR_PREFIX  what its Glue databases begin with       (default: nothing)

BARTIZAN_LATE      how far back waf_land lists for late objects, and crawls of other sources
                   than the lake look for late rows              (default: PT25H)
BARTIZAN_LATEST_REOPEN  how late a request still opens its hour, 0: always  (default: P35D)
BARTIZAN_LEARN_SHARE  series x intervals of history that one task learns from; 0: scoring learns
                   by itself, all of it                          (default: 0)

Read where they are used: BARTIZAN_SECRET_HEADERS, BARTIZAN_SECRET_ARGUMENTS and BARTIZAN_HASH_KEY
(land/redact.py), BARTIZAN_RECONCILE and others that begin so (reconcile/options.py),
BARTIZAN_RETENTION (lake/retention.py), BARTIZAN_SECRET_<NAME> of channels (dispatch/secrets.py),
BARTIZAN_PLAYBOOKS (dispatch/playbooks.py), BARTIZAN_INTEL and BARTIZAN_RESPOND (jobs/intel.py),
BARTIZAN_SHARING (jobs/intel_sharing.py), BARTIZAN_ALERTS_IN_PLACE (jobs/alert_rules.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from upath import UPath

from bartizan.errors import UsageError
from bartizan.model.window import parse_duration

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
    alerts: Path | None
    late: timedelta
    latest_reopen: timedelta | None
    learn_share: int
    mirror: str | None
    mirror_prefix: str

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        home = local_folder("BARTIZAN_HOME", env.get("BARTIZAN_HOME", "var"))
        lake = local_folder("BARTIZAN_LAKE", env.get("BARTIZAN_LAKE", str(home / "lake")))
        return cls(
            home=home,
            source=_place("BARTIZAN_SOURCE", env.get("BARTIZAN_SOURCE", str(home / "raw"))),
            lake=lake,
            metrics=_place("BARTIZAN_METRICS", env.get("BARTIZAN_METRICS", str(home / "metrics"))),
            outbox=_place("BARTIZAN_OUTBOX", env.get("BARTIZAN_OUTBOX", str(home / "outbox"))),
            store_url=env.get("BARTIZAN_STORE", store_in(lake)),
            sql=Path(env.get("BARTIZAN_SQL", str(PROJECT / "include" / "sql"))),
            alerts=_alerts(env),
            late=_duration(env, "BARTIZAN_LATE", "PT25H"),
            latest_reopen=_duration(env, "BARTIZAN_LATEST_REOPEN", "P35D") or None,
            learn_share=_whole(env, "BARTIZAN_LEARN_SHARE", "0"),
            mirror=env.get("BARTIZAN_MIRROR") or None,
            mirror_prefix=env.get("BARTIZAN_MIRROR_PREFIX", ""),
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


def _place(name: str, value: str) -> UPath:
    """A folder or an s3:// prefix. Raises UsageError for anything else."""
    scheme, _, rest = value.rpartition("://")
    if scheme not in ("", "file", "s3") or (scheme == "s3" and not rest.strip("/")):
        raise UsageError(
            name, f"{value!r} is neither a folder nor s3://bucket/prefix", "correct it"
        )
    return UPath(value)


def _alerts(env: Mapping[str, str]) -> Path | None:
    """The file named, which must be there then, or the usual one where it is; empty: none."""
    if (named := env.get("BARTIZAN_ALERTS")) is not None:
        return Path(named) if named else None
    usual = PROJECT / "include" / "alerts.yaml"
    return usual if usual.is_file() else None


def _duration(env: Mapping[str, str], name: str, usual: str) -> timedelta:
    """An ISO 8601 duration, or 0. Raises UsageError for any other text."""
    text = env.get(name, usual)
    try:
        return timedelta() if text == "0" else parse_duration(text)
    except UsageError as error:
        raise UsageError(name, f"{text!r} is no duration", f"write {usual}, or 0") from error


def _whole(env: Mapping[str, str], name: str, usual: str) -> int:
    """A whole number. Raises UsageError for any other text."""
    text = env.get(name, usual)
    if not (text.isascii() and text.isdigit()):
        raise UsageError(name, f"{text!r} is no whole number", f"write {usual}")
    return int(text)


def make_folder(path: Path) -> None:
    """Create a folder and those above it. Raises UsageError when that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            str(path), f"cannot be created ({error.strerror})", "choose another BARTIZAN_HOME"
        ) from error
