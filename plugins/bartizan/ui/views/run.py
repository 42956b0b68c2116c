"""From a run of a DAG to the view that shows what came of it."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from bartizan.ui.pages import page
from bartizan.ui.site import HereDep

pages = APIRouter()
api = APIRouter()

_DATA = ("waf_land", "waf_aggregate", "waf_reconcile", "lake_maintenance", "lake_mirror")
_OF_CONNECTORS = ("crawl_", "detect_", "backfill_")


@pages.get("/run")
def show(here: HereDep, dag_id: str = "") -> Response:
    if dag_id in _DATA:
        return RedirectResponse("health", 303)
    if dag_id.startswith(_OF_CONNECTORS):
        connector = dag_id.partition("_")[2]
        return RedirectResponse(f"detectors#{quote(connector)}", 303)
    if dag_id == "dispatch":
        return RedirectResponse("./", 303)
    return page(here, "run.html.j2", "", dag_id=dag_id)
