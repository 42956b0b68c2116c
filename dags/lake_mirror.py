"""### Mirror the lake on S3 and AWS Glue

When requests were landed or aggregates rebuilt: copies what is committed in the lake to
`BARTIZAN_MIRROR` (`s3://bucket/prefix/`), as Iceberg tables in Glue that Athena and Redshift read.
Files that are new here are uploaded, then one commit a table adds them and takes out those that are
gone here. Then old snapshots of the mirror are forgotten, and its objects deleted that no snapshot
of the last 24 hours needs.

**Off by default.** Where `BARTIZAN_MIRROR` is not set the run skips, and its log says so.

**Safe under readers and writers.** A reader sees a snapshot of the lake at any moment. Nothing is
written to a Glue table, and nothing deleted, that this mirror did not write: it fails and names it.

**By hand.** `bartizan lake mirror` tells what would be done; `--yes` does it.

**Again.** A run that was killed is ended by the next; without changes nothing is uploaded.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import dag, task

from bartizan import jobs
from bartizan.orchestration.assets import WAF_AGGREGATES, WAF_REQUESTS
from bartizan.orchestration.defaults import Tag, dag_settings

log = logging.getLogger(__name__)


@dag(schedule=WAF_REQUESTS | WAF_AGGREGATES, **dag_settings(Tag.LAND, __doc__))
def lake_mirror() -> None:
    @task.short_circuit
    def is_configured() -> bool:
        if not jobs.mirror_enabled():
            log.info("BARTIZAN_MIRROR is not set: there is no mirror")
        return jobs.mirror_enabled()

    @task
    def mirror() -> list[dict[str, Any]]:
        return jobs.mirror_lake(dry_run=False)

    @task
    def sweep(**context: Any) -> list[dict[str, Any]]:
        return jobs.sweep_mirror(context["dag_run"].run_after, dry_run=False, list_files=False)

    is_configured() >> mirror() >> sweep()


lake_mirror()
