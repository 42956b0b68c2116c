"""Data health, and what is behind its numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import Field

from bartizan.ui.data.batch import BatchPage, batch_page
from bartizan.ui.data.health import Health, health
from bartizan.ui.data.quarantine import Quarantine, quarantine
from bartizan.ui.pages import page
from bartizan.ui.site import HereDep

Day = Annotated[date, Field(gt=date.min, lt=date.max)]  # it has a day before and one after

pages = APIRouter()
api = APIRouter(tags=["health"])


@pages.get("/health")
def show(here: HereDep, day: Day | None = None) -> HTMLResponse:
    return page(here, "health.html.j2", "health", found=_health(here, day))


@pages.get("/batch")
def show_batch(here: HereDep, id: str) -> HTMLResponse:
    return page(here, "batch.html.j2", "health", found=batch_page(here.store, id))


@pages.get("/quarantine")
def show_quarantine(here: HereDep) -> HTMLResponse:
    return page(here, "quarantine.html.j2", "health", found=quarantine())


@api.get("/health")
def read(here: HereDep, day: Day | None = None) -> Health:
    """What came in on a UTC day, else on the last that has data; how far each step is."""
    return _health(here, day)


@api.get("/batches/{batch_id}")
def read_batch(here: HereDep, batch_id: str) -> BatchPage:
    """What a batch amounts to, and what its checks found."""
    return batch_page(here.store, batch_id)


@api.get("/quarantine")
def read_quarantine() -> Quarantine:
    """How many records are in quarantine, by reason."""
    return quarantine()


def _health(here: HereDep, day: date | None) -> Health:
    chosen = None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return health(here.store, here.at, chosen)
