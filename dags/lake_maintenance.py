"""### Keep the lake healthy

Every night at 03:40: takes the days out that `BARTIZAN_RETENTION` no longer keeps (without that
setting all are kept), deletes files that nobody has needed for a day, and merges small files into
large ones, sorted for the queries that follow.

**Safe under readers and writers.** No row is changed; each table or partition is one atomic commit,
and a file that was replaced stays on disk for 24 hours. Files of batches that are not
published yet are never touched; while one is half published, `compact` fails and says which, and
the next `waf_land` mends it.

**By hand.** `bartizan lake expire`, `sweep` and `compact` tell what would be done; `--yes` does it.

**Again.** Each task finds what is left to do; a second run finds nothing.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

from bartizan import jobs
from bartizan.orchestration.defaults import Tag, dag_settings


@dag(
    schedule=CronDataIntervalTimetable("40 3 * * *", timezone="UTC"),
    **dag_settings(Tag.LAND, __doc__),
)
def lake_maintenance() -> None:
    @task
    def expire(**context: Any) -> list[dict[str, Any]]:
        return jobs.expire_lake(context["dag_run"].run_after, dry_run=False)

    @task
    def sweep(**context: Any) -> list[dict[str, Any]]:
        return jobs.sweep_lake(context["dag_run"].run_after, dry_run=False, list_files=False)

    @task
    def compact() -> list[dict[str, Any]]:
        return jobs.compact_lake(dry_run=False)

    expire() >> sweep() >> compact()


lake_maintenance()
