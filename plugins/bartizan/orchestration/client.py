"""The few calls of Airflow's REST API that a local run needs."""

from __future__ import annotations

import time
from typing import Any

import httpx

from bartizan.errors import BartizanError, TransientError

READ_TRIES = 10


class AirflowClient:
    """Speaks to the Airflow at `url`, which trusts everyone on loopback; by `http` if given."""

    def __init__(self, url: str, http: httpx.Client | None = None) -> None:
        self._http = http or httpx.Client(base_url=url, timeout=60)

    def healthy(self) -> bool:
        """Whether database, scheduler and DAG processor are up."""
        try:
            body = self._http.get("/api/v2/monitor/health").json()
        except (httpx.TransportError, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "dag_processor")
        return all(body.get(part, {}).get("status") == "healthy" for part in parts)

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """One call of /api/v2. Raises BartizanError with the server's own reason, TransientError
        when the server says that it is busy."""
        if "Authorization" not in self._http.headers:
            token = self._http.get("/auth/token").json()["access_token"]
            self._http.headers["Authorization"] = f"Bearer {token}"
        response = self._http.request(method, f"/api/v2/{path}", **arguments)
        for _ in range(READ_TRIES - 1):
            if method != "GET" or not response.is_server_error:
                break
            # Airflow 3.3 cannot show an event while a run that it started is still queued.
            time.sleep(1)
            response = self._http.request(method, f"/api/v2/{path}", **arguments)
        if response.is_error:
            kind = TransientError if response.status_code == 503 else BartizanError
            raise kind(
                f"Airflow {method} {path}", f"HTTP {response.status_code} {response.text[:300]}"
            )
        return response.json() if response.content else None

    def dag_ids(self) -> set[str]:
        return {dag["dag_id"] for dag in self._dags()}

    def _dags(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "dags", params={"limit": 1000})["dags"]
        return found

    def import_errors(self) -> list[str]:
        errors = self.call("GET", "importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in errors]

    def unpause(self, dag_id: str) -> None:
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": False})

    def pause(self, dag_id: str) -> None:
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": True})

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run; returns its id."""
        body = {"logical_date": None, "conf": conf}
        run_id: str = self.call("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"]
        return run_id

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")
        return found

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        """Runs of all DAGs, newest first, at most 1,000."""
        parameters = {"limit": 1000, "order_by": "-id", **filters}
        found: list[dict[str, Any]] = self.call("GET", "dags/~/dagRuns", params=parameters)[
            "dag_runs"
        ]
        return found

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = self.call("GET", path, params={"limit": 1000})[
            "task_instances"
        ]
        return found

    def fail_run(self, dag_id: str, run_id: str) -> None:
        self.call("PATCH", f"dags/{dag_id}/dagRuns/{run_id}", json={"state": "failed"})

    def backfill(self, dag_id: str, start: str, end: str, max_active_runs: int) -> int:
        """Create one run per schedule interval in [start, end]; returns the backfill's id."""
        body = {
            "dag_id": dag_id,
            "from_date": start,
            "to_date": end,
            "max_active_runs": max_active_runs,
            "reprocess_behavior": "completed",
        }
        return int(self.call("POST", "backfills", json=body)["id"])

    def cancel_backfills(self, dag_id: str) -> None:
        """Cancel what an earlier backfill of the DAG has not run yet."""
        found = self.call("GET", "backfills", params={"dag_id": dag_id, "limit": 100})["backfills"]
        for backfill in found:
            if backfill["completed_at"] is None:
                self.call("PUT", f"backfills/{backfill['id']}/cancel")

    def unheard(self, since: str) -> set[tuple[int, str]]:
        """Asset events after `since` (ISO-8601) that a consumer, not paused, did not hear: pairs of
        the event's id and the consumer's DAG id."""
        listening = {dag["dag_id"] for dag in self._dags() if not dag["is_paused"]}
        consumers = {
            asset["id"]: {dag["dag_id"] for dag in asset["scheduled_dags"]} & listening
            for asset in self.call("GET", "assets", params={"limit": 1000})["assets"]
        }
        parameters = {"timestamp_gte": since, "limit": 1000}
        events = self.call("GET", "assets/events", params=parameters)["asset_events"]
        return {
            (event["id"], dag_id)
            for event in events
            for dag_id in consumers.get(event["asset_id"], set())
            - {run["dag_id"] for run in event["created_dagruns"]}
        }

    def ring_again(self, event_id: int) -> int:
        """Repeat an asset event; returns the id of the new one."""
        events = self.call("GET", "assets/events", params={"limit": 1000, "order_by": "-timestamp"})
        event = next(one for one in events["asset_events"] if one["id"] == event_id)
        body = {"asset_id": event["asset_id"], "extra": event["extra"]}
        return int(self.call("POST", "assets/events", json=body)["id"])
