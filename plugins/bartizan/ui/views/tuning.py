"""Tuning: other thresholds and rules, tried on what was scored."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel, Field

from bartizan import jobs
from bartizan.store.detectors import load_detectors
from bartizan.ui.pages import page
from bartizan.ui.site import Here, HereDep

DAYS = (7, 30, 90)

pages = APIRouter()
api = APIRouter(tags=["tuning"])


class Tried(BaseModel):
    """Settings to try; without a threshold that of the detector."""

    threshold: float | None = None
    days: int = 30
    absolute: float = Field(0.0, allow_inf_nan=False)
    percent: float = Field(0.0, allow_inf_nan=False)
    at_least: int = 1
    among: int = 1

    def knobs(self, detector: str) -> jobs.Knobs:
        usual = jobs.load_connector(detector).alert_threshold
        threshold = usual if self.threshold is None else self.threshold
        return jobs.Knobs(threshold, self.absolute, self.percent, self.at_least, self.among)


class TriedOn(Tried):
    detector: str = ""


@pages.get("/tuning")
def show(here: HereDep, tried: Annotated[TriedOn, Query()]) -> HTMLResponse:
    names = _scored(here)
    name = tried.detector or (names[0] if names else "")
    found = _tune(name, tried) if name else None
    return page(
        here,
        "tuning.html.j2",
        "tuning",
        names=names,
        name=name,
        tried=tried,
        found=found,
        query=urlencode(tried.model_dump(exclude_none=True) | {"detector": name}),
        days=sorted({*DAYS, tried.days}),
    )


@pages.get("/tuning.diff")
def download(tried: Annotated[TriedOn, Query()]) -> PlainTextResponse:
    text: str = _tune(tried.detector, tried)["diff"]
    headers = {"Content-Disposition": 'attachment; filename="bartizan.diff"'}
    return PlainTextResponse(text, headers=headers)


@api.get("/tuning/{detector}")
def read(detector: str, tried: Annotated[Tried, Query()]) -> dict[str, Any]:
    """Alerts of the last days as the detector is set, and as tried; writes nothing."""
    return _tune(detector, tried)


def _tune(name: str, tried: Tried) -> dict[str, Any]:
    return jobs.tune(name, tried.knobs(name), tried.days)


def _scored(here: Here) -> list[str]:
    """Detectors that have scores, and whose connector is still there."""
    known = set(jobs.connector_names())
    return [
        one.name for one in load_detectors(here.store) if one.scored_through and one.name in known
    ]
