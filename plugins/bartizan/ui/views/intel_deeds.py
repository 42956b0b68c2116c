"""Answering a plan, taking an apply back, and the switch: first what it would change, then it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from bartizan.ui.data.intel_answers import Answered, Option, answer
from bartizan.ui.data.intel_deeds import DeedPreview, preview_switch, preview_undo, switch, undo
from bartizan.ui.guard import BlockerDep, EntitledDep
from bartizan.ui.pages import page
from bartizan.ui.site import Here

LONGEST_WHY = 500
Kind = Literal["undo", "stop", "resume"]

pages = APIRouter()
api = APIRouter(tags=["intel"])


class Wanted(BaseModel):
    """`id` is the apply to take back; `why` is kept with the switch."""

    id: str = ""
    why: str = Field("", max_length=LONGEST_WHY)


class WantedInForm(Wanted):
    kind: Kind


class Answer(BaseModel):
    """What to answer, and which run of `respond` asks."""

    option: Option
    run_id: str = Field(min_length=1, max_length=250)


@pages.get("/intel-deed")
def ask(here: EntitledDep, kind: Kind, id: str = "") -> HTMLResponse:
    found = _preview(here, kind, id)
    return page(here, "intel_deed.html.j2", "intel", found=found, longest_why=LONGEST_WHY)


@pages.post("/intel-deed")
def do(here: BlockerDep, wanted: Annotated[WantedInForm, Form()]) -> RedirectResponse:
    _do(here, wanted.kind, wanted)
    return RedirectResponse(f"intel?{urlencode({'done': wanted.kind})}", 303)


@api.get("/intel/deeds/{kind}")
def read(here: EntitledDep, kind: Kind, id: str = "") -> DeedPreview:
    """What an undo, stop or resume would change; writes nothing."""
    return _preview(here, kind, id)


@api.post("/intel/deeds/{kind}")
def write(here: BlockerDep, kind: Kind, wanted: Wanted) -> dict[str, Any]:
    """Take an apply back, stop adding anything to any IP set, or let plans be applied again."""
    return _do(here, kind, wanted)


@api.post("/intel/plans/{plan_id}/answer")
def write_answer(here: BlockerDep, plan_id: str, said: Answer) -> Answered:
    """Note an answer to the DAG `respond`; returns the call of Airflow's API that gives it, to be
    made as oneself."""
    by, at = here.visitor.name, here.at
    return answer(here.store, plan_id, said.option, said.run_id, by, at)


def _preview(here: Here, kind: Kind, id: str) -> DeedPreview:
    if kind == "undo":
        return preview_undo(here.store, id, here.visitor.name, here.at)
    return preview_switch(here.store, kind == "stop", here.at)


def _do(here: Here, kind: Kind, wanted: Wanted) -> dict[str, Any]:
    if kind == "undo":
        return undo(here.store, wanted.id, here.visitor.name, here.at)
    return switch(here.store, kind == "stop", here.visitor.name, wanted.why, here.at)
