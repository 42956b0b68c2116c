"""### Backfill a connector

Runs the connector's query over history, in chunks of a day, and writes the metrics straight under
`<metrics>/<connector>/backtest/`, then learns from them. The rows are the ones that live crawling
would have written. Nothing outside this connector's folder is touched.

**By hand.** Give start and end in the form. `dry_run`, on by default, only counts the chunks and
what their queries would read at most; switch it off to write.

**Again.** A chunk that is there, made by the same query from the same data, is not queried again,
so a broken-off backfill goes on where it stopped. `force` queries all of them; equal bytes stay.

**Before it goes live.** `backtest` goes through the history as live afterwards, and writes a report
of what would have fired at each threshold into `report/backtest_<connector>`.

**Next.** Unpause `crawl_<connector>` and `detect_<connector>` to watch it live.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from bartizan import jobs
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.windows import run_windows, window_params

log = logging.getLogger(__name__)


def log_chunks(done: int, total: int) -> None:
    log.info("%d of %d chunks", done, total)


def log_days(done: int, total: int) -> None:
    log.info("%d of %d days scored", done, total)


def backfill_dag(connector: str) -> None:
    @dag(
        dag_id=f"backfill_{connector}",
        schedule=None,
        params={
            **window_params(),
            "dry_run": Param(True, type="boolean", description="Count only, write nothing."),
            "force": Param(False, type="boolean", description="Query chunks that are there, too."),
            "backtest": Param(False, type="boolean", description="Report what would have fired."),
            "parallel": Param(1, type="integer", minimum=1, description="Queries at a time."),
        },
        **dag_settings(Tag.METRICS, __doc__),
    )
    def backfill() -> None:
        @task
        def write_history(**context: Any) -> list[dict[str, Any]]:
            options = {key: context["params"][key] for key in ("dry_run", "force", "parallel")}
            return [
                jobs.backfill(connector, window, on_progress=log_chunks, **options)
                for window in run_windows(context)
            ]

        @task.short_circuit
        def is_written(**context: Any) -> bool:
            return not context["params"]["dry_run"]

        @task
        def learn(**context: Any) -> dict[str, Any]:
            return jobs.learn(connector, run_windows(context)[-1].end)

        @task
        def backtest(**context: Any) -> dict[str, Any]:
            if not context["params"]["backtest"]:
                raise AirflowSkipException("not asked for: backtest is off")
            found = jobs.backtest(connector, on_progress=log_days)
            return {key: found[key] for key in ("folder", "learned", "scored", "state")}

        write_history() >> is_written() >> learn() >> backtest()

    backfill()


for name in jobs.connector_names():
    if jobs.feed_of(name) is not jobs.Feed.FILES:
        backfill_dag(name)
