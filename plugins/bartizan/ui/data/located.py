"""The one detector and measure that a selection is about."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bartizan.errors import UsageError
from bartizan.model.connector import Aggregation, Connector
from bartizan.model.text import inert
from bartizan.store import Store
from bartizan.ui.data.stored import scored_connectors
from bartizan.ui.selection import Selection


@dataclass(frozen=True)
class Located:
    """`selection` names the connector and one of its measures, and only dimensions it has."""

    selection: Selection
    connector: Connector

    @property
    def is_one(self) -> bool:
        """Whether it is of a single series: every dimension has its value."""
        return {name for name, _ in self.selection.where} == set(self.connector.dimensions)

    @property
    def adds_up(self) -> bool:
        """Whether values of the measure can be added over series and time."""
        of = next(m for m in self.connector.measures if m.name == self.selection.measure)
        return of.aggregation in (Aggregation.SUM, Aggregation.COUNT)


def located(store: Store, selection: Selection) -> Located:
    """Without a detector the first, by name, that knows the dimensions chosen; without a measure of
    its own its first. Raises UsageError for a detector that has scored nothing."""
    known = {one.name: one for one in scored_connectors(store)}
    if not known:
        raise UsageError("scores", "there are none yet", "see Detectors for what they wait for")
    if selection.detector and selection.detector not in known:
        raise UsageError(
            "detector",
            f"{inert(selection.detector)!r} has scored nothing",
            f"choose one of {', '.join(known)}",
        )
    connector = known[selection.detector] if selection.detector else _first(known, selection)
    measures = [measure.name for measure in connector.measures]
    return Located(
        replace(
            selection,
            detector=connector.name,
            measure=selection.measure if selection.measure in measures else measures[0],
            where=tuple(one for one in selection.where if one[0] in connector.dimensions),
        ),
        connector,
    )


def _first(known: dict[str, Connector], selection: Selection) -> Connector:
    asked = {name for name, _ in selection.where}
    fits = (one for one in known.values() if asked <= set(one.dimensions))
    return next(fits, next(iter(known.values())))
