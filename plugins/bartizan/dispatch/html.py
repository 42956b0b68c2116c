"""How pages are made of templates: every value is escaped, and inert before that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bartizan.model.story import moment, severity_label, shown, span
from bartizan.model.text import inert, number, short

TEMPLATES = FileSystemLoader(Path(__file__).parent / "templates")
STYLE = "report.css.j2"  # the look of everything: the report and the pages of the dashboard

_LANE = 44  # characters beside the heat map
_SAMPLE = 200  # characters of a value of an example request


def environment(loader: BaseLoader) -> Environment:
    """Templates of `loader`; what they lack is an error, what they print is inert text."""
    made = Environment(
        loader=loader,
        autoescape=True,
        finalize=_inert,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "brief": lambda text: short(text, _LANE),
        "cut": lambda text: short(text, _SAMPLE),
        "label": severity_label,
        "moment": moment,
        "number": number,
        "shown": shown,
        "span": span,
    }
    return made


def stylesheet() -> str:
    """The style of the report, for pages that may not hold one themselves."""
    return environment(TEMPLATES).get_template(STYLE).render()


def _inert(value: Any) -> Any:
    """Every value printed passes here, so none can be forgotten; escaping follows after it."""
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value
