"""The HTML report: one file that loads nothing, runs nothing and can be mailed or printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bartizan.dispatch.html import TEMPLATES, environment
from bartizan.dispatch.report_data import ReportData
from bartizan.dispatch.report_lanes import lanes
from bartizan.dispatch.report_stories import (
    MOST_SHOWN,
    StoryView,
    in_full,
    joined,
    story_views,
)
from bartizan.dispatch.report_text import as_json, as_markdown
from bartizan.dispatch.report_view import attack_views, incident_views, severity_counts
from bartizan.errors import UsageError
from bartizan.model.anomaly import IncidentState


def write_report(path: Path, report: ReportData) -> None:
    """Write the report to `path`, replacing what is there; the same data give the same bytes.

    HTML, Markdown or JSON by the ending. Raises UsageError for another.
    """
    match path.suffix.lower():
        case ".html" | ".htm":
            _write_html(path, report)
        case ".md":
            write_text(path, as_markdown(report, _without_plots(report)))
        case ".json":
            content = as_json(report, _without_plots(report))
            text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
            write_text(path, text + "\n")
        case ending:
            raise UsageError(
                "report", f"cannot be written as {ending!r}", "use .html, .md or .json"
            )


def _without_plots(report: ReportData) -> tuple[StoryView, ...]:
    return story_views(report, joined(report), incident_views(report, plotted=()))


def _write_html(path: Path, report: ReportData) -> None:
    stories = joined(report)
    views = incident_views(report, plotted=in_full(stories))
    shown = story_views(report, stories, views)
    write_page(
        path,
        "report.html.j2",
        report=report,
        incidents=views,
        severities=severity_counts(report),
        attacks=attack_views(report, views, stories),
        stories=shown,
        in_full=shown[:MOST_SHOWN],
        lanes=lanes(report.incidents, report.period),
        open_incidents=sum(one.state is IncidentState.OPEN for one in report.incidents),
    )


def write_page(path: Path, template: str, **values: Any) -> None:
    """Write a page from one of the templates, all values escaped."""
    write_text(path, environment(TEMPLATES).get_template(template).render(**values))


def write_text(path: Path, text: str) -> None:
    """Replace the file in one step; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    temporary.replace(path)
