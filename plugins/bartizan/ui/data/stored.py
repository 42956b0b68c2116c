"""The detectors that a selection asks of, with what stands out in their scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bartizan import jobs
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, naive
from bartizan.store import Store
from bartizan.store.detectors import load_detectors
from bartizan.store.notable import Notable, load_notable
from bartizan.ui.selection import DETECTOR, MEASURE, Selection

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Stored:
    """Of one detector what stands out in a window."""

    connector: Connector
    notable: Notable

    @cached_property
    def severity(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.notable.rows["severity"].to_numpy()
        return found

    @cached_property
    def times(self) -> NDArray[np.datetime64]:
        found: NDArray[np.datetime64] = self.notable.rows["interval_start"].to_numpy()
        return found

    def coded(self, name: str) -> tuple[list[str], NDArray[np.int64]]:
        """The values of a dimension, the measure or the detector, and the value of each row."""
        if name == DETECTOR:
            return [self.connector.name], np.zeros(len(self.times), np.int64)
        column = self.notable.rows[name].combine_chunks()
        names = ["" if one is None else one for one in column.dictionary.to_pylist()]
        codes = column.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
        return [*names, ""], codes.astype(np.int64)

    def having(self, selection: Selection) -> Flags:
        """Which rows have the values of a selection."""
        found = np.ones(len(self.times), np.bool_)
        for name, value in selection.values.items():
            names, codes = self.coded(name)
            found &= np.array([one == value for one in names])[codes]
        return found

    def during(self, window: Window) -> Flags:
        start, end = (np.datetime64(naive(at), "us") for at in (window.start, window.end))
        return (self.times >= start) & (self.times < end)


def stored(store: Store, selection: Selection) -> list[Stored]:
    """Of every detector that knows all dimensions of the selection and its rows, by name."""
    root = jobs.settings().lake
    return [
        Stored(connector, load_notable(root, connector, selection.window))
        for connector in scored_connectors(store)
        if _knows(connector, selection)
    ]


def scored_connectors(store: Store) -> Iterator[Connector]:
    """Those whose detectors have scored something; not those that cannot be read any more, of which
    the view of detectors tells."""
    names = set(jobs.connector_names())
    for record in load_detectors(store):
        if record.scored_through and record.name in names:
            try:
                yield jobs.load_connector(record.name)
            except ConfigError:
                continue


def _knows(connector: Connector, selection: Selection) -> bool:
    asked = {selection.by, *(name for name, _ in selection.where)} - {DETECTOR, MEASURE}
    measures = [measure.name for measure in connector.measures]
    return (
        selection.detector in ("", connector.name)
        and (not selection.measure or selection.measure in measures)
        and asked <= set(connector.dimensions)
    )
