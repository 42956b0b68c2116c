"""### Backfill a connector

Runs the connector's query over history, in chunks of a day, and writes the metrics straight under
`<metrics>/<connector>/backtest/`, then learns from them. The rows are the ones that live crawling
would have written. Nothing outside this connector's folder is touched.

**By hand.** Give start and end in the form. `dry_run`, on by default, only counts what would be
written; switch it off to write.

**Again.** A chunk that is there already, with the same bytes, is left alone, so a broken-off
backfill goes on where it stopped.

**Next.** Unpause `crawl_<connector>` and `detect_<connector>` to watch it live.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task

from bartizan import jobs
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.windows import run_windows, window_params


def backfill_dag(connector: str) -> None:
    @dag(
        dag_id=f"backfill_{connector}",
        schedule=None,
        params={
            **window_params(),
            "dry_run": Param(True, type="boolean", description="Count only, write nothing."),
        },
        **dag_settings(Tag.METRICS, __doc__),
    )
    def backfill() -> None:
        @task
        def write_history(**context: Any) -> list[dict[str, Any]]:
            dry_run = context["params"]["dry_run"]
            return [jobs.backfill(connector, w, dry_run) for w in run_windows(context)]

        @task.short_circuit
        def is_written(**context: Any) -> bool:
            return not context["params"]["dry_run"]

        @task
        def learn(**context: Any) -> dict[str, Any]:
            return jobs.learn(connector, run_windows(context)[-1].end)

        write_history() >> is_written() >> learn()

    backfill()


for name in jobs.connector_names():
    backfill_dag(name)
