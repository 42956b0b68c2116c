"""What one call to the Data API started, and running it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from aws_sql.redshift_dialect import Refused
from aws_sql.redshift_session import RedshiftSession

RUNNING = ("SUBMITTED", "PICKED", "STARTED")


@dataclass
class Part:
    """One statement of a batch, or the only one."""

    sql: str
    status: str = "SUBMITTED"
    error: str = ""
    rows: pa.Table | None = None
    count: int = -1
    seconds: float = 0.0


@dataclass
class Started:
    """What a call started: statements that run one after the other in one session."""

    id: str
    request: dict[str, Any]
    parts: list[Part]
    batch: bool
    session: RedshiftSession
    created: float = field(default_factory=time.time)
    status: str = "SUBMITTED"
    error: str = ""
    ended: threading.Event = field(default_factory=threading.Event)


def run(started: Started) -> None:
    """Runs the parts in one transaction, in a thread of its own."""
    started.status = "STARTED"
    parameters = {entry["name"]: entry["value"] for entry in started.request.get("Parameters", [])}
    status, error = "FINISHED", ""
    try:
        started.session.begin()
        for number, part in enumerate(started.parts, start=1):
            error = _run_part(started, part, parameters)
            if error:
                status = "FAILED"
                error = f"Query #{number} failed with {error}" if started.batch else error
                break
        else:
            started.session.commit()
    except duckdb.InterruptException:
        status, error = "ABORTED", "Query cancelled on user's request"
    finally:
        started.session.close()
    started.error, started.status = error, status
    started.ended.set()


def _run_part(started: Started, part: Part, parameters: dict[str, str]) -> str:
    """Runs one statement; its error, or nothing."""
    part.status, begun = "STARTED", time.monotonic()
    try:
        part.rows, part.count = started.session.run(part.sql, parameters)
        part.status = "FINISHED"
    except Refused as refused:
        part.status, part.error = "FAILED", f"ERROR: {refused}"
    except duckdb.InterruptException:
        part.status = "ABORTED"
        raise
    finally:
        part.seconds = time.monotonic() - begun
    return part.error
