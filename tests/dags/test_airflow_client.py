"""The calls that a local run makes, against Airflow's own API server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from dag_run import database

from bartizan.orchestration.client import AirflowClient

pytestmark = pytest.mark.airflow
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowClient]:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    database()
    with TestClient(create_app()) as http:
        yield AirflowClient("http://testserver", http)


def test_an_event_that_nobody_heard_is_told_again(client: AirflowClient) -> None:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        asset = AssetModel(name="told", uri="x://told", group="asset", extra={})
        session.add(asset)
        session.flush()
        event = AssetEvent(
            asset_id=asset.id, extra={"windows": [["a", "b"]]}, timestamp=datetime.now(UTC)
        )
        session.add(event)
        session.flush()
        event_id = event.id
    assert client.unheard(LONG_AGO) == set()  # no DAG listens to this asset
    told = client.ring_again(event_id)
    assert told != event_id
    events = client.call("GET", "assets/events", params={"limit": 1000})["asset_events"]
    again = next(one for one in events if one["id"] == told)
    assert again["extra"]["windows"] == [["a", "b"]]
    assert again["uri"] == "x://told"
