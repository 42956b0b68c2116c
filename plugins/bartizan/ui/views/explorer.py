"""Explorer."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bartizan.ui.asked import SelectionDep
from bartizan.ui.data.explorer import Explorer, explorer
from bartizan.ui.selected_page import selected_page
from bartizan.ui.site import HereDep

pages = APIRouter()
api = APIRouter(tags=["scores"])


@pages.get("/explorer")
def show(here: HereDep, selection: SelectionDep) -> HTMLResponse:
    found = explorer(here.store, selection)
    return selected_page(here, "explorer", found)


@api.get("/explorer")
def read(here: HereDep, selection: SelectionDep) -> Explorer:
    """The highest severity by dimension value and time, and the series and incidents behind it."""
    return explorer(here.store, selection)
