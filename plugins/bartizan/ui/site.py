"""Who asks, when, and of which store: what every view is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from bartizan.store import Store
from bartizan.ui.tokens import Tokens

ROLES = "docs/dashboard.md says which role may"


def _none(_dag_id: str) -> bool:
    return False


@dataclass(frozen=True)
class Visitor:
    """A person who may look, whether they may also act, and which DAGs they may have run.

    `may_block` says whether they may also have a say in what is blocked.
    """

    name: str
    may_write: bool
    may_run: Callable[[str], bool] = _none
    may_block: bool = False

    def needs(self, *dag_ids: str) -> None:
        """Raises HTTPException 403 for the first DAG that they may not have run."""
        for dag_id in dag_ids:
            if not self.may_run(dag_id):
                raise HTTPException(403, f"You may not edit the DAG {dag_id}; {ROLES}.")


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
