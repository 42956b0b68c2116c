"""Entries of a calendar that hold for some series only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.crawl.config import read_description
from bartizan.detect.group import find_groups
from bartizan.detect.learn import learn
from bartizan.detect.score import score
from bartizan.detect.special import why_muted
from bartizan.detect.state import DetectorState
from bartizan.errors import ConfigError
from bartizan.model.anomaly import Incident
from bartizan.model.calendar_entries import CalendarEntries, Once, Only, Recurring
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, HOUR, Window, naive

START = datetime(2026, 9, 7, tzinfo=UTC)
LEARNED = Window(START, START + 20 * DAY)
LIVE = Window(LEARNED.end, LEARNED.end + 2 * DAY)
COUNTS = Connector(
    "c", "", HOUR, timedelta(), "timestamp", ("webacl", "rule"), (Measure("count"),), ""
)
GAUGES = replace(COUNTS, measures=(Measure("count", Aggregation.AVG, Missing.GAP),))
KEYS = [(webacl, rule) for webacl in ("app", "shop") for rule in ("rce", "sqli", "xss")]
SALE = Window(LIVE.start + 5 * HOUR, LIVE.start + 15 * HOUR)
SHOP = Only((("webacl", ("shop",)),))


def history(seed: int = 1) -> pd.DataFrame:
    """Twenty-two days of hours, around a hundred each."""
    hours = 22 * 24
    rng = np.random.default_rng(seed)
    times = np.datetime64(naive(START), "us") + np.arange(hours) * np.timedelta64(1, "h")
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "interval_start": times,
                    "webacl": webacl,
                    "rule": rule,
                    "count": rng.poisson(100, hours).astype(float),
                }
            )
            for webacl, rule in KEYS
        ],
        ignore_index=True,
    )


def inside(frame: pd.DataFrame, window: Window) -> pd.Series:
    return frame["interval_start"].between(naive(window.start), naive(window.end), inclusive="left")


def named(frame: pd.DataFrame, only: Only) -> pd.Series:
    found = pd.Series(True, index=frame.index)
    for name, values in only.values:
        found &= frame[name].isin(values)
    return found


def closed(connector: Connector, window: Window, only: Only | None) -> Connector:
    entry = Once(window, "sale") if only is None else Once(window, "sale", only)
    return replace(connector, calendar=CalendarEntries(excluded=(entry,)))


def busy(window: Window, webacl: str) -> pd.DataFrame:
    """The history with ten times as much of everything at one web ACL in a window."""
    frame = history()
    frame.loc[inside(frame, window) & (frame["webacl"] == webacl), "count"] *= 10
    return frame


@pytest.fixture(scope="module", params=[COUNTS, GAUGES], ids=["counts", "gauges"])
def learned(request: pytest.FixtureRequest) -> tuple[Connector, DetectorState]:
    """Without totals and mixes, which are judged of several series."""
    state = learn(history(), request.param, LEARNED)
    measures = {name: replace(one, mix=None) for name, one in state.measures.items()}
    return request.param, replace(state, totals=(), measures=measures)


onlys = st.dictionaries(
    st.sampled_from(["webacl", "rule"]),
    st.lists(st.sampled_from(["app", "shop", "sqli", "xss", "unknown"]), min_size=1, unique=True),
    min_size=1,
).map(lambda one: Only(tuple((name, tuple(values)) for name, values in one.items())))


@given(onlys, st.integers(0, 40), st.integers(1, 20))
@settings(max_examples=25)
def test_the_named_are_as_with_a_plain_entry_and_the_others_as_without_one(
    learned: tuple[Connector, DetectorState], only: Only, first: int, hours: int
) -> None:
    connector, state = learned
    window = Window(LIVE.start + first * HOUR, LIVE.start + (first + hours) * HOUR)
    frame = busy(SALE, "shop")
    without, plain, some = (
        score(state, frame, mine, LIVE)
        for mine in (connector, closed(connector, window, None), closed(connector, window, only))
    )
    mine = named(some, only)
    assert len(some) == 48 * len(KEYS)
    pd.testing.assert_frame_equal(some[~mine], without[~mine], check_exact=True)
    pd.testing.assert_frame_equal(some[mine], plain[mine], check_exact=True)
    due = int((mine & inside(some, window)).sum())
    assert (some["reason"] == "excluded").sum() == due
    if due:
        assert not some["severity"].equals(without["severity"])


def test_what_is_excluded_of_some_is_not_learned_of_them() -> None:
    """Gauges share nothing: the models of the others are the same to the last bit."""
    past = Window(START + 9 * DAY, START + 11 * DAY)
    frame = busy(past, "shop")
    results = {}
    for name, connector in (
        ("without", GAUGES),
        ("plain", closed(GAUGES, past, None)),
        ("some", closed(GAUGES, past, SHOP)),
    ):
        state = learn(frame, connector, LEARNED)
        results[name] = score(state, frame, connector, LIVE)
        points = state.series.groupby("webacl")["points"].unique().map(list).to_dict()
        less = {"without": {}, "plain": {"app": 48, "shop": 48}, "some": {"shop": 48}}[name]
        assert points == {webacl: [480 - less.get(webacl, 0)] for webacl in ("app", "shop")}
    mine = named(results["some"], SHOP)
    assert mine.sum() == 48 * 3
    for part, same, other in ((mine, "plain", "without"), (~mine, "without", "plain")):
        pd.testing.assert_frame_equal(results["some"][part], results[same][part], check_exact=True)
        assert not results["some"][part].equals(results[other][part])


def test_a_series_that_is_only_there_when_excluded_was_never_seen() -> None:
    past = Window(START + 9 * DAY, START + 11 * DAY)
    frame = history()
    fresh = frame[inside(frame, past) & (frame["rule"] == "xss")].assign(rule="new")
    both = pd.concat([frame, fresh], ignore_index=True)
    keys = learn(both, closed(COUNTS, past, SHOP), LEARNED).keys
    assert [tuple(key) for key in keys.to_numpy()] == sorted([*KEYS, ("app", "new")])


def incidents(frame: pd.DataFrame, connector: Connector) -> list[Incident]:
    state = learn(frame, connector, LEARNED)
    assert len(state.totals) == 2  # by web ACL, by rule
    return find_groups(score(state, frame, connector, LIVE), connector, 70.0)


def test_totals_that_an_excluded_series_is_part_of_are_not_judged() -> None:
    """A quarter more of each rule at one web ACL, which only the totals see."""

    def told(webacl: str, only: Only | None) -> set[str]:
        frame = history()
        more = inside(frame, SALE) & (frame["webacl"] == webacl)
        frame.loc[more, "count"] += 25 if webacl == "shop" else 30
        connector = COUNTS if only is None else closed(COUNTS, SALE, only)
        found = incidents(frame, connector)
        return {value for one in found for _, value in one.anomalies[0].dimensions[:1]}

    assert told("shop", None) == {"shop"}
    assert told("shop", SHOP) == set()
    assert told("app", SHOP) == {"app"}
    assert told("shop", Only((("rule", ("xss",)),))) == set()  # the total by web ACL holds it
    assert told("shop", Only((("webacl", ("app",)),))) == {"shop"}


def test_an_incident_is_muted_when_all_of_its_series_are() -> None:
    (found,) = [one for one in incidents(busy(SALE, "shop"), COUNTS) if one.window.overlaps(SALE)]
    assert {dict(one.dimensions)["rule"] for one in found.anomalies} == {"rce", "sqli", "xss"}
    day = Window(LIVE.start, LIVE.end)

    def muted(*entries: tuple[str, ...], webacl: str = "shop") -> str:
        named = (Only((("webacl", (webacl,)), ("rule", rules))) for rules in entries)
        mutes = tuple(Once(day, f"why {n}", only) for n, only in enumerate(named))
        return why_muted(found, replace(COUNTS, calendar=CalendarEntries(muted=mutes)))

    assert muted(("rce", "sqli", "xss")) == "why 0"
    assert muted(("rce", "sqli")) == ""
    assert set(muted(("rce", "sqli"), ("xss",)).split(", ")) == {"why 0", "why 1"}
    assert muted(("rce", "sqli", "xss"), webacl="app") == ""


YAML = """\
description: runs
frequency: PT1H
timestamp: {column: timestamp}
dimensions: [webacl, rule]
measures: [{name: runs}]
source: {history: /nowhere}
calendar:
"""


def read(folder: Path, calendar: str, text: str = YAML) -> CalendarEntries:
    (folder / "connector.yaml").write_text(text + calendar)
    return read_description(folder / "connector.yaml", "jobs").calendar


def test_entries_name_their_series(tmp_path: Path) -> None:
    calendar = read(
        tmp_path,
        """\
  mute:
    - {rrule: FREQ=DAILY, duration: PT1H, only: {webacl: [shop, api], rule: xss}, why: x}
  exclude:
    - {start: 2026-12-24, end: 2026-12-25, why: all}
""",
    )
    both = (("webacl", ("shop", "api")), ("rule", ("xss",)))
    assert calendar.muted == (Recurring("FREQ=DAILY", datetime(2000, 1, 1), HOUR, "x", Only(both)),)
    assert [one.only for one in calendar.excluded] == [Only()]
    by_rule = calendar.by(["rule"])
    assert [one.only for one in by_rule.muted] == [Only((("rule", ("xss",)),))]
    assert [one.only for one in calendar.by([]).muted] == [Only()]


@pytest.mark.parametrize(
    ("only", "key", "problem"),
    [
        (
            "{webacls: shop}",
            "connector.yaml",
            "'webacls', which is no dimension — write one of webacl, rule",
        ),
        ("{webacl: []}", "mute[0].only.webacl", "[] is wrong"),
        ("{}", "mute[0].only", "{} is wrong"),
        ("{webacl: [404]}", "mute[0].only.webacl[0]", "404 is wrong"),
        ("shop", "mute[0].only", "'shop' is wrong"),
    ],
)
def test_what_names_no_series_is_one_line_with_key_and_value(
    tmp_path: Path, only: str, key: str, problem: str
) -> None:
    entry = f"{{start: 2026-12-24, end: 2026-12-25, why: x, only: {only}}}"
    with pytest.raises(ConfigError) as wrong:
        read(tmp_path, f"  mute: [{entry}]\n")
    text = str(wrong.value)
    assert key in text
    assert problem in text
    assert "\n" not in text
    without = YAML.replace("dimensions: [webacl, rule]\n", "")
    with pytest.raises(ConfigError, match=r"no dimension — leave only out|is wrong"):
        read(tmp_path, f"  mute: [{entry}]\n", without)
