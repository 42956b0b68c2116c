"""### Share whom we block, and hear whom others do

Every fifteen minutes, two things that need nothing of each other:

- `receive` empties the queue that `include/sharing.yaml` names. What other accounts say becomes
  evidence for the next plan of `respond`, which judges it with our own never-block list, limits
  and logs. What is forged, replayed, oversized or malformed is set aside with its reason
  (`bartizan intel heard`), and never holds up the queue.
- `send` tells the event buses of `send` whom we list, as far as they were not told yet: address,
  times, counts and rule families. What we list no more is taken back. While `respond` is stopped,
  nobody is told of anything new.

**Off by default.** Without `include/sharing.yaml` (or `BARTIZAN_SHARING`) the run skips, and so
does the task whose part the file lacks.

**Failures.** A bus that refuses fails `send` after all others were told.

**By hand.** `bartizan intel receive` and `bartizan intel send` tell what they would do; `--yes`
does it.

**Again.** An event counts once, and a bus is told once.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task

from bartizan import jobs
from bartizan.errors import TransientError
from bartizan.orchestration.defaults import Tag, dag_settings
from bartizan.orchestration.failed import unless_failed


@dag(
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),
    **dag_settings(Tag.RESPOND, __doc__),
)
def respond_share() -> None:
    @task.branch
    def configured() -> list[str]:
        return jobs.sharing_parts()

    @task
    def receive(**context: Any) -> dict[str, Any]:
        return jobs.receive_intel(context["dag_run"].run_after, dry_run=False)

    @task
    def send(**context: Any) -> dict[str, Any]:
        done = jobs.send_intel(context["dag_run"].run_after, dry_run=False)
        return unless_failed(done, TransientError)

    configured() >> [receive(), send()]


respond_share()
