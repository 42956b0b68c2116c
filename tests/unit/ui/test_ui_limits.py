"""One visitor cannot hold all threads of Airflow's server."""

from __future__ import annotations

import asyncio

import pytest
from dashboard_house import READER, WRITER, DashboardHouse
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from bartizan.ui.limits import MOST_AT_ONCE, MOST_WAITING

ALLOWED = MOST_AT_ONCE + MOST_WAITING


def test_a_visitor_waits_for_the_own_requests_and_not_for_those_of_others(
    house: DashboardHouse,
) -> None:
    house = DashboardHouse(own_app=True)
    app = house.client.app
    assert isinstance(app, FastAPI)

    async def asked() -> tuple[int, list[int]]:
        go, under_way = asyncio.Event(), 0

        @app.get("/slow")
        async def slow() -> None:
            nonlocal under_way
            under_way += 1
            await go.wait()

        transport = ASGITransport(app)
        async with AsyncClient(transport=transport, base_url="http://testserver") as web:
            house.visitor = READER
            held = {asyncio.create_task(web.get("/slow")) for _ in range(ALLOWED + 3)}
            refused: set[asyncio.Task[Response]] = set()
            while len(refused) < 3:  # then all have come
                over, held = await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
                refused |= over
            house.visitor = WRITER
            of_another = await web.get("/api/v1/me")
            at_once = under_way
            go.set()
            done = await asyncio.gather(*held)
            house.visitor = READER
            after = await web.get("/api/v1/me")
        answers = [*(one.result() for one in refused), of_another, after, *done]
        return at_once, [one.status_code for one in answers]

    at_once, answers = asyncio.run(asyncio.wait_for(asked(), 30))
    assert at_once == MOST_AT_ONCE
    assert answers == [429, 429, 429, 200, 200, *[200] * ALLOWED]


@pytest.mark.parametrize("path", ["/incident?id=nothing", "/health?day=nothing", "/answer"])
def test_requests_that_fail_are_over_too(house: DashboardHouse, path: str) -> None:
    for _ in range(MOST_AT_ONCE + 1):
        assert house.client.get(path).status_code in (400, 422)
    assert house.client.get("/api/v1/me").status_code == 200
