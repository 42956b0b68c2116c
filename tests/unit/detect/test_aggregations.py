"""Rows of a series in an interval become one value: the same as SQL says, whatever their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.detect.learn import learn
from bartizan.detect.panel import arrange
from bartizan.detect.score import context_start
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import Window

START = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)
WINDOW = Window(START, START + 6 * STEP)
SQL = {
    Aggregation.SUM: "sum(a)",
    Aggregation.AVG: "avg(a)",
    Aggregation.COUNT: "count(a)",
    Aggregation.MIN: "min(a)",
    Aggregation.MAX: "max(a)",
    Aggregation.P50: "quantile_cont(a, 0.5)",
    Aggregation.P95: "quantile_cont(a, 0.95)",
    Aggregation.P99: "quantile_cont(a, 0.99)",
    Aggregation.COUNT_DISTINCT: "count(distinct a)",
    Aggregation.RATIO: "sum(a) filter (b is not null) / nullif(sum(b) filter (a is not null), 0)",
}
CONNECTOR = Connector(
    "c",
    "",
    STEP,
    timedelta(),
    "timestamp",
    ("site",),
    tuple(
        Measure(kind.lower(), kind, Missing.GAP, ("a", "b") if kind == "RATIO" else ("a",))
        for kind in Aggregation
    ),
    "",
)


def frame(rows: list[tuple[int, str, float | None, float | None]]) -> pd.DataFrame:
    """Rows of (interval, site, a, b)."""
    start = START.replace(tzinfo=None)
    return pd.DataFrame(
        {
            "interval_start": pd.to_datetime([start + row[0] * STEP for row in rows]),
            "site": pd.Series([row[1] for row in rows], dtype=object),
            "a": pd.Series([row[2] for row in rows], dtype=float),
            "b": pd.Series([row[3] for row in rows], dtype=float),
        }
    )


numbers = st.integers(-1000, 1000).map(lambda n: n / 8) | st.just(0.0)
rows = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("xyz"), numbers | st.none(), numbers | st.none()),
    min_size=1,
    max_size=40,
).map(lambda found: [row for row in found if row[2] is not None or row[3] is not None])


@settings(max_examples=60)
@given(rows=rows.filter(bool), shuffled=st.randoms())
def test_every_aggregation_is_that_of_sql(
    rows: list[tuple[int, str, float | None, float | None]], shuffled: object
) -> None:
    mixed = list(rows)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    panel = arrange(frame(mixed), CONNECTOR, WINDOW).panel(0)
    sites = panel.keys["site"].tolist()
    with duckdb.connect() as connection:
        connection.execute("create table t (i bigint, site varchar, a double, b double)")
        connection.executemany("insert into t values (?, ?, ?, ?)", rows)
        columns = ", ".join(SQL.values())
        said = connection.execute(f"select i, site, {columns} from t group by i, site").fetchall()
    for place, kind in enumerate(Aggregation):
        expected = np.full((len(sites), 6), np.nan)
        for interval, site, *values in said:
            if values[place] is not None:
                expected[sites.index(site), interval] = values[place]
        np.testing.assert_allclose(panel.values[kind.lower()], expected, rtol=1e-12, atol=1e-12)
    again = arrange(frame(rows), CONNECTOR, WINDOW).panel(0)
    for name, values in panel.values.items():
        np.testing.assert_array_equal(values, again.values[name])


def test_texts_are_counted_and_empty_ones_are_none() -> None:
    connector = replace(
        CONNECTOR,
        measures=(
            Measure("n", Aggregation.COUNT, Missing.ZERO, ("client",)),
            Measure("clients", Aggregation.COUNT_DISTINCT, Missing.ZERO, ("client",)),
            Measure("hits"),
        ),
    )
    base = frame([(0, "x", 0, 0)] * 4 + [(3, "y", 0, 0)])
    given_rows = base.assign(client=["a", "b", "a", "", None], hits=[1.0] * 5)
    panel = arrange(given_rows, connector, WINDOW).panel(0)
    assert panel.values["n"][:, [0, 3]].tolist() == [[3, 0], [0, 0]]
    assert panel.values["clients"][:, [0, 3]].tolist() == [[2, 0], [0, 0]]
    assert panel.values["hits"][:, [0, 3]].tolist() == [[4, 0], [0, 1]]


def test_a_row_without_a_value_is_no_zero() -> None:
    """A sum that could not be read is not a sum of nothing."""
    connector = replace(CONNECTOR, measures=(Measure("a"),))
    found = frame([(0, "x", 1, 0), (1, "x", None, 0), (3, "y", 1, 0)])
    values = arrange(found, connector, WINDOW).panel(0).values["a"][0]
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, 0, np.nan, np.nan])


present = st.lists(st.none() | st.integers(0, 9), min_size=6, max_size=6)


@settings(max_examples=80)
@given(
    values=present.filter(any), covered=st.lists(st.booleans(), min_size=6, max_size=6),
    limit=st.integers(1, 4),
)  # fmt: skip
def test_what_is_missing_is_zero_a_gap_or_carried_but_nothing_where_nothing_was_delivered(
    values: list[int | None], covered: list[bool], limit: int
) -> None:
    measures = tuple(
        Measure(policy.value, Aggregation.MAX, policy, ("a",), STEP * limit) for policy in Missing
    )
    delivered = [flag or value is not None for flag, value in zip(covered, values, strict=True)]
    found = frame([(i, "x", value, None) for i, value in enumerate(values) if value is not None])
    starts = pd.DatetimeIndex(
        [START.replace(tzinfo=None) + i * STEP for i, flag in enumerate(covered) if flag]
    )
    panel = arrange(found, replace(CONNECTOR, measures=measures), WINDOW, starts).panel(0)
    assert panel.covered.tolist() == delivered
    for i, value in enumerate(values):
        known = [v for v in values[max(i - limit, 0) : i + 1] if v is not None]
        wanted = {"zero": 0, "gap": None, "carry": known[-1] if known else None}
        for policy, otherwise in wanted.items():
            expected = value if value is not None else otherwise if delivered[i] else None
            got = panel.values[policy][0, i]
            assert (None if np.isnan(got) else got) == expected


def test_values_are_carried_into_a_window_from_before_it() -> None:
    carry = Measure("a", Aggregation.MAX, Missing.CARRY, (), timedelta(hours=1))
    plain, carrying = (replace(CONNECTOR, measures=(m,)) for m in (Measure("a"), carry))
    known = learn(frame([(0, "x", 1.0, None)]), carrying, WINDOW)
    assert context_start(known, plain) - context_start(known, carrying) == timedelta(hours=1)
