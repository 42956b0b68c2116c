"""The app: views, API, assets, who may come in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from bartizan import __version__, jobs
from bartizan.dispatch.html import stylesheet
from bartizan.ui import scores
from bartizan.ui.failures import answer_failures
from bartizan.ui.headers import SecurityHeaders
from bartizan.ui.limits import SmallBodies, Turns
from bartizan.ui.site import Site, Visitor
from bartizan.ui.tokens import Tokens
from bartizan.ui.views import (
    answers,
    api,
    audit,
    begin,
    detectors,
    health,
    incident,
    intel,
    intel_deeds,
    marks,
    now,
    rules,
    run,
    tuning,
)

VIEWS = (
    now,
    incident,
    answers,
    intel,
    intel_deeds,
    health,
    detectors,
    begin,
    rules,
    tuning,
    marks,
    audit,
    run,
)
API = "/api/v1"
_STATIC = Path(__file__).parent / "static"


def create_app(
    access: Callable[..., Any],
    key: bytes,
    clock: Callable[[], datetime] | None = None,
) -> FastAPI:
    """The dashboard as an app to mount anywhere.

    `access` is a FastAPI dependency that returns the Visitor, or raises HTTPException 401 or 403.
    `key` signs the tokens of forms. The clock is that of the machine unless given.
    """

    admitted, turns = Depends(access), Turns()

    async def admit(request: Request, visitor: Visitor = admitted) -> AsyncIterator[None]:
        request.state.visitor = visitor
        async with turns.taken(visitor.name):
            yield

    app = FastAPI(
        title="Bartizan",
        version=__version__,
        description="What the dashboard shows, as JSON. Times are UTC.",
        dependencies=[Depends(admit)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # it would need no permission; ui/views/api.py serves it
        redirect_slashes=False,  # it would lead to whatever host and scheme the server was told
    )
    app.state.site = Site(cache(jobs.open_store), clock or _now, Tokens(key))
    app.add_middleware(SmallBodies)
    app.add_middleware(SecurityHeaders)
    answer_failures(app)
    for view in (*VIEWS, *scores.VIEWS):
        app.include_router(view.pages, include_in_schema=False)
        app.include_router(view.api, prefix=API)
    app.include_router(api.router, prefix=API)
    app.add_route("/static/report.css", _report_style)
    app.mount("/static", StaticFiles(directory=_STATIC))
    return app


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _style() -> str:
    return stylesheet()


def _report_style(_request: Request) -> Response:
    return Response(_style(), media_type="text/css")
