"""Who asks, when, and of which store: what every view is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from bartizan.store import Store
from bartizan.ui.tokens import Tokens


@dataclass(frozen=True)
class Visitor:
    """A person who may look, and whether they may also act.

    `may_block` says whether they may also have a say in what is blocked.
    """

    name: str
    may_write: bool
    may_block: bool = False


@dataclass(frozen=True)
class Site:
    """What the app is made with; the store is opened when it is first asked for."""

    store: Callable[[], Store]
    clock: Callable[[], datetime]
    tokens: Tokens


@dataclass(frozen=True)
class Here:
    """One request: `token` goes into the forms of the visitor."""

    visitor: Visitor
    at: datetime
    store: Store
    token: str


def here(request: Request) -> Here:
    site: Site = request.app.state.site
    visitor: Visitor = request.state.visitor
    at = site.clock()
    return Here(visitor, at, site.store(), site.tokens.of(visitor.name, at))


HereDep = Annotated[Here, Depends(here)]
