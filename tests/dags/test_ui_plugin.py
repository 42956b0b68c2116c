"""The dashboard behind Airflow's own roles, asked with Airflow's own tokens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dag_run import database
from fastapi.testclient import TestClient

from bartizan.config import PROJECT

pytestmark = pytest.mark.airflow
Ask = Callable[..., TestClient]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A client of the plugin's app with the token of a role, or without one."""
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    from bartizan_plugin import dashboard

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
            patch.delenv(name)
        patch.setenv("BARTIZAN_HOME", str(tmp_path_factory.mktemp("home")))
        database()
        manager = init_auth_manager()

        def client(role: str | None) -> TestClient:
            if role is None:
                return TestClient(dashboard)
            user = SimpleAuthManagerUser(username=f"a {role}", role=role)
            return TestClient(
                dashboard, headers={"Authorization": f"Bearer {manager.generate_jwt(user)}"}
            )

        yield client


def test_airflow_finds_the_page_and_the_tab() -> None:
    from airflow import plugins_manager

    plugins_manager.ensure_plugins_loaded()
    apps, _ = plugins_manager.get_fastapi_plugins()
    assert [one["url_prefix"] for one in apps if one["name"] == "Bartizan"] == ["/bartizan"]
    views, _ = plugins_manager._get_ui_plugins()
    ours = [one for one in views if one["href"].startswith("bartizan/")]
    assert [one["destination"] for one in ours] == ["nav", "dag_run"]
    assert all(len(one["name"]) <= 9 for one in ours)  # the navigation cuts longer ones
    static = PROJECT / "plugins" / "bartizan" / "ui" / "static"
    for one in ours:
        for key in ("icon", "icon_dark_mode"):
            assert (static / one[key].removeprefix("bartizan/static/")).is_file()


def test_the_plugin_file_does_not_load_the_dashboard_by_itself() -> None:
    code = "import bartizan_plugin, sys; print('bartizan.ui' in sys.modules)"
    env = os.environ | {"PYTHONPATH": str(PROJECT / "plugins")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("role", "status", "may_write"),
    [
        (None, 401, None),
        ("viewer", 200, False),
        ("user", 200, True),
        ("op", 200, True),
        ("admin", 200, True),
    ],
)
def test_roles_of_airflow_decide(ask: Ask, role: str | None, status: int, may_write: bool) -> None:
    answer = ask(role).get("/api/v1/me")
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["name"], answer.json()["may_write"]) == (f"a {role}", may_write)


def test_a_token_of_no_user_of_airflow_is_refused(ask: Ask) -> None:
    for token in ("", "x", "a.b.c"):
        answer = ask(None).get("/", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code in (401, 403)


def test_a_viewer_is_refused_to_write_and_a_user_is_let(ask: Ask) -> None:
    path = "/api/v1/detectors/waf_labels/deactivate"
    for role, status in (("viewer", 403), ("user", 200)):
        client = ask(role)
        token = client.get("/api/v1/me").json()["token"]
        answer = client.post(path, headers={"X-Bartizan-Token": token})
        assert answer.status_code == status, answer.text
    (noted,) = ask("viewer").get("/api/v1/audit").json()
    assert (noted["by"], noted["action"]) == ("a user", "deactivate")


def test_who_may_answer_what_respond_asks_may_stop_it(ask: Ask) -> None:
    for role, status in (("viewer", 403), ("user", 200)):
        client = ask(role)
        token = client.get("/api/v1/me").json()["token"]
        headers = {"X-Bartizan-Token": token}
        answer = client.post("/api/v1/intel/deeds/stop", json={"why": "a test"}, headers=headers)
        assert answer.status_code == status, answer.text
        assert client.get("/api/v1/intel").json()["switched_off"] is (status == 200)
    (deed,) = ask("viewer").get("/api/v1/intel").json()["deeds"]
    assert (deed["by"], deed["what"], deed["detail"]) == ("a user", "stop", "a test")


def test_whoever_may_edit_dispatch_only_activates_no_detector(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    manager = get_auth_manager()
    asks = manager.is_authorized_dag

    def only_dispatch(**asked: Any) -> bool:
        return asked["details"].id == "dispatch" and asks(**asked)

    path, client = "/api/v1/detectors/waf_labels/promote", ask("user")
    headers = {"X-Bartizan-Token": client.get("/api/v1/me").json()["token"]}
    monkeypatch.setattr(manager, "is_authorized_dag", only_dispatch)
    refused = client.post(path, headers=headers)
    assert (refused.status_code, "crawl_waf_labels" in refused.text) == (403, True)
    monkeypatch.undo()
    assert client.post(path, headers=headers).status_code != 403
