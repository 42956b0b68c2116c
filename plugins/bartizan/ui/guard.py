"""What every write must show: the right to write, our own page, our own token."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request

from bartizan.ui.site import ROLES, Here, HereDep, Site

HEADER = "X-Bartizan-Token"
FIELD = "token"


async def writer(request: Request, here: HereDep) -> Here:
    """The request, if it may write.

    Raises HTTPException 403 for a visitor who may only look, for a request that another site made
    (Fetch Metadata, or Origin of browsers without it), and without a token of ours.
    """
    if not here.visitor.may_write:
        raise HTTPException(403, f"You may look at this, but not change it; {ROLES}.")
    if not _is_ours(request):
        raise HTTPException(403, "This was asked for by another site.")
    token = request.headers.get(HEADER) or str((await request.form()).get(FIELD, ""))
    site: Site = request.app.state.site
    if not site.tokens.holds(token, here.visitor.name, here.at):
        raise HTTPException(403, "The form is too old, or not ours: load its page again.")
    return here


WriterDep = Annotated[Here, Depends(writer)]


def entitled(here: HereDep) -> Here:
    """The request, if its visitor may have a say in what is blocked."""
    if not here.visitor.may_block:
        raise HTTPException(403, "You may not answer the required actions of the DAG respond.")
    return here


def blocker(here: WriterDep) -> Here:
    """The request, if it may write and its visitor may have a say in what is blocked."""
    return entitled(here)


EntitledDep = Annotated[Here, Depends(entitled)]
BlockerDep = Annotated[Here, Depends(blocker)]


def _is_ours(request: Request) -> bool:
    sent_from = request.headers.get("Sec-Fetch-Site")
    if sent_from is not None:
        return sent_from == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("Host")
