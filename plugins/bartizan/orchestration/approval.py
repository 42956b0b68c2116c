"""What a person answered when asked whether to apply a plan; whatever is unclear is no approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

APPROVE, REJECT = "Approve", "Reject"


@dataclass(frozen=True)
class Answer:
    """Whether the plan may be applied, and who says so."""

    approved: bool
    by: str


def answer_of(told: Mapping[str, Any] | None, made: datetime, automatic: bool) -> Answer:
    """The answer that Airflow hands on from the task that asked; None if nobody was asked.

    Without an answer plans are applied only where that is `automatic`, also when the task that asks
    was marked as done by hand. A default taken because nobody answered names no user. An answer
    given before the plan was `made` is one to another plan: the task that plans was cleared since.
    """
    if told is None:
        return Answer(automatic, "automatic")
    user = told.get("responded_by_user")
    if not user:
        return Answer(False, "nobody")
    approved = told.get("chosen_options") == [APPROVE] and told["responded_at"] >= made
    return Answer(approved, str(user["name"] or user["id"]))
