"""Recall against false incidents, for every threshold, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from weeks.figures import FALSE
from weeks.pooled import Pooled

LEAST = 0.005  # where no incident at all is false, on a logarithmic axis
AIM = (1.0, 0.95)  # false incidents a week and web ACL, recall at medium strength


def draw(curves: Sequence[Pooled], path: Path) -> None:
    """Write a PNG: left medium strength, right all strengths."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for axes, strength in zip(figure.subplots(1, 2, sharey=True), ("medium", None), strict=True):
        for name in dict.fromkeys(one.contender for one in curves):
            own = [one for one in curves if one.contender == name]
            false = [max(one.weekly(FALSE), LEAST) for one in own]
            axes.plot(false, [one.recall(strength) for one in own], marker="o", label=name)
            for x, one in zip(false, own, strict=True):
                axes.annotate(f"{one.threshold:g}", (x, one.recall(strength)), fontsize=6)
        axes.set(
            xscale="log",
            ylim=(0, 1.02),
            xlabel="false incidents in a week of one web ACL",
            title=f"{strength or 'all'} strength{'' if strength else 's'}",
        )
        axes.grid(alpha=0.3)
        if strength:
            axes.plot(*AIM, marker="*", markersize=14, linestyle="", color="black", label="aim")
            axes.set_ylabel("recall")
            axes.legend(fontsize=7)
    figure.savefig(path, dpi=110)
