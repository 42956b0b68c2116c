"""A detector that has not begun: what it would begin with."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bartizan import jobs
from bartizan.ui.pages import page
from bartizan.ui.site import Here, HereDep

pages = APIRouter()
api = APIRouter(tags=["detectors"])


@pages.get("/begin")
def show(here: HereDep, name: str, look: bool = False) -> HTMLResponse:
    return page(here, "begin.html.j2", "detectors", found=_preview(here, name, look), look=look)


@api.get("/detectors/{name}/preview")
def read(here: HereDep, name: str, look: bool = False) -> dict[str, Any]:
    """What a detector would begin with: history, and what learning would cost; writes nothing. With
    `look` the connector's query is run over the last interval."""
    return _preview(here, name, look)


def _preview(here: Here, name: str, look: bool) -> dict[str, Any]:
    """Asks the source, which may cost something: for who may have it run."""
    here.visitor.needs(f"detect_{name}")
    return jobs.preview_detector(name, here.at, look)
