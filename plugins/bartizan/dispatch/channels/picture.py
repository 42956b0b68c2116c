"""The picture of an e-mail: observed and expected values of the leading series, as PNG."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.figure import Figure

_INK, _BAND, _EXPECTED = "#b42318", "#d0e2f4", "#1f5f99"
_TICKS = 8


def png(points: list[dict[str, Any]]) -> bytes:
    """`points` as the shape of the e-mail gives them; the same points give the same bytes."""
    figure = Figure(figsize=(7.2, 2.6), dpi=110)
    axes = figure.add_axes((0.08, 0.2, 0.9, 0.74))
    places = range(len(points))
    lower, upper, expected, value = (
        [float("nan") if one[name] is None else one[name] for one in points]
        for name in ("lower", "upper", "expected", "value")
    )
    width = [high - low for low, high in zip(lower, upper, strict=True)]
    axes.bar(places, width, bottom=lower, width=0.9, color=_BAND, label="usual range")
    axes.plot(places, expected, linestyle="none", marker="_", markersize=12, color=_EXPECTED)
    axes.plot(places, value, marker="o", markersize=5, linewidth=1, color=_INK, label="observed")
    every = max(1, -(-len(points) // _TICKS))
    times = [one["start"][5:16].replace("T", " ") for one in points[::every]]
    axes.set_xticks(places[::every], times, fontsize=8)
    if min(axes.dataLim.y0, 0) >= 0:  # counts: a cut axis would exaggerate
        axes.set_ylim(bottom=0)
    axes.tick_params(axis="y", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
