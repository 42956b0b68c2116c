"""### Crawl a connector

Runs the connector's one query over each window whose aggregates changed and writes the metrics to
`<metrics>/<connector>/live/yyyyMMdd/HHmm/`, one folder per interval, named by the interval's start,
with a `_manifest.json` that says how many rows there were. The layout is that of Amazon Lookout for
Metrics, so what read those folders reads these.

A connector over the lake runs when aggregates changed, one over another engine every hour, 20
minutes past it. One whose files others write looks every hour which intervals have come. Both look
back by `BARTIZAN_LATE` for intervals that an earlier run missed or came too early for.

**Again.** Crawling a window again writes the same bytes; unchanged intervals are left alone.
Intervals that `backfill_<connector>` has written are history and are left out.

**By hand.** Give start and end in the form.

There is one DAG per folder in `include/sql/connectors`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

from bartizan import jobs
from bartizan.orchestration.assets import WAF_AGGREGATES, metrics_asset
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.windows import announce, is_by_hand, run_windows, window_params

HOURLY = CronDataIntervalTimetable("20 * * * *", timezone="UTC")


def crawl_dag(connector: str) -> None:
    @dag(
        dag_id=f"crawl_{connector}",
        schedule=[WAF_AGGREGATES] if jobs.feed_of(connector) is jobs.Feed.LAKE else HOURLY,
        params=window_params(),
        **dag_settings(Tag.METRICS, __doc__),
    )
    def crawl() -> None:
        @task(outlets=[metrics_asset(connector)])
        def write_intervals(**context: Any) -> int:
            crawled = jobs.crawl(connector, run_windows(context), not is_by_hand(context))
            announce(context, metrics_asset(connector), crawled.windows)
            return crawled.intervals

        write_intervals()

    crawl()


for name in jobs.connector_names():
    crawl_dag(name)
