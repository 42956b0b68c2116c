"""Telling of a deploy in the page, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bartizan import jobs
from bartizan.model.text import inert
from bartizan.store import Store
from bartizan.ui.data.audited import audited


def mark(
    store: Store, by: str, now: datetime, at: datetime, what: str, detector: str, webacl: str
) -> dict[str, Any]:
    """Keep it; returns what the job returns, and raises as it does."""
    return audited(
        store,
        now,
        by,
        "mark",
        "deploy",
        None,
        lambda: jobs.mark_deploy(at, what, by, detector, webacl),
        lambda done: done,
    )


def unmark(store: Store, by: str, now: datetime, deploy_id: str) -> dict[str, Any]:
    """Forget it; what it was stays in the audit."""
    return audited(
        store,
        now,
        by,
        "unmark",
        f"deploy {inert(deploy_id)[:64]}",
        None,
        lambda: jobs.remove_deploy(deploy_id),
        lambda done: done,
    )
