"""### Answer back: block attackers for a while, in IP sets of AWS WAF

Every hour: looks through the requests of the last day for addresses worth blocking, judges them
(evidence, never-block list, what blocking them would have cost last week) and makes a plan of what
is to change in which IP set. A person approves it under *Required Actions*; what nobody answers
within 50 minutes is not applied, and the next run plans anew. With `BARTIZAN_RESPOND=automatic`
plans are applied within their limits without asking; with `off` none is.

**Off by default.** Without `include/intel.yaml` (or `BARTIZAN_INTEL`) the run skips. A target is in
mode `dry-run` until that file says `count` or `block`: then `apply` only tells what it would do.

**By hand.** Give start and end in the form: the window to look through. `bartizan intel` does the
same, and `bartizan intel undo` takes an apply back. `bartizan intel stop` is the switch that ends
it all; what is blocked still expires (`respond_expire`).

**Again.** A plan is known by its content, an apply by plan and target: neither is made twice. A
plan that was rejected or is older than two hours is not applied, though its task is cleared.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import CronDataIntervalTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from bartizan import jobs
from bartizan.errors import BartizanError
from bartizan.jobs.intel_lines import plan_lines
from bartizan.model.window import format_time, parse_time
from bartizan.orchestration.approval import APPROVE, REJECT, answer_of
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.failed import unless_failed
from bartizan.orchestration.windows import is_by_hand, run_windows, window_params

SHOWN = 1000  # networks of a plan: who approves them sees them


@dag(
    schedule=CronDataIntervalTimetable("40 * * * *", timezone="UTC"),
    params=window_params(),
    **dag_settings(Tag.RESPOND, __doc__),
)
def respond() -> None:
    @task.short_circuit
    def is_configured() -> bool:
        return jobs.intel_enabled()

    @task
    def make_plan(**context: Any) -> dict[str, Any]:
        (window,) = run_windows(context)
        if not is_by_hand(context):
            window = jobs.lookback(window.end)
        plan = jobs.plan_intel(window, "respond", context["dag_run"].run_after)
        changes = sum(len(one["add"]) + len(one["remove"]) for one in plan["changes"])
        text = "\n".join(plan_lines(plan, SHOWN))
        made = format_time(datetime.now(UTC))
        return {"id": plan["id"], "changes": changes, "text": text, "made": made}

    @task.branch
    def who_approves(plan: dict[str, Any]) -> str | None:
        automatic = jobs.intel_automatic()
        if not plan["changes"] or jobs.intel_stopped():
            return None
        return "apply" if automatic else "approve"

    approve = HITLOperator(
        task_id="approve",
        subject="Block these addresses in AWS WAF?",
        body="```\n{{ ti.xcom_pull(task_ids='make_plan')['text'] }}\n```",
        options=[APPROVE, REJECT],
        defaults=REJECT,
        response_timeout=timedelta(minutes=50),
    )

    @task(trigger_rule="none_failed_min_one_success")
    def apply(plan: dict[str, Any], **context: Any) -> dict[str, Any]:
        told = context["ti"].xcom_pull(task_ids="approve")
        answer = answer_of(told, parse_time(plan["made"]), jobs.intel_automatic())
        now = datetime.now(UTC).replace(microsecond=0)  # a person took their time
        if not answer.approved:
            jobs.reject_intel(plan["id"], answer.by, now, "not approved")
            raise AirflowSkipException(f"plan {plan['id']} was not approved, by {answer.by}")
        done = jobs.apply_intel(plan["id"], answer.by, now, dry_run=False)
        return unless_failed(done, BartizanError)

    plan = make_plan()
    chosen = who_approves(plan)
    is_configured() >> plan
    chosen >> approve >> (applied := apply(plan))
    chosen >> applied


respond()
