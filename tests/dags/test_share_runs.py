"""`respond_share` in a real Airflow: what the file has a part for is done, the rest is skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from dag_run import run_single, sql_with
from moto.server import ThreadedMotoServer
from sharing import SENDER, body, envelope, indicator

from bartizan import jobs
from bartizan.store.intel_sharing import load_said

NOW = datetime.now(UTC).replace(microsecond=0)

pytestmark = pytest.mark.airflow


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a queue, in an installation whose settings the environment names."""
    for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
        monkeypatch.delenv(name)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_SQL", str(sql_with(tmp_path)))
    yield boto3.client("sqs").create_queue(QueueName="shared-runs")["QueueUrl"]
    server.stop()


def run() -> dict[str, str]:
    return run_single("respond_share.py", "respond_share")


def test_only_what_is_configured_is_done(
    queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = boto3.client("sqs")
    told = indicator("203.0.113.7/32", expires_at=NOW + timedelta(hours=4))
    sqs.send_message(QueueUrl=queue, MessageBody=body(envelope([told], at=NOW)).decode())
    assert run() == {"configured": "success", "receive": "skipped", "send": "skipped"}
    assert load_said(jobs.open_store(), NOW) == []

    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    (tmp_path / "sharing.yaml").write_text(f"receive: {{queue: '{arn}', accounts: ['{SENDER}']}}")
    monkeypatch.setenv("BARTIZAN_SHARING", str(tmp_path / "sharing.yaml"))
    assert run() == {"configured": "success", "receive": "success", "send": "skipped"}
    (said,) = load_said(jobs.open_store(), NOW)
    assert (said.account, str(said.candidate.network)) == (SENDER, "203.0.113.7/32")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
