"""### Land AWS WAF logs

Every hour: lists the log objects that were delivered, decodes them, checks the result with Great
Expectations and publishes it to `waf.requests` and `waf.rule_hits` in one atomic commit a batch.
What cannot be read goes to `waf.quarantine` with object, byte offset and reason; a batch that fails
its checks stays invisible, and the run fails and says why.

**Window.** A scheduled run lands what was delivered in its hour. By hand, give start and end in the
form; for many hours use `airflow backfill create --dag-id waf_land --from-date … --to-date …`.

**Again.** Landing a window again lands nothing twice: objects are known by name and version,
records by their key. After a failure, clear the failed task, or run any window again: batches that
are not published yet are always continued.

**Next.** The changed hours go to `waf_aggregate` with the asset `waf_requests`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

from bartizan import jobs
from bartizan.orchestration.assets import WAF_REQUESTS
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.windows import announce, run_windows, window_params


@dag(
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    params=window_params(),
    **dag_settings(Tag.LAND, __doc__),
)
def waf_land() -> None:
    @task
    def plan_batches(**context: Any) -> list[str]:
        return jobs.plan_landing(run_windows(context))

    @task(map_index_template="{{ task.op_kwargs['batch_id'] }}")
    def stage_batch(batch_id: str) -> dict[str, Any]:
        return jobs.stage_batch(batch_id)

    @task(trigger_rule="none_failed")
    def validate_batches(batch_ids: list[str]) -> list[dict[str, Any]]:
        return jobs.validate_batches(batch_ids)

    @task(outlets=[WAF_REQUESTS], trigger_rule="none_failed")
    def publish_batches(batch_ids: list[str], **context: Any) -> None:
        announce(context, WAF_REQUESTS, jobs.publish_batches(batch_ids, run_windows(context)))

    batch_ids = plan_batches()
    staged = stage_batch.expand(batch_id=batch_ids)
    validated = validate_batches(batch_ids)
    staged >> validated >> publish_batches(batch_ids)


waf_land()
