"""Saying something to an incident: first what it would change, then doing it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from bartizan.ui.data.answers import CAUSES, LONGEST_HOURS, Preview, give, preview
from bartizan.ui.guard import WriterDep
from bartizan.ui.pages import page
from bartizan.ui.site import HereDep

LONGEST_WHY = 500
NO_NUL = r"^[^\x00]*$"  # PostgreSQL keeps none
HOURS = (1, 4, 12, 24, 72, 168)  # that the form offers for a snooze

pages = APIRouter()
api = APIRouter(tags=["incidents"])


class Said(BaseModel):
    """An answer; `why` is asked for by some, `hours` is how long a snooze lasts. With `others`
    of the preview it is refused where somebody else has answered since."""

    kind: str
    why: str = Field("", max_length=LONGEST_WHY, pattern=NO_NUL)
    hours: int = Field(0, ge=0, le=LONGEST_HOURS)
    cause: str = ""
    others: int | None = None


class SaidInForm(Said):
    id: str


@pages.get("/answer")
def ask(here: HereDep, id: str, kind: str) -> HTMLResponse:
    found = preview(here.store, id, kind, here.visitor.name, here.at)
    return page(
        here,
        "answer.html.j2",
        "now",
        found=found,
        hours=HOURS,
        causes=CAUSES,
        longest_why=LONGEST_WHY,
    )


@pages.post("/answer")
def say(here: WriterDep, said: Annotated[SaidInForm, Form()]) -> RedirectResponse:
    _give(here, said.id, said)
    return RedirectResponse(f"incident?{urlencode({'id': said.id, 'done': said.kind})}", 303)


@api.get("/incidents/{incident_id}/answers/{kind}")
def read(here: HereDep, incident_id: str, kind: str) -> Preview:
    """What an answer would change; writes nothing."""
    return preview(here.store, incident_id, kind, here.visitor.name, here.at)


@api.post("/incidents/{incident_id}/answers")
def write(here: WriterDep, incident_id: str, said: Said) -> dict[str, Any]:
    """Acknowledge, snooze, resume, or give feedback: confirmed, expected, false_alarm, new_normal,
    none."""
    return _give(here, incident_id, said)


def _give(here: WriterDep, incident_id: str, said: Said) -> dict[str, Any]:
    return give(
        here.store,
        incident_id,
        said.kind,
        here.visitor.name,
        here.at,
        said.why,
        said.hours,
        said.cause or None,
        said.others,
    )
