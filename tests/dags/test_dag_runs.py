"""The DAGs one after the other in a real Airflow, on two small days."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from dag_run import DAGS, run_dag, sql_with
from lakes import SmallLake, requests
from moto.server import ThreadedMotoServer

from bartizan import jobs
from bartizan.lake import planned_files
from bartizan.model.reconciliation import Verdict
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.reconciliation import load_hours

PLAN = {"start": "2026-11-14", "days": 2, "records_per_day": 1000, "seed": 3}
BOTH = Window.parse("2026-11-14", "2026-11-16")
HISTORY = Window(BOTH.start, BOTH.start + DAY)
LIVE = Window(HISTORY.end, BOTH.end)
CONNECTOR = "waf_blocked_requests"

pytestmark = pytest.mark.airflow
Run = Callable[..., dict[str, Counter[str]]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for all data of this file, named by the environment as in an installation."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
            patch.delenv(name)
        patch.setenv("BARTIZAN_HOME", str(home))
        patch.setenv("BARTIZAN_SQL", str(sql_with(home, CONNECTOR)))
        yield home


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    """Runs a DAG to its end; returns how many instances of each task ended in which state."""
    from airflow.dag_processing.dagbag import DagBag

    files = {dag_id: Path(dag.fileloc).name for dag_id, dag in DagBag(DAGS).dags.items()}

    def run_in_home(
        dag_id: str, state: str = "success", at: datetime | None = None, **conf: Any
    ) -> dict[str, Counter[str]]:
        return run_dag(files[dag_id], dag_id, state, at, run_conf=conf)

    return run_in_home


@pytest.fixture(scope="module")
def records(run: Run, home: Path) -> list[dict[str, Any]]:
    """What the simulation wrote, read by other means than landing's."""
    assert run("simulate", **PLAN) == {
        "plan_days": Counter(success=1),
        "write_day": Counter(success=2),
        "write_labels": Counter(success=1),
    }
    files = sorted((home / "raw").rglob("*.log.gz"))
    lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert len(lines) > 1000
    return [json.loads(line) for line in lines]


def events(asset: str) -> list[list[dict[str, str]]]:
    """The windows of each event of an asset, in order."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
    with create_session() as session:
        found = session.scalars(query.where(AssetModel.name == asset).order_by(AssetEvent.id))
        return [extra["windows"] for extra in found]


def rows(table: str) -> list[dict[str, Any]]:
    return jobs.open_lake().table(table).scan().to_arrow().to_pylist()


def csv_rows(folder: Path) -> list[str]:
    """The rows below the headers of all metric files in a folder."""
    files = sorted(folder.rglob("*.csv"))
    return [line for file in files for line in file.read_text().splitlines()[1:]]


def test_the_whole_way(run: Run, records: list[dict[str, Any]], home: Path) -> None:
    # land: every record once, and the second time nothing
    landed = run("waf_land", **BOTH.as_json())
    assert set(landed) >= {"plan_batches", "stage_batch", "validate_batches", "publish_batches"}
    assert all(set(states) == {"success"} for states in landed.values()), landed
    assert landed["stage_batch"].total() >= 1
    requests = rows("waf.requests")
    logged = Counter(r["timestamp"] for r in records)
    assert Counter(r["event_ms"] for r in requests) == logged
    assert rows("waf.quarantine") == []

    snapshots = len(jobs.open_lake().table("waf.requests").snapshots())
    again = run("waf_land", **LIVE.as_json())
    assert again["stage_batch"] == Counter(skipped=1)
    assert len(jobs.open_lake().table("waf.requests").snapshots()) == snapshots
    assert len(rows("waf.requests")) == len(requests)
    first, second = events("waf_requests")
    announced = [Window.from_json(window) for window in first]
    assert {int(h.start.timestamp()) for w in announced for h in w.split(HOUR)} == {
        stamp // 3_600_000 * 3600 for stamp in logged
    }
    assert all(LIVE.intersection(window) == window for window in map(Window.from_json, second)), (
        second
    )

    # aggregate: the sums are those of the log
    run("waf_aggregate", **BOTH.as_json())
    counted = Counter[str]()
    for row in rows("agg.agg_action_5m"):
        counted[row["action"]] += row["requests"]
    assert counted == Counter(r["action"] for r in records)
    built = len(jobs.open_lake().table("agg.agg_action_5m").snapshots())
    run("waf_aggregate", **BOTH.as_json())
    assert len(jobs.open_lake().table("agg.agg_action_5m").snapshots()) == built

    # backfill: only a dry run unless told otherwise
    metrics = home / "metrics" / CONNECTOR
    dry = run(f"backfill_{CONNECTOR}", **HISTORY.as_json())
    assert dry["learn"] == Counter(skipped=1)
    assert not list(metrics.rglob("*.csv"))
    wet = run(f"backfill_{CONNECTOR}", dry_run=False, **HISTORY.as_json())
    assert wet["learn"] == Counter(success=1)
    history = csv_rows(metrics / "backtest")
    assert {line[:19] < f"{LIVE.start:%Y-%m-%d %H:%M:%S}" for line in history} == {True}

    # crawl and detect: the live day, history and live together every blocked request
    run(f"crawl_{CONNECTOR}", **LIVE.as_json())
    live = csv_rows(metrics / "live")
    assert len(list((metrics / "live").rglob("_manifest.json"))) > 200
    blocked = sum(float(line.rsplit(",", 1)[1]) for line in history + live)
    assert blocked == sum(r["action"] == "BLOCK" for r in records)
    run(f"detect_{CONNECTOR}", **LIVE.as_json())
    assert len(events("incidents")) == 1

    # dispatch: the report names what was landed
    assert run("dispatch")["write_report"] == Counter(success=1)
    report = (home / "report" / "index.html").read_text()
    assert f"{len(requests):,}" in report or str(len(requests)) in report


def test_a_scheduled_run_lands_what_was_delivered_in_its_hour(run: Run, home: Path) -> None:
    hour = Window(BOTH.end, BOTH.end + HOUR)
    known = len(rows("waf.requests"))
    old = next((home / "raw").rglob("*.log.gz"))
    for delivered, name in ((hour.start, "inside"), (hour.end, "after")):
        line = gzip.decompress(old.read_bytes()).splitlines()[0]
        late = json.loads(line) | {"timestamp": int(delivered.timestamp() * 1000) - 1}
        folder = old.parents[4] / f"{delivered:%Y/%m/%d/%H/%M}"
        folder.mkdir(parents=True)
        (folder / f"{name}.log.gz").write_bytes(gzip.compress(json.dumps(late).encode()))

    run("waf_land", at=hour.end + timedelta(minutes=20))
    assert len(rows("waf.requests")) == known + 1
    assert [Window.from_json(window) for window in events("waf_requests")[-1]] == [
        Window(BOTH.end - HOUR, BOTH.end)
    ]


def test_a_run_without_a_window_fails_and_writes_nothing(run: Run, home: Path) -> None:
    before = sorted(home.rglob("*.csv"))
    run(f"crawl_{CONNECTOR}", state="failed", start=BOTH.as_json()["start"])
    assert sorted(home.rglob("*.csv")) == before


def test_reconciling_asks_aws_only_where_it_is_told_to(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - 5 * DAY
    scheduled = day + DAY + timedelta(hours=4, minutes=30)
    arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/11111111-2222"
    small = SmallLake.open(tmp_path)
    for hour in (1, 10):
        times = [day + hour * HOUR + timedelta(seconds=n) for n in range(20)]
        small.land(f"{hour}", requests=requests(times, webacl_id=arn))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
    off = run("waf_reconcile", at=scheduled)
    assert off["compare_counts"] == Counter(skipped=1)
    assert load_hours(small.store) == []

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        monkeypatch.setenv("BARTIZAN_RECONCILE", "cloudwatch")
        dimensions = {"WebACL": "shop", "Rule": "ALL", "Region": "eu-west-1"}
        datum = {
            "MetricName": "AllowedRequests",
            "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            "Timestamp": day + HOUR,
            "Value": 20,
        }
        client = boto3.client("cloudwatch", "eu-west-1")
        client.put_metric_data(Namespace="AWS/WAFV2", MetricData=[datum])
        assert run("waf_reconcile", at=scheduled)["compare_counts"] == Counter(success=1)
    finally:
        server.stop()
    hours = {one.hour: one.verdict for one in load_hours(small.store)}
    # The day from four to four, and the 25 hours before, where records may have landed late.
    assert sorted(hours) == [day + n * HOUR for n in range(4 - 25, 28)]
    surplus = [hour for hour, verdict in hours.items() if verdict is Verdict.SURPLUS]
    assert surplus == [day + 10 * HOUR]


def test_a_landing_that_cannot_list_its_source_says_so_and_nothing_else(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BARTIZAN_SOURCE", str(home / "nowhere"))
    assert run("waf_land", state="failed", **LIVE.as_json()) == {
        "plan_batches": Counter(failed=1),
        "stage_batch": Counter(upstream_failed=1),
        "validate_batches": Counter(failed=1),
        "publish_batches": Counter(upstream_failed=1),
        "confirm_published": Counter(failed=1),
    }
    logged = capsys.readouterr().out
    assert "nowhere' is not a folder" in logged
    assert logged.count("plan_batches failed: its own log names the cause") >= 2
    assert "TypeError" not in logged


def test_the_lake_is_kept_healthy_without_losing_a_row(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in list(LIVE.split(HOUR))[:5]:
        jobs.aggregate([hour], force=True)  # leaves a file each
    lake = jobs.open_lake()
    before = {name: sorted(map(str, rows(name))) for name in lake.names()}
    assert len(before["waf.requests"]) > 1000
    many = len(planned_files(lake.table("agg.agg_action_5m")))
    monkeypatch.setenv("BARTIZAN_RETENTION", "waf=30,agg=400")
    tasks = {"expire", "sweep", "compact"}
    assert run("lake_maintenance", at=LIVE.end) == {name: Counter(success=1) for name in tasks}
    assert {name: sorted(map(str, rows(name))) for name in before} == before
    assert len(planned_files(lake.table("agg.agg_action_5m"))) < many
