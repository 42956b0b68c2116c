"""Totals beside the single series: what no series shows alone, several may show together.

A total is judged like a series. Where it is unusual, so are the series that make most of its
deviation, as far as they belong to one cause (a value of the first dimension, as in `group.py`):
without one that holds half of the deviation, the total has no cause that could be told. A total
over several causes is mostly what its largest series is, so one of the cause's must agree.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bartizan.detect.judge import CONTINUES, MIX, TOGETHER
from bartizan.detect.panel import TIME
from bartizan.detect.severity import AT_BUDGET, LEAST_ALARM
from bartizan.model.connector import Aggregation, Connector, Missing

OF_ONE_CAUSE = 0.5
OF_ITS_SERIES = 0.8
LEANS = 35.0  # half as rare, in powers of ten, as an alarm


def totals_of(connector: Connector, keys: pd.DataFrame) -> tuple[Connector, ...]:
    """The connector summed up over dimensions: by each one of them, and by the first with each
    other. Of the series `keys`, each must join two on average. None when no measure adds up."""
    if not total_by(connector, ()).measures:
        return ()
    first, others = connector.dimensions[:1], connector.dimensions[1:]
    levels = [first, *((other,) for other in others)] if others else []
    levels += [(*first, other) for other in others] if len(others) > 1 else []
    joins = [level for level in levels if 2 * series_by(keys, level) <= len(keys)]
    return tuple(total_by(connector, level) for level in joins)


def total_by(connector: Connector, dimensions: tuple[str, ...]) -> Connector:
    """The connector's measures that add up, by some of its dimensions. What the calendar says of
    a series, it says of a total that the series is part of."""
    measures = tuple(
        one
        for one in connector.measures
        if one.aggregation in (Aggregation.SUM, Aggregation.COUNT) and one.missing is Missing.ZERO
    )
    calendar = connector.calendar.by(dimensions)
    return replace(connector, dimensions=dimensions, measures=measures, calendar=calendar)


def series_by(keys: pd.DataFrame, dimensions: tuple[str, ...]) -> int:
    """How many series there are of these dimensions."""
    return len(keys[list(dimensions)].drop_duplicates())


def with_total(
    scores: pd.DataFrame, of_total: pd.DataFrame, connector: Connector, total: Connector
) -> pd.DataFrame:
    """The scores of the series, raised where those of one of the totals call for it.

    Series take the severity and the direction of their total; the reason is "together", or "mix" as
    for the total, unless they would alarm by themselves, or "continues" as for the total.
    """
    unusual = of_total[(of_total["severity"] >= LEAST_ALARM) & (of_total["direction"] != "")]
    if unusual.empty:
        return scores
    cell = [TIME, "measure", *total.dimensions]
    near = scores[scores[TIME].isin(unusual[TIME])].reset_index(names="row")
    named = unusual[[*cell, "severity", "direction", "reason"]]
    rows = near.merge(named, on=cell, suffixes=("", "_of_total"))
    upwards = np.where(rows["direction_of_total"] == "above", 1.0, -1.0)
    rows["off"] = ((rows["value"] - rows["expected"]) * upwards).clip(lower=0).fillna(0.0)
    rows = rows[rows["off"] > 0].sort_values("off", ascending=False, kind="stable")
    cause = list(dict.fromkeys([*cell, connector.dimensions[0]]))
    of_cause = rows.groupby(cause)["off"]
    sum_of_cause = of_cause.transform("sum")
    told = sum_of_cause >= OF_ONE_CAUSE * rows.groupby(cell)["off"].transform("sum")
    told &= of_cause.cumsum() - rows["off"] < OF_ITS_SERIES * sum_of_cause
    told &= rows["severity_of_total"] > rows["severity"].fillna(0.0)
    if connector.dimensions[0] not in total.dimensions:
        told &= _agrees(rows).groupby([rows[name] for name in cause]).transform("any")
    return _raised(scores, rows[told])


def _agrees(rows: pd.DataFrame) -> pd.Series:
    """Whether the series leans to where its total is unusual, or has no history to say so."""
    same = rows["direction"] == rows["direction_of_total"]
    return rows["severity"].isna() | (same & (rows["severity"] >= LEANS))


def _raised(scores: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    raised, place = scores.copy(), rows["row"].to_numpy()
    goes_on = rows["reason_of_total"] == CONTINUES
    alone = rows["severity"] >= AT_BUDGET
    raised.loc[place, "severity"] = rows["severity_of_total"].to_numpy()
    raised.loc[place, "direction"] = rows["direction_of_total"].to_numpy()
    raised.loc[place, "reason"] = np.select(
        [goes_on, alone],
        [rows["reason_of_total"], rows["reason"]],
        np.where(rows["reason_of_total"] == MIX, MIX, TOGETHER),
    )
    return raised
