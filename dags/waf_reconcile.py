"""### Reconcile landed requests with AWS WAF's counters

Once a day: compares, web ACL by web ACL and hour by hour, how many requests are in `waf.requests`
with how many AWS WAF counted (CloudWatch, AWS/WAFV2: allowed, blocked, captcha, challenge). The
verdicts are rows of the store and a section of `bartizan status`.

**Off by default.** It asks AWS, so it does so only where `BARTIZAN_RECONCILE=cloudwatch` is set;
elsewhere the run skips. It reads and never writes: `cloudwatch:GetMetricData`, `wafv2:GetWebACL`
if allowed, `sts:AssumeRole` if `BARTIZAN_RECONCILE_ROLE` is set.

**Window.** A scheduled run compares the day until 01:00 UTC and, once more, the 25 hours before it,
where records may have landed late. Hours after 01:00 wait for their logs, until the next run. By
hand, give start and end in the form.

**Again.** A window compared again replaces its verdicts: so records that landed late count.

**Failures.** An account that cannot be asked fails the run after all others were compared.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

from bartizan import jobs
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.windows import run_windows, window_params


@dag(
    schedule=CronDataIntervalTimetable("30 4 * * *", timezone="UTC"),
    params=window_params(),
    **dag_settings(Tag.LAND, __doc__),
)
def waf_reconcile() -> None:
    @task.short_circuit
    def is_configured() -> bool:
        return jobs.reconcile_enabled()

    @task
    def compare_counts(**context: Any) -> dict[str, int]:
        return jobs.reconcile_windows(run_windows(context))

    is_configured() >> compare_counts()


waf_reconcile()
