"""Contributions."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bartizan.model.story import combination, without
from bartizan.ui.asked import SelectionDep
from bartizan.ui.chart import change_bar
from bartizan.ui.data.contributions import Contributions, contributions
from bartizan.ui.selected_page import selected_page
from bartizan.ui.site import HereDep

pages = APIRouter()
api = APIRouter(tags=["scores"])


@pages.get("/contributions")
def show(here: HereDep, selection: SelectionDep) -> HTMLResponse:
    return selected_page(
        here,
        "contributions",
        contributions(here.store, selection),
        combination=combination,
        without=without,
        bar=change_bar,
    )


@api.get("/contributions")
def read(here: HereDep, selection: SelectionDep) -> Contributions:
    """What was seen and expected by dimension value, what is left without each, and the causes."""
    return contributions(here.store, selection)
