"""### Rebuild aggregates

When requests were landed: rebuilds every table of `include/sql/aggregates` for all hours that
changed since they were built, whichever event told of them, runs the table's checks, and replaces
exactly those hours in one atomic commit a table. An hour is built once for one change: a run
without changes does nothing.

**By hand.** Give start and end in the form; `force` rebuilds hours that did not change, for
instance after a query was edited.

**Next.** The same windows go to the crawls with the asset `waf_aggregates`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task

from bartizan import jobs
from bartizan.model.window import merged
from bartizan.orchestration.assets import WAF_AGGREGATES, WAF_REQUESTS
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.windows import announce, is_by_hand, run_windows, window_params


@dag(
    schedule=[WAF_REQUESTS],
    params={
        **window_params(),
        "force": Param(False, type="boolean", description="Rebuild hours that did not change too."),
    },
    **dag_settings(Tag.AGGREGATE, __doc__),
)
def waf_aggregate() -> None:
    @task(outlets=[WAF_AGGREGATES])
    def build_tables(**context: Any) -> None:
        windows, by_hand = run_windows(context), is_by_hand(context)
        built = jobs.aggregate(windows if by_hand else None, force=context["params"]["force"])
        changed = [window for result in built for window in result.windows]
        announce(context, WAF_AGGREGATES, merged([*windows, *changed]))

    build_tables()


waf_aggregate()
