"""What the tasks before one returned, for tasks that run although one of those failed."""

from __future__ import annotations

from typing import TypeVar

from airflow.sdk.exceptions import AirflowFailException

T = TypeVar("T")


def returned(value: T | None, task_id: str) -> T:
    """The value that the task `task_id` returned.

    When it failed there is none; then this task fails too, at once, and points to the other's log.
    """
    if value is None:
        raise AirflowFailException(f"{task_id} failed: its own log names the cause")
    return value
