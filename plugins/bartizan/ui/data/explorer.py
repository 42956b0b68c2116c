"""Explorer: what was unusual where and when, and what is behind a part of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from bartizan.model.anomaly import Incident
from bartizan.model.story import headline, severity_label
from bartizan.model.window import Window
from bartizan.store import Store
from bartizan.store.overlapping import worst_overlapping
from bartizan.ui.data.heat import Column, Heat, heat
from bartizan.ui.data.marks import Mark, marks
from bartizan.ui.data.stored import stored
from bartizan.ui.data.unusual import Unusual, unusual
from bartizan.ui.selection import Selection

MOST_INCIDENTS = 10
MOST_TEXTS = 5  # of one kind in a column
LOOKED_AT = 60  # of the most severe of the time, for those that have the values of the selection


@dataclass(frozen=True)
class Told:
    """An incident of the selection."""

    id: str
    headline: str
    severity: int
    label: str
    window: Window


@dataclass(frozen=True)
class Lane:
    """Marks of a kind: per column what they say, empty without any."""

    kind: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Explorer:
    """`heat` and `marks` are of the whole window, `series` and `incidents` of what is chosen."""

    selection: Selection
    heat: Heat
    marks: tuple[Mark, ...]
    series: tuple[Unusual, ...]
    incidents: tuple[Told, ...]

    @property
    def narrows(self) -> bool:
        """Whether less is chosen than the heat map shows."""
        return self.selection.picked is not None or self.selection.by in self.selection.values

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return tuple(
            Lane(kind, _by_column(tuple(group), self.heat.columns))
            for kind, group in groupby(self.marks, key=lambda one: one.kind)
        )


def _by_column(marks: Sequence[Mark], columns: Sequence[Column]) -> tuple[str, ...]:
    """What the marks of a kind say in each column, of many the first."""
    starts = [one.window.start for one in columns]
    texts: list[list[str]] = [[] for _ in columns]
    for one in marks:
        first = max(bisect_right(starts, one.window.start) - 1, 0)
        for place in range(first, bisect_left(starts, one.window.end)):
            texts[place].append(one.text)
    more = (f", and {len(some) - MOST_TEXTS} more" if some[MOST_TEXTS:] else "" for some in texts)
    return tuple(
        ", ".join(some[:MOST_TEXTS]) + rest for some, rest in zip(texts, more, strict=True)
    )


def explorer(store: Store, selection: Selection) -> Explorer:
    found = stored(store, selection)
    return Explorer(
        selection=selection,
        heat=heat(found, selection),
        marks=marks(store, [one.connector for one in found], selection),
        series=unusual(found, selection),
        incidents=tuple(_incidents(store, selection)),
    )


def _incidents(store: Store, selection: Selection) -> list[Told]:
    most = LOOKED_AT if selection.where else MOST_INCIDENTS
    worst = worst_overlapping(store, selection.chosen, selection.detector, selection.measure, most)
    return [_told(one) for one in worst if _is_of(one, selection.where)][:MOST_INCIDENTS]


def _is_of(incident: Incident, where: Iterable[tuple[str, str]]) -> bool:
    return any(set(where) <= set(one.dimensions) for one in incident.anomalies)


def _told(incident: Incident) -> Told:
    return Told(
        id=incident.id,
        headline=headline(incident),
        severity=round(incident.severity),
        label=severity_label(incident.severity).lower(),
        window=incident.window,
    )
