"""Contributions."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bartizan.model.story import combination, without
from bartizan.ui.chart import change_bar
from bartizan.ui.data.contributions import Contributions, contributions
from bartizan.ui.pages import page
from bartizan.ui.selection import SelectionDep
from bartizan.ui.site import HereDep

pages = APIRouter()
api = APIRouter(tags=["scores"])


@pages.get("/contributions")
def show(here: HereDep, selection: SelectionDep) -> HTMLResponse:
    return page(
        here,
        "contributions.html.j2",
        "explorer",
        found=contributions(here.store, selection),
        view="contributions",
        combination=combination,
        without=without,
        bar=change_bar,
    )


@api.get("/contributions")
def read(here: HereDep, selection: SelectionDep) -> Contributions:
    """What was seen and expected by dimension value, what is left without each, and the causes."""
    return contributions(here.store, selection)
