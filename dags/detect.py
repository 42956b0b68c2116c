"""### Detect anomalies of a connector

When metrics were crawled: learns once a UTC day from up to 35 days before it, scores every series
of the new intervals (severity 0-100, expected band, direction), groups what is too unusual into
incidents, and explains each with contributions and sample requests.

**Very many series** are learned in shares, by as many workers as there are, where
BARTIZAN_LEARN_SHARE says how many series x intervals one task may learn from. A detector that has
no more has no shares: `plan_learning` learns it, once a day. Without that setting, scoring learns.

Until about 300 intervals were seen the detector is LEARNING: it says so, and a series without
enough history is "not ready", never "normal". A detector that was deactivated
(`bartizan connector deactivate`) is skipped with that reason.

**Again.** Scoring a window again gives the same scores and the same incidents. A share that was
learned is not learned again; one of other metrics than now is never joined.

**By hand.** Give start and end in the form.

There is one DAG per folder in `include/sql/connectors`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import XComArg, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from bartizan import jobs
from bartizan.orchestration.assets import INCIDENTS, metrics_asset
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.windows import announce, run_windows, window_params


def detect_dag(connector: str) -> None:
    @dag(
        dag_id=f"detect_{connector}",
        schedule=[metrics_asset(connector)],
        params=window_params(),
        **dag_settings(Tag.DETECT, __doc__),
    )
    def detect() -> None:
        @task(trigger_rule="none_failed")
        def score_windows(**context: Any) -> dict[str, Any]:
            found = jobs.detect(connector, run_windows(context))
            if found["state"] == "DEACTIVATED":
                raise AirflowSkipException(found["reason"])
            return found

        @task(outlets=[INCIDENTS])
        def explain_incidents(**context: Any) -> list[str]:
            explained = jobs.explain()
            announce(context, INCIDENTS, run_windows(context))
            return explained

        scored = score_windows()
        if jobs.learns_in_shares():
            learn_in_shares(connector) >> scored
        scored >> explain_incidents()

    detect()


def learn_in_shares(connector: str) -> XComArg:
    @task
    def plan_learning(**context: Any) -> list[str]:
        return jobs.plan_learning(connector, run_windows(context))

    @task(map_index_template="{{ task.op_kwargs['share'] }}")
    def learn_share(share: str) -> str:
        return jobs.learn_share(connector, share)

    @task
    def join_shares(shares: list[str]) -> dict[str, Any]:
        return jobs.join_shares(connector, shares)

    shares = plan_learning()
    joined = join_shares(shares)
    learn_share.expand(share=shares) >> joined
    return joined


for name in jobs.connector_names():
    detect_dag(name)
