"""Detectors, and runs that are asked for."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from bartizan.model.window import Window
from bartizan.ui.data.alert_rules import AlertRules, alert_rules
from bartizan.ui.data.detectors import Detectors, detectors
from bartizan.ui.data.runs import Asked, ask_backfill, ask_promote, deactivate
from bartizan.ui.guard import WriterDep
from bartizan.ui.pages import page
from bartizan.ui.site import HereDep

pages = APIRouter()
api = APIRouter(tags=["detectors"])


class Backfill(BaseModel):
    """[start, end) in UTC; a dry run only counts."""

    start: datetime
    end: datetime
    dry_run: bool = True
    backtest: bool = False


@pages.get("/detectors")
def show(here: HereDep, done: str = "") -> HTMLResponse:
    found, told = detectors(here.store), alert_rules()
    return page(here, "detectors.html.j2", "detectors", found=found, told=told, done=done)


@api.get("/detectors")
def read(here: HereDep) -> Detectors:
    """All detectors with what they watch and how ready they are."""
    return detectors(here.store)


@api.get("/alert-rules")
def read_rules() -> AlertRules:
    """Who is told of what, in words."""
    return alert_rules()


@api.post("/detectors/{name}/backfill")
def backfill(here: WriterDep, name: str, asked: Backfill) -> Asked:
    """Note a backfill; returns the calls of Airflow's API that start it, to be made as oneself."""
    here.visitor.needs(f"backfill_{name}")
    window = Window(asked.start, asked.end)
    by, at = here.visitor.name, here.at
    return ask_backfill(here.store, name, window, asked.dry_run, asked.backtest, by, at)


@api.post("/detectors/{name}/promote")
def promote(here: WriterDep, name: str) -> Asked:
    """Activate a detector; returns the calls that have its DAGs run."""
    here.visitor.needs(f"crawl_{name}", f"detect_{name}")
    return ask_promote(here.store, name, here.visitor.name, here.at)


@api.post("/detectors/{name}/deactivate")
def stop(here: WriterDep, name: str) -> Asked:
    """Have a detector score nothing more; it keeps what it learned."""
    here.visitor.needs(f"detect_{name}")
    return deactivate(here.store, name, here.visitor.name, here.at)
