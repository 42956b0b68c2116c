"""The leaves of an incident: every series of its measure, with its sums over the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.explain.cuboids import Codes
from bartizan.explain.noise import Floats
from bartizan.model.anomaly import Incident
from bartizan.model.window import naive

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Leaves:
    """N series; `codes` (N, dimensions) number the sorted `names` of each dimension."""

    names: tuple[tuple[str, ...], ...]
    codes: Codes
    value: Floats
    expected: Floats

    def __len__(self) -> int:
        return len(self.value)


def leaves(scores: pa.Table, incident: Incident) -> Leaves:
    """Of `scores` (dimensions, value, expected) of the incident's measure and window: series,
    anomalous or not, that share the first dimension's value with all anomalies, if these do.

    An interval without a value counts for nothing; without an expectation, 0 was expected.
    """
    dimensions = [name for name, _ in incident.peak.dimensions]
    firsts = {anomaly.dimensions[:1] for anomaly in incident.anomalies}
    inside = pc.is_finite(scores["value"])
    if len(firsts) == 1:
        for name, value in firsts.pop():
            inside = pc.and_kleene(inside, pc.equal(_texts(scores[name]), value))
    known = scores.filter(inside)
    expected = known["expected"]
    columns = {name: _texts(known[name]) for name in dimensions} | {
        "value": known["value"],
        "expected": pc.if_else(pc.is_finite(expected), expected, 0.0),
    }
    # One thread: floating point sums depend on the order.
    sums = (
        pa.table(columns)
        .group_by(dimensions, use_threads=False)
        .aggregate([("value", "sum"), ("expected", "sum")])
    )
    return numbered(
        [sums[name] for name in dimensions],
        sums["value_sum"].to_numpy().astype(float),
        sums["expected_sum"].to_numpy().astype(float),
    )


def numbered(texts: Sequence[pa.ChunkedArray], value: Floats, expected: Floats) -> Leaves:
    """Leaves by the dimension values (N) of each; every combination is there once."""
    found = [_numbered(column) for column in texts]
    codes = [codes for _, codes in found]
    return Leaves(
        tuple(names for names, _ in found),
        np.column_stack(codes) if codes else np.empty((len(value), 0), np.int64),
        value,
        expected,
    )


def in_window(scores: pd.DataFrame, incident: Incident) -> pa.Table:
    """The scores of the incident's measure and window, of those of all measures."""
    start, end = naive(incident.window.start), naive(incident.window.end)
    times = scores["interval_start"]
    inside = (scores["measure"] == incident.measure) & (times >= start) & (times < end)
    return pa.Table.from_pandas(scores[inside], preserve_index=False)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As metric files write them: NULL is an empty string."""
    return pc.fill_null(column.cast(pa.large_string()), "")


def _numbered(column: pa.ChunkedArray) -> tuple[tuple[str, ...], Codes]:
    encoded = column.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    names = encoded.dictionary.take(pa.array(order)).to_pylist()
    return tuple(names), rank[encoded.indices.to_numpy()]
