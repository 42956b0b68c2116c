"""### Dispatch incidents

When incidents were opened or changed, and every ten minutes for what is to be tried again: tells
the channels of `include/alerts.yaml` (Security Hub, SNS, Lambda, EventBridge, Slack, e-mail,
webhook, PagerDuty, export) of each change that its rules let through, and refreshes the HTML
report. Without the file a channel is a folder of the outbox with what would be sent.

What waits, escalates or is snoozed is looked at again every time, digests go out when they are due,
and trouble with Bartizan itself (late logs, given-up messages, failed detectors) is an incident.

Before that, the status and note that people set on findings in Security Hub are read: they count as
acknowledgement, and as feedback where the note says so.

Secrets come from `BARTIZAN_SECRET_<NAME>` or the password of Airflow's `bartizan_<name>`.
A message that is given up fails `send_changes`; `bartizan outbox list --state dead` says why.

**Again.** A change goes to a channel once: intents, attempts and receipts are rows of the outbox.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from bartizan import jobs
from bartizan.orchestration.assets import INCIDENTS
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.secrets import password

WHEN = AssetOrTimeSchedule(
    timetable=CronTriggerTimetable("*/10 * * * *", timezone="UTC"), assets=[INCIDENTS]
)


@dag(schedule=WHEN, **dag_settings(Tag.DISPATCH, __doc__))
def dispatch() -> None:
    @task
    def read_hub() -> list[dict[str, Any]]:
        # What stands there now is said now, after what people did here since the run began; a run
        # that is repeated reads what stands there by then.
        return jobs.read_hub(datetime.now(UTC).replace(microsecond=0), password)

    @task(trigger_rule="all_done")
    def send_changes() -> dict[str, Any]:
        done = jobs.dispatch(password)
        if done["dead"]:
            raise AirflowFailException(f"messages given up: {done['dead']}")
        return done

    @task(trigger_rule="all_done")
    def write_report(**context: Any) -> str:
        if context["dag_run"].run_type == "scheduled":
            raise AirflowSkipException("nothing changed: this run tries again what did not arrive")
        return jobs.report()

    read_hub() >> send_changes() >> write_report()


dispatch()
