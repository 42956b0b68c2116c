"""Rules of alerts.yaml: tried on what was scored, and changed in the file."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from pydantic import BaseModel, Field, Json

from bartizan import jobs
from bartizan.dispatch.rules_text import Section
from bartizan.ui.data.rule_edit import apply_rule, rule_page, try_rule
from bartizan.ui.data.rule_fields import RuleFields
from bartizan.ui.guard import WriterDep
from bartizan.ui.pages import page
from bartizan.ui.site import ROLES, Here, HereDep

pages = APIRouter()
api = APIRouter(tags=["alerts"])

Place = Annotated[int, Field(ge=0, le=10_000)]
Entry = dict[str, Any] | None


class RuleTried(RuleFields):
    """The fields of the form, where `tried` says that it was sent."""

    section: Section = "rules"
    place: Place = 0
    tried: bool = False
    remove: bool = False

    @property
    def fields(self) -> RuleFields:
        return RuleFields(**self.model_dump(include=set(RuleFields.model_fields)))


class RuleSaid(BaseModel):
    """`entry` is as it would stand in the file, None to remove it; `version` that of the file when
    it was looked at."""

    section: Section
    place: Place
    entry: Entry
    version: str = ""


class RuleInForm(RuleSaid):
    entry: Json[Entry]


@pages.get("/rule")
def show(here: HereDep, asked: Annotated[RuleTried, Query()]) -> HTMLResponse:
    _may_try(here)
    tried = asked.fields if asked.tried else None
    found = rule_page(asked.section, asked.place, tried, asked.remove)
    written = json.dumps(found.entry, default=str)
    query = urlencode(asked.model_dump(exclude_defaults=True), doseq=True)
    return page(here, "rule.html.j2", "detectors", found=found, written=written, query=query)


@pages.post("/rule")
def change(here: WriterDep, said: Annotated[RuleInForm, Form()]) -> RedirectResponse:
    _apply(here, said)
    return RedirectResponse("detectors?done=rule#told", 303)


@pages.get("/rule.diff")
def download(here: HereDep, asked: Annotated[RuleTried, Query()]) -> PlainTextResponse:
    _may_try(here)
    found = rule_page(asked.section, asked.place, asked.fields, asked.remove)
    text: str = found.preview["diff"] if found.preview else ""
    headers = {"Content-Disposition": 'attachment; filename="alerts.diff"'}
    return PlainTextResponse(text, headers=headers)


@api.get("/alert-rules/file")
def read(here: HereDep) -> dict[str, Any]:
    """Rules and quiet times as they are written, and whether they can be changed here."""
    _may_try(here)
    return jobs.list_rules()


@api.post("/alert-rules/preview")
def preview(here: WriterDep, said: RuleSaid) -> dict[str, Any]:
    """What another entry would have told in the last 30 days; writes nothing."""
    return try_rule(said.section, said.place, said.entry)


@api.post("/alert-rules")
def write(here: WriterDep, said: RuleSaid) -> dict[str, Any]:
    """Change the file in place; refused where it is no longer the version looked at."""
    return _apply(here, said)


def _may_try(here: Here) -> None:
    """The file names addresses of channels, which are nothing for everybody's eyes."""
    if not here.visitor.may_write:
        raise HTTPException(403, f"You may not change who is told; {ROLES}.")


def _apply(here: Here, said: RuleSaid) -> dict[str, Any]:
    by, at = here.visitor.name, here.at
    return apply_rule(here.store, by, at, said.section, said.place, said.entry, said.version)
