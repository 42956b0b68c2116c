"""What people changed in the dashboard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import Field

from bartizan.store.audit import Audited, load_audit
from bartizan.ui.pages import page
from bartizan.ui.site import HereDep

MOST_SHOWN = 200

pages = APIRouter()
api = APIRouter(tags=["audit"])


@pages.get("/audit")
def show(here: HereDep) -> HTMLResponse:
    return page(here, "audit.html.j2", "", found=load_audit(here.store, most=MOST_SHOWN))


@api.get("/audit")
def read(here: HereDep, most: Annotated[int, Field(ge=1, le=1000)] = MOST_SHOWN) -> list[Audited]:
    """What was changed, the newest first; `asked` has no known outcome."""
    return load_audit(here.store, most=most)
