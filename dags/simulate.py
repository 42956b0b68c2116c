"""### Simulate WAF traffic

Writes WAF logs with labelled attacks into the source folder, in AWS's own record format and object
layout, so that everything else can be tried without an AWS account. The same plan always writes the
same bytes; days that are there already are left alone.

**By hand.** Choose start, days, records a day and seed in the form. Attacks fall on the last day.

**Next.** Trigger `waf_land` for the simulated window.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task

from bartizan import jobs
from bartizan.orchestration.assets import RAW_LOGS
from bartizan.orchestration.defaults import Tag, dag_settings


@dag(
    schedule=None,
    params={
        "start": Param(
            "2026-11-01", type="string", format="date", description="First simulated UTC day."
        ),
        "days": Param(16, type="integer", minimum=1, maximum=400, description="How many days."),
        "records_per_day": Param(
            70_000, type="integer", minimum=1_000, description="Over all web ACLs, before attacks."
        ),
        "seed": Param(1, type="integer", description="Another seed, another traffic."),
    },
    **dag_settings(Tag.DEMO, __doc__),
)
def simulate() -> None:
    @task
    def plan_days(params: dict[str, Any]) -> list[str]:
        return jobs.plan_simulation(**params)

    @task(map_index_template="{{ task.op_kwargs['day'] }}")
    def write_day(day: str, params: dict[str, Any]) -> dict[str, Any]:
        return jobs.simulate_day(day, **params)

    @task(outlets=[RAW_LOGS])
    def write_labels(params: dict[str, Any]) -> int:
        return jobs.write_labels(**params)

    write_day.expand(day=plan_days()) >> write_labels()


simulate()
