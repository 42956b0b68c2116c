"""An Airflow of one's own on this machine: started, watched and stopped.

Scheduler, DAG processor and API server run as child processes on loopback with an SQLite database.
Nothing here is needed where Airflow already runs.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bartizan.config import PROJECT, Settings
from bartizan.errors import BartizanError, UsageError
from bartizan.orchestration.client import AirflowClient

COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": (),
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
MODULES = {"scheduler": "bartizan.orchestration.scheduler"}  # that stand for `airflow`
UNATTENDED = ("api-server", "scheduler", "dag-processor")
START_TIMEOUT_S = 180.0
POLL_S = 0.3


@dataclass(frozen=True)
class LocalAirflow:
    """Where the local Airflow keeps its own files and on which loopback port it answers."""

    home: Path
    port: int
    settings: Settings

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> Path:
        return self.home / "processes.json"

    def environment(self) -> dict[str, str]:
        """Environment of every Airflow process: settings of Airflow, of Bartizan, telemetry off."""
        airflow = {
            "CORE__DAGS_FOLDER": PROJECT / "dags",
            "CORE__PLUGINS_FOLDER": PROJECT / "plugins",
            "CORE__LOAD_EXAMPLES": False,
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": max(2, os.cpu_count() or 2) + 1,
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,  # loopback only, one person
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "API__BASE_URL": self.url,
            "API__HOST": "127.0.0.1",
            "API__PORT": self.port,
            "API__WORKERS": 1,
            "API_AUTH__JWT_SECRET": self._secret(),
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 120,
            "DAG_PROCESSOR__PARSING_PROCESSES": 1,
            "LOGGING__LOGGING_LEVEL": "WARNING",
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.2,
        }
        bartizan = {
            "BARTIZAN_HOME": self.settings.home,
            "BARTIZAN_SOURCE": self.settings.source,
            "BARTIZAN_LAKE": self.settings.lake,
            "BARTIZAN_METRICS": self.settings.metrics,
            "BARTIZAN_OUTBOX": self.settings.outbox,
            "BARTIZAN_STORE": self.settings.store_url,
            "BARTIZAN_SQL": self.settings.sql,
        }
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "AIRFLOW_HOME": str(self.home),
            "GX_ANALYTICS_ENABLED": "False",
            **{f"AIRFLOW__{name}": str(value) for name, value in airflow.items()},
            **{name: str(value) for name, value in bartizan.items()},
        }

    @contextmanager
    def running(
        self, components: Sequence[str], say: Callable[[str], None]
    ) -> Iterator[AirflowClient]:
        """Start the components, wait until they are healthy, stop them at the end of the block.

        Raises UsageError when the port is in use by something else, BartizanError naming the log
        file when a component ends early.
        """
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as on Ctrl-C
        self._stop_leftovers(say)
        self._check_port()
        self.home.mkdir(parents=True, exist_ok=True)
        say("preparing Airflow's database")
        self._run("db", "migrate")
        processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for component in components:
                processes[component] = self._start(component)
            self._remember(processes)
            say(f"starting Airflow: {', '.join(components)}")
            client = AirflowClient(self.url)
            self._await_health(client, processes)
            yield client
        finally:
            with _undisturbed():
                _stop([psutil.Process(p.pid) for p in processes.values() if p.poll() is None])
                self.pids.unlink(missing_ok=True)

    def _secret(self) -> str:
        path = self.home / "jwt_secret"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(48))
        return path.read_text()

    def _run(self, *arguments: str) -> None:
        log = self._log("setup")
        with log.open("wb") as output:
            code = subprocess.call(
                [sys.executable, "-m", "airflow", *arguments],
                env=self.environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if code:
            raise BartizanError(f"airflow {' '.join(arguments)}", f"exit code {code}", f"see {log}")

    def _start(self, component: str) -> subprocess.Popen[bytes]:
        module = MODULES.get(component, "airflow")
        with self._log(component).open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, component, *COMPONENTS[component]],
                env=self.environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        folder = self.home / "logs" / "local"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"

    def _await_health(
        self, client: AirflowClient, processes: dict[str, subprocess.Popen[bytes]]
    ) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not client.healthy():
            for component, process in processes.items():
                if process.poll() is not None:
                    raise BartizanError(
                        f"airflow {component}",
                        f"ended with exit code {process.returncode}",
                        f"see {self._log(component)}",
                    )
            if time.monotonic() > deadline:
                raise BartizanError(
                    "local Airflow",
                    f"is not healthy after {START_TIMEOUT_S:.0f} s",
                    f"see {self._log('scheduler').parent}",
                )
            time.sleep(POLL_S)

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise UsageError(
                    f"port {self.port}",
                    "is in use by another program",
                    "stop that program or choose another port: --port 8090 (make demo PORT=8090)",
                ) from error

    def _remember(self, processes: dict[str, subprocess.Popen[bytes]]) -> None:
        started = {p.pid: psutil.Process(p.pid).create_time() for p in processes.values()}
        self.pids.write_text(json.dumps(started))

    def _stop_leftovers(self, say: Callable[[str], None]) -> None:
        """Stop the processes of an earlier run that was killed before it could stop them."""
        if not self.pids.exists():
            return
        remembered = {int(pid): at for pid, at in json.loads(self.pids.read_text()).items()}
        alive = [
            psutil.Process(pid)
            for pid, at in remembered.items()
            if psutil.pid_exists(pid) and psutil.Process(pid).create_time() == at
        ]
        if alive:
            say("stopping the Airflow that an interrupted run left behind")
            _stop(alive)
        self.pids.unlink()


def serve(settings: Settings, port: int, say: Callable[[str], None]) -> None:
    """Run Airflow with its UI until Ctrl-C or SIGTERM."""
    airflow = LocalAirflow(settings.home / "airflow", port, settings)
    try:
        with airflow.running(tuple(COMPONENTS), say):
            say(f"Airflow answers at {airflow.url} (data in {settings.home}); stop it with Ctrl-C")
            signal.pause()
    except KeyboardInterrupt:
        say("stopped")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore a second Ctrl-C meanwhile: broken off here, it would leave processes behind."""
    before = {
        which: signal.signal(which, signal.SIG_IGN) for which in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def _stop(leaders: Sequence[psutil.Process]) -> None:
    """End process groups by their leaders: politely, then after 15 s for good."""
    members = [p for leader in leaders for p in (leader, *leader.children(recursive=True))]
    for leader in leaders:
        os.killpg(leader.pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(members, timeout=15)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)
