"""The API itself: who is asking, and its description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request

from bartizan.ui.guard import HEADER
from bartizan.ui.site import HereDep

router = APIRouter(tags=["api"])


@dataclass(frozen=True)
class Me:
    """`token` goes into the header `header` of every request that changes something."""

    name: str
    may_write: bool
    token: str
    header: str = HEADER


@router.get("/me")
def me(here: HereDep) -> Me:
    """Who is asking, and the token for requests that change something."""
    return Me(here.visitor.name, here.visitor.may_write, here.token)


@router.get("/openapi.json", include_in_schema=False)
def description(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = request.app.openapi()
    return found
