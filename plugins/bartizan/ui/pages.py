"""Pages of templates, and how one gets from one view to the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader

from bartizan.dispatch import html
from bartizan.model.window import format_time
from bartizan.ui.selection import around, has_scores
from bartizan.ui.site import Here


@dataclass(frozen=True)
class Link:
    """A view in the navigation; `href` is relative, so that it works behind any path prefix."""

    tab: str
    href: str
    name: str


NAVIGATION = (
    Link("now", "./", "Now"),
    Link("explorer", "explorer", "Explorer"),
    Link("intel", "intel", "Threat intelligence"),
    Link("health", "health", "Data health"),
    Link("detectors", "detectors", "Detectors"),
    Link("tuning", "tuning", "Tuning"),
)


@cache
def _environment() -> Environment:
    own = PackageLoader("bartizan.ui", "templates")
    made = html.environment(ChoiceLoader([own, html.TEMPLATES]))
    made.filters["iso"] = format_time
    made.globals["navigation"] = NAVIGATION
    made.globals |= {"around": around, "has_scores": has_scores}
    return made


def page(here: Here, template: str, tab: str, **values: Any) -> HTMLResponse:
    """The page of a template; `tab` is the one that the navigation marks as open."""
    text = _environment().get_template(template).render(here=here, tab=tab, **values)
    return HTMLResponse(text)


def bare_page(template: str, status: int, **values: Any) -> HTMLResponse:
    """A page for somebody whom we do not know, or when something is wrong."""
    return HTMLResponse(_environment().get_template(template).render(**values), status)
