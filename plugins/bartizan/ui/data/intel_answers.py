"""Answering the DAG `respond`, which asks whether a plan is to be applied.

The answer is noted here and given to Airflow by the browser, as the person who is signed in. So
Airflow checks their right to answer, and the DAG applies the plan in their name. Nothing is applied
from here: that would be a second way past the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from bartizan.errors import UsageError
from bartizan.store import Store
from bartizan.store.audit import note_asked, note_outcome
from bartizan.ui.data.intel import why_stopped
from bartizan.ui.data.intel_plans import PlanState, known, summary
from bartizan.ui.data.runs import Call

DAG_ID, ASKS = "respond", "approve"


class Option(StrEnum):
    """As the task that asks names them."""

    APPROVE = "Approve"
    REJECT = "Reject"


@dataclass(frozen=True)
class Answered:
    """The call that gives the answer, then the run to watch."""

    call: Call
    dag_id: str
    run_id: str


def answer(
    store: Store, plan_id: str, option: Option, run_id: str, by: str, at: datetime
) -> Answered:
    """Answer the run that asks about a plan. Raises UsageError for a plan that waits no more, and
    for an approval while nothing may be added."""
    plan = summary(store, known(store, plan_id), at)
    number = note_asked(store, at, by, option.value.lower(), f"plan {plan_id}", plan.state.value)
    problem = "" if plan.state is PlanState.WAITS else f"does not wait: {plan.state.value}"
    if option is Option.APPROVE and (stopped := why_stopped(store)):
        problem = problem or f"cannot be applied: {stopped}"
    if problem:
        note_outcome(store, number, f"refused: {problem}")
        raise UsageError(f"plan {plan_id}", problem, "look at the last plan")
    note_outcome(store, number, f"answer to run {run_id}")
    path = f"dags/{DAG_ID}/dagRuns/{quote(run_id, safe='')}/taskInstances/{ASKS}/-1/hitlDetails"
    body = {"chosen_options": [option.value], "params_input": {}}
    return Answered(Call("PATCH", path, body), DAG_ID, run_id)
