"""What every DAG has in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

START_DATE = datetime(2026, 1, 1, tzinfo=UTC)


class Tag(StrEnum):
    """What a DAG is about; every DAG carries `bartizan` and one more."""

    BARTIZAN = "bartizan"
    LAND = "land"
    AGGREGATE = "aggregate"
    METRICS = "metrics"
    DETECT = "detect"
    DISPATCH = "dispatch"
    RESPOND = "respond"
    DEMO = "demo"


def dag_settings(tag: Tag, doc: str | None, **overrides: Any) -> dict[str, Any]:
    """Keyword arguments for `@dag`: one run at a time, two retries, a time limit, tags, doc."""
    return {
        "start_date": START_DATE,
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": timedelta(hours=6),
        "default_args": {
            "owner": "bartizan",
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "execution_timeout": timedelta(hours=2),
        },
        "tags": [Tag.BARTIZAN, tag],
        "doc_md": doc,
        **overrides,
    }
