"""The Amazon provider's trigger, unmodified, waits for queries of the Athena engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from engine_athena import CONNECTION, AthenaHouse, athena_house

from bartizan.errors import ConfigError, TransientError

pytestmark = pytest.mark.airflow

ENDLESS = (
    "select count(*) as n from unnest(sequence(1, 1000000)) as a (i) "
    "cross join unnest(sequence(1, 1000000)) as b (i) where mod(a.i * b.i, 7) = 1"
)


@pytest.fixture(scope="module")
def house() -> Iterator[AthenaHouse]:
    with athena_house({}) as opened:
        yield opened


def fired(execution: str, seconds: int = 900) -> dict[str, Any]:
    """The event after a round trip through the triggerer's store."""
    from airflow.providers.amazon.aws.triggers.athena import AthenaTrigger

    from bartizan.orchestration.waiting import athena_trigger

    connection = replace(CONNECTION, region="us-east-1", timeout=timedelta(seconds=seconds))
    path, arguments = athena_trigger(execution, connection).serialize()
    assert path == f"{AthenaTrigger.__module__}.AthenaTrigger"

    async def first_event() -> dict[str, Any]:
        event = await anext(aiter(AthenaTrigger(**arguments).run()))
        return dict(event.payload)

    return asyncio.run(first_event())


def test_the_rows_are_there_when_the_trigger_has_fired(house: AthenaHouse) -> None:
    from bartizan.orchestration.waiting import awaited_rows

    engine = house.engine()
    event = fired(engine.start("select 5 as n"))

    assert event["status"] == "success"
    assert awaited_rows(engine, event, "q.sql").to_pylist() == [{"n": 5}]


def test_a_failed_query_says_why(house: AthenaHouse) -> None:
    from bartizan.orchestration.waiting import awaited_rows

    engine = house.engine()
    event = fired(engine.start("select 1 / 0 as n"))

    assert event["status"] == "error"
    with pytest.raises(ConfigError, match=r"q\.sql: DIVISION_BY_ZERO"):
        awaited_rows(engine, event, "q.sql")


def test_a_query_that_runs_too_long_is_cancelled(house: AthenaHouse) -> None:
    from bartizan.orchestration.waiting import awaited_rows

    engine = house.engine()
    execution = engine.start(ENDLESS)
    event = fired(execution, seconds=1)

    assert event["status"] == "error"
    with pytest.raises(TransientError, match="was cancelled"):
        awaited_rows(engine, event, "q.sql")
    with pytest.raises(TransientError, match="Query cancelled by user"):
        for _ in range(1000):
            engine.state(execution)
