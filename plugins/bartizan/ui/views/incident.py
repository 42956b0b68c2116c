"""One incident."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bartizan.store.audit import DONE
from bartizan.ui.data.answers import ANSWERS
from bartizan.ui.data.incident import IncidentPage, incident_page
from bartizan.ui.pages import page
from bartizan.ui.site import HereDep

pages = APIRouter()
api = APIRouter(tags=["incidents"])


@pages.get("/incident")
def show(here: HereDep, id: str, done: str = "") -> HTMLResponse:
    """`done` names the answer that was just given; of a link that somebody else made it is not."""
    found = incident_page(here.store, id, here.at)
    last = [(one.by, one.action, one.outcome) for one in found.audit[:1]]
    return page(
        here,
        "incident.html.j2",
        "now",
        found=found,
        view=found.body,
        answers=ANSWERS,
        done=done if last == [(here.visitor.name, done, DONE)] else "",
    )


@api.get("/incidents/{incident_id}")
def read(here: HereDep, incident_id: str) -> IncidentPage:
    """One incident with its evidence, its story, its messages and what people said."""
    return incident_page(here.store, incident_id, here.at)
