"""Series."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from bartizan.ui.asked import SelectionDep
from bartizan.ui.chart import chart
from bartizan.ui.csv_text import csv_text
from bartizan.ui.data.series import Series, series
from bartizan.ui.selected_page import selected_page
from bartizan.ui.site import HereDep

MOST_LISTED = 400
_COLUMNS = ("value", "expected", "lower", "upper", "severity", "direction", "reason", "before")

pages = APIRouter()
api = APIRouter(tags=["scores"])


@pages.get("/series")
def show(here: HereDep, selection: SelectionDep) -> HTMLResponse:
    found = series(here.store, selection)
    return selected_page(
        here,
        "series",
        found,
        chart=chart(found.points, found.spans, found.step, found.threshold, found.marks),
        listed=found.points[-MOST_LISTED:],
    )


@pages.get("/series.csv")
def download(here: HereDep, selection: SelectionDep) -> Response:
    found = series(here.store, selection)
    about = found.selection
    header = ("interval_start", *(name for name, _ in about.where), "measure", *_COLUMNS)
    rows = (
        (
            one.at,
            *(value for _, value in about.where),
            about.measure,
            *(getattr(one, name) for name in _COLUMNS),
        )
        for one in found.points
    )
    name = f"{about.detector}-{found.shown.start:%Y%m%d%H%M}.csv"
    return Response(
        csv_text(header, rows),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@api.get("/series")
def read(here: HereDep, selection: SelectionDep) -> Series:
    """A series, or the sum of those that have the values chosen, interval by interval."""
    return series(here.store, selection)
