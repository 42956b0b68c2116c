"""Deploys: listed, told of, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator, BaseModel, Field

from bartizan import jobs
from bartizan.model.deploy import LONGEST_TEXT
from bartizan.ui.data.deploys import mark, unmark
from bartizan.ui.guard import WriterDep

pages = APIRouter()
api = APIRouter(tags=["marks"])

MOST_QUERY = 4000


def _utc(at: datetime) -> datetime:
    """A form sends its time without a zone."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class Marked(BaseModel):
    """A deploy; detector and web ACL are empty for all. `at` without a zone is UTC."""

    at: Annotated[datetime, AfterValidator(_utc)]
    what: Text
    detector: Text = ""
    webacl: Text = ""


class MarkedInForm(Marked):
    query: Annotated[str, Field(max_length=MOST_QUERY)] = ""


class Unmarked(BaseModel):
    id: Text
    query: Annotated[str, Field(max_length=MOST_QUERY)] = ""


@pages.post("/mark")
def say(here: WriterDep, said: Annotated[MarkedInForm, Form()]) -> RedirectResponse:
    mark(here.store, here.visitor.name, here.at, said.at, said.what, said.detector, said.webacl)
    return _back(said.query)


@pages.post("/unmark")
def take_back(here: WriterDep, said: Annotated[Unmarked, Form()]) -> RedirectResponse:
    unmark(here.store, here.visitor.name, here.at, said.id)
    return _back(said.query)


@api.get("/marks")
def read() -> list[dict[str, Any]]:
    """All deploys that were told of, by time."""
    return jobs.list_deploys()


@api.post("/marks")
def write(here: WriterDep, said: Marked) -> dict[str, Any]:
    """Tell of a deploy; told twice, it is one."""
    return mark(
        here.store, here.visitor.name, here.at, said.at, said.what, said.detector, said.webacl
    )


@api.post("/marks/{deploy_id}/remove")
def remove(here: WriterDep, deploy_id: str) -> dict[str, Any]:
    """Forget a deploy; returns what it was."""
    return unmark(here.store, here.visitor.name, here.at, deploy_id)


def _back(query: str) -> RedirectResponse:
    """To the Explorer as it was looked at."""
    return RedirectResponse(f"explorer?{urlencode(parse_qsl(query))}#marks", 303)
