"""Pages of a selection: each leads to the others with the same selection."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi.responses import HTMLResponse

from bartizan.ui.data.choices import choices
from bartizan.ui.pages import page
from bartizan.ui.selection import Selection
from bartizan.ui.site import Here


class Selected(Protocol):
    """What a view found for a selection."""

    @property
    def selection(self) -> Selection: ...


def selected_page(here: Here, view: str, found: Selected, **values: Any) -> HTMLResponse:
    """The page of a view, which has a template of its own name."""
    offered = choices(here.store, found.selection)
    return page(
        here, f"{view}.html.j2", "explorer", view=view, found=found, choices=offered, **values
    )
