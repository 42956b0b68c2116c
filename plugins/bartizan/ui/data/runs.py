"""Runs of Airflow that a person asks for: checked and noted here, started by Airflow itself.

The browser sends the calls to Airflow's own API as the person who is signed in. So Airflow checks
their right to each DAG, and its own log names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bartizan import jobs
from bartizan.errors import UsageError
from bartizan.model.ids import stable_uuid
from bartizan.model.window import Window, format_time
from bartizan.store import Store
from bartizan.store.audit import note_asked, note_outcome
from bartizan.store.detectors import load_detector
from bartizan.ui.data.audited import audited


@dataclass(frozen=True)
class Call:
    """A call of Airflow's API, the path below `/api/v2/`."""

    method: str
    path: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """Calls to make in order; then the run to watch, empty without one."""

    calls: tuple[Call, ...]
    dag_id: str
    run_id: str
    text: str


def ask_backfill(
    store: Store, name: str, window: Window, dry_run: bool, backtest: bool, by: str, at: datetime
) -> Asked:
    """Run `backfill_<name>` over a window. Raises UsageError for a connector without history."""
    if jobs.load_connector(name).source is not None:
        raise UsageError(f"backfill {name}", "its files are written by others", "run detect")
    if window.end > at:
        raise UsageError("window", f"{window} is not over", "end it in the past")
    dag_id = f"backfill_{name}"
    conf = {**window.as_json(), "dry_run": dry_run, "backtest": backtest}
    run_id = f"dashboard__{format_time(at)}__{stable_uuid(dag_id, by, at)[:8]}"
    number = note_asked(store, at, by, "backfill", f"detector {name}", None)
    note_outcome(store, number, f"run {run_id}", conf)
    body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
    calls = (_unpaused(dag_id), Call("POST", f"dags/{dag_id}/dagRuns", body))
    return Asked(calls, dag_id, run_id, "Counting" if dry_run else "Backfilling")


def ask_promote(store: Store, name: str, by: str, at: datetime) -> Asked:
    """Watch live from now on: activate the detector, and have its two DAGs run."""
    _set_active(store, name, True, "promote", by, at)
    calls = (_unpaused(f"crawl_{name}"), _unpaused(f"detect_{name}"))
    return Asked(calls, "", "", f"{name} watches live from now on.")


def deactivate(store: Store, name: str, by: str, at: datetime) -> Asked:
    """Score nothing more; what was learned is kept, and metrics are crawled on."""
    _set_active(store, name, False, "deactivate", by, at)
    return Asked((), "", "", f"{name} scores nothing from now on.")


def _set_active(store: Store, name: str, active: bool, action: str, by: str, at: datetime) -> None:
    before = load_detector(store, jobs.load_connector(name).name).state.value
    audited(
        store,
        at,
        by,
        action,
        f"detector {name}",
        before,
        lambda: jobs.set_active(name, active),
        lambda record: record["state"],
    )


def _unpaused(dag_id: str) -> Call:
    return Call("PATCH", f"dags/{dag_id}", {"is_paused": False})
