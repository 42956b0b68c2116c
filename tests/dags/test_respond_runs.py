"""A person is asked in a real Airflow, answers through its API, and the IP sets follow."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attacked import ATTACKER, FOREIGN, Sets, attacked_lake
from dag_run import run_single, sql_with
from moto.server import ThreadedMotoServer

from bartizan import jobs
from bartizan.model.window import HOUR, floor
from bartizan.orchestration.client import AirflowClient

BEFORE, APPLIED = [[FOREIGN]] * 2, [[FOREIGN, f"{ATTACKER}/32"]] * 2
WAITS_S = 60.0

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(scope="module")
def home(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation whose last hours were under attack, as named by the environment."""
    home = tmp_path_factory.mktemp("home")
    attacked_lake(home, floor(datetime.now(UTC), HOUR))
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
            patch.delenv(name)
        patch.setenv("BARTIZAN_HOME", str(home))
        patch.setenv("BARTIZAN_SQL", str(sql_with(home)))
        patch.setenv("BARTIZAN_INTEL", str(home / "intel.yaml"))
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
        yield home


@pytest.fixture
def sets(
    endpoint: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sets]:
    """IP sets and a store of the test's own."""
    monkeypatch.setenv("BARTIZAN_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    sets = Sets(endpoint, tmp_path.name)
    sets.configured(home / "intel.yaml", "block")
    yield sets


def run(**how: Any) -> dict[str, str]:
    """Runs the DAG on the last day; returns the state of each task."""
    end = floor(datetime.now(UTC), HOUR)
    conf = {"start": (end - timedelta(days=1)).isoformat(), "end": end.isoformat()}
    return run_single("respond.py", "respond", run_conf=conf, **how)


class Person(threading.Thread):
    """Looks at what is asked through Airflow's API and chooses an option."""

    def __init__(self, chooses: str) -> None:
        super().__init__()
        self.chooses, self.asked = chooses, list[dict[str, Any]]()

    def run(self) -> None:
        from airflow.api_fastapi.app import create_app
        from starlette.testclient import TestClient

        with TestClient(create_app()) as http:
            client, deadline = AirflowClient("http://testserver", http), time.monotonic() + WAITS_S
            while not self.asked and time.monotonic() < deadline:
                time.sleep(0.3)
                self.asked = self._open(client)
            for one in self.asked:
                task = one["task_instance"]
                path = f"dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/approve"
                chosen = {"chosen_options": [self.chooses], "params_input": {}}
                client.call("PATCH", f"{path}/-1/hitlDetails", json=chosen)

    def _open(self, client: AirflowClient) -> list[dict[str, Any]]:
        params = {"response_received": False, "state": "awaiting_input"}
        found = client.call("GET", "dags/respond/dagRuns/~/hitlDetails", params=params)
        return list(found["hitl_details"])


def deeds() -> list[tuple[str, str]]:
    """Who did what, the first first."""
    audit = jobs.intel_status(datetime.now(UTC))["audit"]
    return [(one["what"], one["by"]) for one in reversed(audit)]


@pytest.mark.parametrize("chooses", ["Approve", "Reject"])
def test_what_a_person_answers_is_done(sets: Sets, chooses: str) -> None:
    person = Person(chooses)
    person.start()
    found = run()
    person.join()
    (asked,) = person.asked
    assert f"+ {ATTACKER}/32" in asked["body"]
    assert "203.0.113.9/32  never blocked: partner" in asked["body"]
    plan, *done = deeds()
    assert plan == ("plan", "respond")
    if chooses == "Approve":
        assert (found["apply"], sets.addresses()) == ("success", APPLIED)
        assert [what for what, _ in done] == ["apply", "apply"]
    else:
        assert (found["apply"], sets.addresses()) == ("skipped", BEFORE)
        assert [what for what, _ in done] == ["reject"]
    assert {by for _, by in done}.isdisjoint({"", "automatic", "nobody", "respond"})


def test_an_approval_that_nobody_gave_is_none(sets: Sets) -> None:
    """The task that asks is marked as done by hand: there is no answer."""
    found = run(mark_success_pattern="approve")
    assert (found["approve"], found["apply"]) == ("success", "skipped")
    assert sets.addresses() == BEFORE
    assert [what for what, _ in deeds()] == ["plan", "reject"]


def test_automatic_asks_nobody_and_off_adds_nothing_and_keeps_nothing(
    sets: Sets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_RESPOND", "off")
    assert run()["apply"] == "skipped"
    assert sets.addresses() == BEFORE
    monkeypatch.setenv("BARTIZAN_RESPOND", "automatic")
    found = run()
    assert (found["approve"], found["apply"]) == ("skipped", "success")
    assert sets.addresses() == APPLIED
    assert ("apply", "automatic") in deeds()

    monkeypatch.setenv("BARTIZAN_RESPOND", "off")
    run_single("respond_expire.py", "respond_expire", run_after=datetime.now(UTC) + 3 * HOUR)
    assert sets.addresses() == APPLIED
    run_single("respond_expire.py", "respond_expire", run_after=datetime.now(UTC) + 5 * HOUR)
    assert sets.addresses() == BEFORE
