"""Athena's executions: started once, waited for, cancelled, reused, and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from engine_athena import BUCKET, CONNECTION, AthenaHouse, athena_house

from bartizan.engines.athena import AthenaEngine
from bartizan.engines.aws import calling
from bartizan.errors import BartizanError, ConfigError, TransientError, UsageError
from bartizan.model.window import Window

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
ENDLESS = (
    "select count(*) as n from waf.wide a cross join waf.wide b cross join waf.wide c "
    "where a.event_time >= {{ start }} and a.event_time < {{ end }} and b.n < c.n"
)


@pytest.fixture(scope="module")
def house() -> Iterator[AthenaHouse]:
    times = pa.array([datetime(2026, 1, 1)] * 20_000, pa.timestamp("us"))
    with athena_house({"waf.wide": pa.table({"event_time": times, "n": range(20_000)})}) as opened:
        yield opened


class Clock:
    """Time that passes only while an engine pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def read(self) -> float:
        return self.now


def last_state() -> str:
    """How the newest execution ends, if it does."""
    athena = boto3.client("athena")
    newest = athena.list_query_executions()["QueryExecutionIds"][0]
    state = "QUEUED"
    for _ in range(1000):
        execution = athena.get_query_execution(QueryExecutionId=newest)["QueryExecution"]
        state = str(execution["Status"]["State"])
        if state not in ("QUEUED", "RUNNING"):
            break
    return state


def finished(engine: AthenaEngine, execution: str) -> pa.Table:
    while engine.state(execution) == "running":
        pass
    return engine.fetch(execution)


def test_a_query_that_takes_too_long_is_cancelled(house: AthenaHouse) -> None:
    clock = Clock()
    connection = replace(CONNECTION, timeout=timedelta(seconds=60))
    engine = AthenaEngine(connection, clock.pause, clock.read)

    with pytest.raises(TransientError, match=r"q\.sql: ran longer than 60 s .* was cancelled"):
        engine.query(ENDLESS, WINDOW, "q.sql")

    assert last_state() == "CANCELLED"
    assert clock.pauses[0] == 0.2
    assert clock.pauses == sorted(clock.pauses)
    assert max(clock.pauses) == 5
    assert 60 <= clock.now < 65


def test_a_query_is_cancelled_when_its_task_is_stopped(house: AthenaHouse) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.engine(pause=interrupted).query(ENDLESS, WINDOW)

    assert last_state() == "CANCELLED"


def test_a_repeated_start_of_a_run_starts_nothing(house: AthenaHouse) -> None:
    engine = house.engine()
    first = engine.start("select 1 as n", run="crawl 7")

    assert engine.start("select 1 as n", run="crawl 7") == first
    others = {
        engine.start("select 1 as n", run="crawl 8"),
        engine.start("select 2 as n", run="crawl 7"),
        engine.start("select 1 as n"),
        engine.start("select 1 as n"),
    }
    assert len(others | {first}) == 5
    assert finished(engine, first).to_pylist() == [{"n": 1}]


def test_results_are_reused_and_then_kept(house: AthenaHouse, caplog: Any) -> None:
    caplog.set_level("INFO", "bartizan")
    inside = "event_time >= {{ start }} and event_time < {{ end }}"
    query = f"select count(*) as n from waf.wide where {inside}"
    kept = f"s3://{BUCKET}/kept/"
    engine = house.engine(replace(CONNECTION, output=kept, reuse_minutes=30))

    first, second = (engine.query(query, WINDOW) for _ in range(2))

    assert first.to_pylist() == second.to_pylist() == [{"n": 20_000}]
    scanned = [line for line in caplog.messages if "scanned" in line]
    assert ["an earlier result was reused" in line for line in scanned] == [False, True]
    assert len(house.warehouse.objects.list(kept)) == 2  # one result, its metadata


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select 1 ::", "mismatched input '::'"),
        ("select nope from waf.wide", "Column 'nope' cannot be resolved"),
        ("select n from waf.none", "does not exist"),
        ("select cast('x' as bigint)", "Cannot cast 'x' to BIGINT"),
    ],
)
def test_a_query_at_fault_is_a_config_error(house: AthenaHouse, sql: str, error: str) -> None:
    engine = house.engine()

    with pytest.raises(ConfigError) as caught:
        finished(engine, engine.start(sql, origin="q.sql"))

    assert error in str(caught.value)
    assert str(caught.value).endswith("— correct the query")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ({"StateChangeReason": "slow", "AthenaError": {"Retryable": True}}, TransientError),
        ({"StateChangeReason": "broken", "AthenaError": {"ErrorCategory": 1}}, TransientError),
        ({"StateChangeReason": "Insufficient permissions to execute the query."}, UsageError),
        ({"StateChangeReason": "x: Cannot cast 'Access denied' to BIGINT"}, ConfigError),
    ],
)
def test_whose_fault_a_failure_is(
    house: AthenaHouse, failure: dict[str, Any], kind: type[BartizanError]
) -> None:
    house.api.failure = failure
    try:
        with pytest.raises(kind, match=failure["StateChangeReason"]):
            house.engine().query(ENDLESS, WINDOW)
    finally:
        house.api.failure = None


def test_a_wrong_workgroup_is_a_usage_error(house: AthenaHouse) -> None:
    with pytest.raises(UsageError, match=r"Athena workgroup none: .*WorkGroup none is not found"):
        house.engine(replace(CONNECTION, workgroup="none")).query(ENDLESS, WINDOW)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointConnectionError(endpoint_url="http://192.0.2.1"), TransientError),
        (NoCredentialsError(), UsageError),
        (("ThrottlingException", 400), TransientError),
        (("TooManyRequestsException", 400), TransientError),
        (("InternalServerException", 500), TransientError),
        (("AccessDeniedException", 400), UsageError),
        (("NoSuchBucket", 404), UsageError),
    ],
)
def test_errors_of_aws_in_our_words(error: Any, kind: type[BartizanError]) -> None:
    def fail() -> None:
        if isinstance(error, Exception):
            raise error
        code, status = error
        answer = {
            "Error": {"Code": code, "Message": "no"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        raise ClientError(answer, "GetQueryExecution")

    with pytest.raises(kind, match=r"^the thing: "):
        _called(fail)


def _called(work: Callable[[], None]) -> None:
    with calling("the thing"):
        work()
