"""Now: the first page."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bartizan.ui.data.now import Now, now
from bartizan.ui.pages import page
from bartizan.ui.site import HereDep

pages = APIRouter()
api = APIRouter(tags=["now"])


@pages.get("/")
def show(here: HereDep) -> HTMLResponse:
    return page(here, "now.html.j2", "now", found=now(here.store, here.at))


@api.get("/now")
def read(here: HereDep) -> Now:
    """Open stories, the most severe first, and how far the data have come."""
    return now(here.store, here.at)
