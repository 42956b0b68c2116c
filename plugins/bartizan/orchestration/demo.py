"""The main job, walked through once on simulated traffic in a real Airflow.

Fifteen days of history are landed and backfilled; then the detectors go live and one more day comes
in: most of it as a single catch-up window, as after an outage, the last hours by `airflow backfill`
as one scheduled run each. Every step is a DAG run; this file only triggers, waits and reports.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from bartizan import jobs
from bartizan.errors import BartizanError, TransientError
from bartizan.model.matching import match
from bartizan.model.window import DAY, HOUR, Window, format_time
from bartizan.orchestration.client import AirflowClient
from bartizan.orchestration.local import UNATTENDED, LocalAirflow
from bartizan.orchestration.progress import Progress
from bartizan.orchestration.summary import summary
from bartizan.simulate import read_labels
from bartizan.store.incidents import load_incidents

# Two that see all the attacks between them; the other connectors stay paused.
WATCHED = ("waf_blocked_requests", "waf_traffic_by_country")

POLL_S = 0.7
SHOW_S = 2.0  # a look asks for the tasks of every run: the API server pays for it
BACKFILL_TRIES = 60
LOST_AFTER = 8  # polls without a run while an event is unheard
ACTIVE = {"queued", "running"}


@dataclass(frozen=True)
class DemoPlan:
    """What to simulate, and how many of the last hours arrive one by one."""

    records_per_day: int
    hourly_runs: int
    seed: int = 1
    start: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    history_days: int = 15

    @property
    def history(self) -> Window:
        return Window(self.start, self.start + self.history_days * DAY)

    @property
    def live(self) -> Window:
        return Window(self.history.end, self.history.end + DAY)

    @property
    def catch_up(self) -> Window:
        return Window(self.live.start, self.live.end - self.hourly_runs * HOUR)

    def simulation(self) -> dict[str, Any]:
        return {
            "start": f"{self.start:%Y-%m-%d}",
            "days": self.history_days + 1,
            "records_per_day": self.records_per_day,
            "seed": self.seed,
        }


def run_demo(airflow: LocalAirflow, plan: DemoPlan, progress: Progress) -> None:
    """Run the main job. Running it again, or after a kill, ends with the same result."""
    connectors = WATCHED
    live_dags = [f"{kind}_{name}" for name in connectors for kind in ("crawl", "detect")]
    with ExitStack() as stack:
        with progress.stage("start Airflow"):
            client = stack.enter_context(airflow.running(UNATTENDED, progress.say))
            demo = _Walk(airflow, client, progress)
            demo.await_dags({"simulate", "waf_land", "waf_aggregate", "dispatch", *live_dags})
            demo.end_leftover_runs()
            demo.pause(*live_dags, "dispatch")
        with progress.stage("simulate"):
            demo.finish(demo.trigger("simulate", plan.simulation()))
        with progress.stage("land history"):
            since = demo.now()
            demo.unpause("waf_aggregate")
            demo.finish(demo.trigger("waf_land", plan.history.as_json()))
        with progress.stage("aggregate history"):
            demo.settle(since)
        with progress.stage("backfill, learn"):
            conf = plan.history.as_json() | {"dry_run": False}
            demo.finish(*[demo.trigger(f"backfill_{name}", conf) for name in connectors])
        with progress.stage("live day"):
            since = demo.now()
            demo.unpause(*live_dags, "dispatch")
            demo.finish(demo.trigger("waf_land", plan.catch_up.as_json()))
            if plan.hourly_runs:
                demo.backfill("waf_land", Window(plan.catch_up.end, plan.live.end))
            demo.settle(since)


def present(plan: DemoPlan, port: int) -> None:
    """Run the demo on this installation's settings and print what came of it.

    Raises BartizanError when an attack was missed, so that the command does not end well.
    """
    console = Console(soft_wrap=True, highlight=False)
    settings, progress = jobs.settings(), Progress(console)
    run_demo(LocalAirflow(settings.home / "airflow", port, settings), plan, progress)
    with progress.stage("report"):
        report = jobs.report()
    incidents = [change.incident for change in load_incidents(jobs.open_store())]
    matching = match(read_labels(settings.source), incidents)
    for line in summary(jobs.status(), matching, progress.seconds, report):
        console.print(line, markup=False)
    if missed := [m.attack.kind for m in matching.attacks if not m.incidents]:
        raise BartizanError("demo", f"attacks without an incident: {', '.join(missed)}")


class _Walk:
    """Triggers runs and waits for them, showing what is under way."""

    def __init__(self, airflow: LocalAirflow, client: AirflowClient, progress: Progress) -> None:
        self._airflow, self._client, self._progress = airflow, client, progress
        self._shown = 0.0

    def now(self) -> str:
        """A mark in Airflow's own clock, to tell new asset events from old ones."""
        return format_time(datetime.now(UTC))

    def await_dags(self, expected: set[str]) -> None:
        while lacking := expected - self._client.dag_ids():
            if errors := self._client.import_errors():
                raise BartizanError("DAG import", errors[0])
            self._progress.say(f"waiting for {len(lacking)} DAGs to be read")
            time.sleep(POLL_S)

    def end_leftover_runs(self) -> None:
        """End what an interrupted demo left active, so that nothing works beside ours."""
        self._client.cancel_backfills("waf_land")
        for run in self._active():
            self._client.fail_run(run["dag_id"], run["dag_run_id"])

    def pause(self, *dag_ids: str) -> None:
        for dag_id in dag_ids:
            self._client.pause(dag_id)

    def unpause(self, *dag_ids: str) -> None:
        for dag_id in dag_ids:
            self._client.unpause(dag_id)

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> tuple[str, str]:
        self._client.unpause(dag_id)
        return dag_id, self._client.trigger(dag_id, conf)

    def backfill(self, dag_id: str, window: Window) -> None:
        """One run per hour of the window; Airflow takes a range of starts of data intervals.

        On SQLite Airflow refuses while its scheduler is writing, and says so: then try again.
        """
        first, last = format_time(window.start), format_time(window.end)
        for _ in range(BACKFILL_TRIES - 1):
            try:
                self._client.backfill(dag_id, first, last, 1)
                return
            except TransientError:
                self._progress.say("waiting for Airflow's database")
                time.sleep(POLL_S)
        self._client.backfill(dag_id, first, last, 1)

    def finish(self, *runs: tuple[str, str]) -> None:
        """Wait until the runs have ended. Raises BartizanError naming a failed task."""
        waiting = list(runs)
        while waiting:
            time.sleep(POLL_S)
            waiting = [run for run in waiting if self._is_active(*run)]
            self._show()

    def settle(self, since: str) -> None:
        """Wait until every asset event after `since` was heard and no run is active.

        Airflow 3.3 on SQLite can lose an event that arrives while its scheduler starts a run for an
        earlier one. One that nobody has heard for a while is rung again; that does no harm.
        """
        quiet, idle, repeated = 0, 0, set[tuple[int, str]]()
        while quiet < 2:
            time.sleep(POLL_S)
            active = self._active()
            unheard = set() if active else self._client.unheard(since) - repeated
            quiet = 0 if active or unheard else quiet + 1
            idle = 0 if active or not unheard else idle + 1
            if idle == LOST_AFTER:
                self._progress.say("ringing again for an asset event that was lost")
                for event_id in {event_id for event_id, _ in unheard}:
                    self._client.ring_again(event_id)
                repeated, idle = repeated | unheard, 0
            self._show()
        for run in self._client.runs(state="failed"):
            if (run["start_date"] or "") >= since:  # one that was cancelled has never started
                self._fail(run["dag_id"], run["dag_run_id"])

    def _is_active(self, dag_id: str, run_id: str) -> bool:
        state = self._client.run(dag_id, run_id)["state"]
        if state == "failed":
            self._fail(dag_id, run_id)
        return state in ACTIVE

    def _active(self) -> list[dict[str, Any]]:
        return self._client.runs(state=sorted(ACTIVE))

    def _show(self) -> None:
        if time.monotonic() - self._shown < SHOW_S:
            return
        self._shown = time.monotonic()
        active = self._active()
        texts = []
        for run in (run for run in active if run["state"] == "running"):
            tasks = self._client.tasks(run["dag_id"], run["dag_run_id"])
            done = sum(task["state"] in ("success", "skipped") for task in tasks)
            texts.append(f"{run['dag_id']} {done}/{len(tasks)}")
        if queued := sum(run["state"] == "queued" for run in active):
            texts.append(f"{queued} runs queued")
        if texts:
            self._progress.say(", ".join(sorted(texts)))

    def _fail(self, dag_id: str, run_id: str) -> None:
        failed = [t for t in self._client.tasks(dag_id, run_id) if t["state"] == "failed"]
        name = failed[0]["task_id"] if failed else "run"
        logs = self._airflow.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
        raise BartizanError(f"{dag_id}.{name}", "failed", f"see {logs}")
