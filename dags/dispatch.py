"""### Dispatch incidents

When incidents were opened or changed: writes each change at or above its detector's alert threshold
to every channel (Security Hub, SNS, Lambda, EventBridge, Slack, e-mail) and refreshes the HTML
report. In the embedded default a channel is a folder of the outbox with what would be sent.

**Again.** A change goes to a channel once: intent and delivery are rows of the outbox table.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from bartizan import jobs
from bartizan.orchestration.assets import INCIDENTS
from bartizan.orchestration.defaults import Tag, dag_settings


@dag(schedule=[INCIDENTS], **dag_settings(Tag.DISPATCH, __doc__))
def dispatch() -> None:
    @task
    def send_changes() -> dict[str, Any]:
        return jobs.dispatch()

    @task
    def write_report() -> str:
        return jobs.report()

    send_changes() >> write_report()


dispatch()
