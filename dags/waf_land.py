"""### Land AWS WAF logs

Every hour, at twenty past: lists the log objects that were delivered, decodes them, checks the
result with Great Expectations and publishes it to `waf.requests` and `waf.rule_hits` in one atomic
commit a batch. What cannot be read goes to `waf.quarantine` with object, byte offset and reason; a
batch that fails its checks stays invisible, and the run fails and says why, after the others were
published.

**Window.** A scheduled run lands the hour that ended twenty minutes ago (WAF delivers within about
fifteen) and whatever else appeared in the folders of the 25 hours before. By hand, give start and
end in the form; for many hours use
`airflow backfill create --dag-id waf_land --from-date … --to-date …`.

**Again.** Landing a window again lands nothing twice: objects are known by name and version,
records by their key. An object that changed after it was landed is quarantined, not read. After a
failure, run any window again: batches that are not published yet are always continued, rejected
ones when `retry_rejected` is on.

**Next.** The changed hours go to `waf_aggregate` with the asset `waf_requests`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task

from bartizan import jobs
from bartizan.orchestration.assets import WAF_REQUESTS
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.upstream import returned
from bartizan.orchestration.windows import announce, run_windows, window_params


@dag(
    schedule=CronDataIntervalTimetable("20 * * * *", timezone="UTC"),
    params={
        **window_params(),
        "retry_rejected": Param(
            False, type="boolean", description="Stage and check rejected batches once more."
        ),
    },
    **dag_settings(Tag.LAND, __doc__),
)
def waf_land() -> None:
    @task
    def plan_batches(**context: Any) -> list[str]:
        return jobs.plan_landing(run_windows(context), context["params"]["retry_rejected"])

    @task(map_index_template="{{ task.op_kwargs['batch_id'] }}")
    def stage_batch(batch_id: str) -> dict[str, Any]:
        return jobs.stage_batch(batch_id)

    @task(trigger_rule="all_done")
    def validate_batches(batch_ids: list[str] | None) -> list[dict[str, Any]]:
        return jobs.validate_batches(returned(batch_ids, "plan_batches"))

    @task(outlets=[WAF_REQUESTS])
    def publish_batches(batch_ids: list[str], **context: Any) -> None:
        announce(context, WAF_REQUESTS, jobs.publish_batches(batch_ids, run_windows(context)))

    @task(trigger_rule="all_done", retries=0)
    def confirm_published(batch_ids: list[str] | None) -> int:
        return jobs.confirm_published(returned(batch_ids, "plan_batches"))

    batch_ids = plan_batches()
    validated = validate_batches(batch_ids)
    stage_batch.expand(batch_id=batch_ids) >> validated
    validated >> publish_batches(batch_ids) >> confirm_published(batch_ids)


waf_land()
