"""The HTML report: one file that loads nothing, runs nothing and can be mailed or printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bartizan.dispatch.report_data import ReportData
from bartizan.dispatch.report_view import attack_views, incident_views, severity_counts
from bartizan.model.story import moment, severity_label, shown, span
from bartizan.model.text import inert, number

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(path: Path, report: ReportData) -> None:
    """Write the report to `path`, replacing what is there; the same data give the same bytes."""
    views = incident_views(report)
    write_page(
        path,
        "report.html.j2",
        report=report,
        incidents=views,
        severities=severity_counts(report),
        attacks=attack_views(report, views),
    )


def write_page(path: Path, template: str, **values: Any) -> None:
    """Write a page from one of the templates, all values escaped."""
    html = _environment().get_template(template).render(**values)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(html, encoding="utf-8")
    temporary.replace(path)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_inert,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "label": severity_label,
        "moment": moment,
        "number": number,
        "shown": shown,
        "span": span,
    }
    return environment


def _inert(value: Any) -> Any:
    """Every value printed passes here, so none can be forgotten; escaping follows after it."""
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value
