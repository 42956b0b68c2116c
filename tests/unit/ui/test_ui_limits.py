"""One visitor cannot hold all threads of Airflow's server."""

from __future__ import annotations

import asyncio

import pytest
from dashboard_house import READER, WRITER, DashboardHouse
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from bartizan.ui.limits import MOST_AT_ONCE


def test_a_visitor_has_few_requests_at_once_whatever_others_do(house: DashboardHouse) -> None:
    app = house.client.app
    assert isinstance(app, FastAPI)

    async def asked() -> list[int]:
        came, go = asyncio.Semaphore(0), asyncio.Event()

        @app.get("/slow")
        async def slow() -> None:
            came.release()
            await go.wait()

        async with AsyncClient(transport=ASGITransport(app), base_url="http://testserver") as web:
            house.visitor = READER
            held = [asyncio.create_task(web.get("/slow")) for _ in range(MOST_AT_ONCE)]
            for _ in held:
                await asyncio.wait_for(came.acquire(), 10)
            refused = await web.get("/api/v1/me")
            house.visitor = WRITER
            of_another = await web.get("/api/v1/me")
            go.set()
            done = await asyncio.gather(*held)
            house.visitor = READER
            after = await web.get("/api/v1/me")
        return [one.status_code for one in (refused, of_another, after, *done)]

    assert asyncio.run(asked()) == [429, 200, 200, *[200] * MOST_AT_ONCE]


@pytest.mark.parametrize("path", ["/incident?id=nothing", "/health?day=nothing", "/answer"])
def test_requests_that_fail_are_over_too(house: DashboardHouse, path: str) -> None:
    for _ in range(MOST_AT_ONCE + 1):
        assert house.client.get(path).status_code in (400, 422)
    assert house.client.get("/api/v1/me").status_code == 200
