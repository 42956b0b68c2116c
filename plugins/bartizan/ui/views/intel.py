"""Threat intelligence: what stands, a plan with its question, and candidates."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bartizan.ui.data.intel import Intel, intel
from bartizan.ui.data.intel_candidates import Candidates, candidates
from bartizan.ui.data.intel_plans import Now, PlanPage, PlanState, plan_page, would_do
from bartizan.ui.guard import EntitledDep
from bartizan.ui.pages import page
from bartizan.ui.site import Here, HereDep

DONE = {
    "undo": "It was taken back; the last changes show what left the set and what returned.",
    "stop": "Nothing is added to any IP set from now on.",
    "resume": "Plans can be applied again.",
}

pages = APIRouter()
api = APIRouter(tags=["intel"])


@pages.get("/intel")
def show(here: HereDep, done: str = "") -> HTMLResponse:
    found, said = intel(here.store, here.at), DONE.get(done, "")
    return page(here, "intel.html.j2", "intel", found=found, done=said)


@pages.get("/intel-plan")
def show_plan(here: HereDep, id: str) -> HTMLResponse:
    found = plan_page(here.store, id, here.at)
    now = _would_do(here, found) if here.visitor.may_block else None
    return page(here, "intel_plan.html.j2", "intel", found=found, now=now)


@pages.get("/intel-candidates")
def show_candidates(here: EntitledDep) -> HTMLResponse:
    found = candidates(here.store, here.at)
    return page(here, "intel_candidates.html.j2", "intel", found=found)


@api.get("/intel")
def read(here: HereDep) -> Intel:
    """What is planned, blocked, about to expire, and heard from other accounts."""
    return intel(here.store, here.at)


@api.get("/intel/plans/{plan_id}")
def read_plan(here: HereDep, plan_id: str) -> PlanPage:
    """A plan: what it would add and remove, what it refused, what became of it."""
    return plan_page(here.store, plan_id, here.at)


@api.get("/intel/plans/{plan_id}/now")
def read_now(here: EntitledDep, plan_id: str) -> Now | None:
    """What an apply would do to the sets as they are; nothing for a plan that waits no more."""
    return _would_do(here, plan_page(here.store, plan_id, here.at))


@api.get("/intel/candidates")
def read_candidates(here: EntitledDep) -> Candidates:
    """Whom our own logs of the last day accuse; runs queries."""
    return candidates(here.store, here.at)


def _would_do(here: Here, found: PlanPage) -> Now | None:
    if found.plan.state is not PlanState.WAITS:
        return None
    return would_do(found.plan.id, here.visitor.name, here.at)
