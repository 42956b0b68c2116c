"""The plot of one series around an incident, as SVG for a page with a light and a dark theme."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from bartizan.dispatch.series import IncidentSeries
from bartizan.model.anomaly import Incident
from bartizan.model.text import number
from bartizan.model.window import Window, naive

_CONTEXT = timedelta(hours=12)
_CONTEXT_INTERVALS = 24

# Stand-ins that become CSS variables, so that the page's theme colours the plot.
_COLOURS = {
    "#010203": "var(--ink)",
    "#010204": "var(--muted)",
    "#010205": "var(--rule)",
    "#010206": "var(--band)",
    "#010207": "var(--expected)",
    "#010208": "var(--accent)",
    "#010209": "var(--window)",
    "#01020a": "var(--card)",
}
_INK, _MUTED, _RULE, _BAND, _EXPECTED, _ACCENT, _WINDOW, _CARD = _COLOURS
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bartizan",
    "path.simplify": True,
    "font.size": 9.5,
    "text.color": _INK,
    "axes.edgecolor": _RULE,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
}


def plot(scores: pd.DataFrame, incident: Incident, series: IncidentSeries) -> str:
    """An `<svg>` element: value, expected line, band lower to upper, anomalies marked.

    Shows at least 12 hours or 24 intervals on both sides of the incident, where there are scores.
    Returns an empty string when `scores` holds no point of the series there.
    """
    points = _around(scores, incident, series)
    if points.empty:
        return ""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9.2, 2.9))
        _draw(figure, points, incident, series)
        return _as_svg(figure)


def _around(scores: pd.DataFrame, incident: Incident, series: IncidentSeries) -> pd.DataFrame:
    margin = max(_CONTEXT, _CONTEXT_INTERVALS * timedelta(seconds=incident.frequency_seconds))
    start, end = naive(incident.window.start), naive(incident.window.end)
    times = scores["interval_start"]
    chosen = (scores["measure"] == incident.measure) & (times >= start - margin)
    chosen &= times < end + margin
    for name, value in series.dimensions:
        chosen &= scores[name] == value
    return scores[chosen].sort_values("interval_start")


def _draw(figure: Figure, points: pd.DataFrame, incident: Incident, series: IncidentSeries) -> None:
    axes = figure.add_axes((0.062, 0.13, 0.913, 0.79))
    step = np.timedelta64(incident.frequency_seconds, "s")
    middle = points["interval_start"].to_numpy() + step // 2
    axes.axvspan(
        _days(incident.window.start), _days(incident.window.end), color=_WINDOW, linewidth=0
    )
    lower, upper = points["lower"].clip(lower=0).to_numpy(), points["upper"].to_numpy()
    axes.fill_between(middle, lower, upper, color=_BAND, linewidth=0, step="mid")
    axes.plot(middle, points["expected"], color=_EXPECTED, linewidth=1.3, linestyle=(0, (4, 2)))
    axes.plot(middle, points["value"], color=_INK, linewidth=1.1)
    axes.plot(
        [_middle(anomaly.interval) for anomaly in series.anomalies],
        [anomaly.value for anomaly in series.anomalies],
        linestyle="none",
        marker="o",
        markersize=5,
        color=_ACCENT,
        markeredgecolor=_CARD,
        markeredgewidth=0.8,
    )
    _dress(axes, middle, step)


def _middle(interval: Window) -> float:
    return (_days(interval.start) + _days(interval.end)) / 2


def _days(instant: datetime) -> float:
    """Position on the time axis."""
    return float(date2num(naive(instant)))  # type: ignore[no-untyped-call]


def _dress(axes: mpl.axes.Axes, middle: np.ndarray, step: np.timedelta64) -> None:
    axes.set_xlim(middle[0] - step, middle[-1] + step)
    if min(axes.dataLim.y0, 0) >= 0:  # counts: a cut axis would exaggerate
        axes.set_ylim(bottom=0)
    axes.margins(y=0.08)
    locator: Any = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter: Any = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _position: number(value))
    axes.grid(axis="y", color=_RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, axis="y")
    axes.patch.set_visible(False)


def _as_svg(figure: Figure) -> str:
    figure.patch.set_visible(False)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    # The page styles text and lines; a style element would apply to the whole page.
    svg = re.sub(r"<defs>\s*<style.*?</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]*;", "", svg)
    # Ids of groups repeat from plot to plot; only those of definitions are referred to.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    svg = svg.replace("<svg ", '<svg role="img" aria-label="Observed and expected values" ', 1)
    for stand_in, variable in _COLOURS.items():
        svg = svg.replace(stand_in, variable)
    return svg.strip()
