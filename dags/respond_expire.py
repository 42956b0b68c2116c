"""### Let blocked addresses go

Every ten minutes: takes out of the IP sets what Bartizan put there and whose time is over. It needs
the store and AWS WAF, nothing else: neither the lake, nor `include/intel.yaml`, nor a healthy
`respond`, and the switch (`bartizan intel stop`, `BARTIZAN_RESPOND=off`) does not hold it up.
Addresses that others put into a set are never touched.

**Failures.** A set that cannot be changed fails the run after all others were seen to.

**By hand.** `bartizan intel expire` tells what is due; `--yes` does it.

**Again.** What is gone is gone: a second run finds nothing.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task

from bartizan import jobs
from bartizan.errors import TransientError
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.failed import unless_failed


@dag(
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
    **dag_settings(Tag.RESPOND, __doc__),
)
def respond_expire() -> None:
    @task
    def expire(**context: Any) -> dict[str, Any]:
        done = jobs.expire_intel("respond_expire", context["dag_run"].run_after, dry_run=False)
        return unless_failed(done, TransientError)

    expire()


respond_expire()
