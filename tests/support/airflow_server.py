"""A real Airflow API server on loopback with this project's plugin, and people who sign in."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bartizan.config import PROJECT

START_TIMEOUT_S = 120.0
PEOPLE = {"anna": "user", "vera": "viewer"}  # names, which are their passwords too, and roles


@dataclass(frozen=True)
class AirflowServer:
    """`env` is what its processes are given."""

    url: str
    env: dict[str, str] = field(repr=False)

    def token(self, name: str) -> str:
        """What a browser keeps in the cookie `_token` once the person has signed in."""
        answer = httpx.post(f"{self.url}/auth/token", json={"username": name, "password": name})
        found: str = answer.raise_for_status().json()["access_token"]
        return found

    @contextmanager
    def scheduling(self, log: Path) -> Iterator[None]:
        """Runs that are asked for are carried out, by a scheduler beside the server."""
        with log.open("wb") as file:
            process = _start(self.env, file, "scheduler")
            try:
                yield
            finally:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(30)

    @contextmanager
    def running(self, dag_id: str, log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A run of a DAG beside the server, in a process of its own."""
        with log.open("wb") as file:
            process = _start(self.env, file, "dags", "test", dag_id, *words)
            try:
                yield process
            finally:
                if process.poll() is None:  # it waits for an answer, and would for a while
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)


@contextmanager
def airflow_server(folder: Path, home: Path, sql: Path, **more: str) -> Iterator[AirflowServer]:
    """Serves from `folder`, with Bartizan's data in `home` and its connectors in `sql`; `more` are
    further settings of the environment.

    DAGs are known, but nothing runs them: a run that is asked for stays queued.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    named = {"BARTIZAN_HOME": str(home), "BARTIZAN_SQL": str(sql), **more}
    env = _environment(folder, port) | named
    server = AirflowServer(f"http://127.0.0.1:{port}", env)
    log = (folder / "airflow.log").open("wb")
    _run(env, log, "db", "migrate")
    process = _start(env, log, "api-server")
    try:
        _run(env, log, "dags", "reserialize")
        _await(server, process, folder / "airflow.log")
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        log.close()


def _environment(folder: Path, port: int) -> dict[str, str]:
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({name: name for name in PEOPLE}))
    settings = {
        "CORE__DAGS_FOLDER": PROJECT / "dags",
        "CORE__PLUGINS_FOLDER": PROJECT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{k}:{v}" for k, v in PEOPLE.items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords,
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__WORKERS": 1,
        "API_AUTH__JWT_SECRET": "only-for-tests-" * 6,
        "LOGGING__LOGGING_LEVEL": "WARNING",
    }
    own = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "BARTIZAN_"))}
    return {
        **own,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "BARTIZAN_ALERTS": "",
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
    }


def _run(env: dict[str, str], log: object, *words: str) -> None:
    assert _start(env, log, *words).wait(START_TIMEOUT_S) == 0, words


def _start(env: dict[str, str], log: object, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "airflow", *words],
        env=env,
        stdout=log,  # type: ignore[arg-type]
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _await(server: AirflowServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{server.url}/api/v2/version").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise AssertionError(log.read_text()[-3000:])
