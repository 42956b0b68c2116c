"""Windows against a model that needs no thought: the set of minutes that they hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.errors import UsageError
from bartizan.model.window import (
    DAY,
    HOUR,
    Window,
    aware,
    floor,
    merged,
    parse_duration,
    parse_time,
    without,
)

MINUTE = timedelta(minutes=1)
ORIGIN = datetime(2026, 11, 1, 21, 30, tzinfo=UTC)  # the drawn windows cross a day
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

minutes = st.integers(0, 300)
windows = st.tuples(minutes, minutes).filter(lambda p: p[0] < p[1]).map(lambda p: between(*p))
some_windows = st.lists(windows, max_size=6)
steps = st.sampled_from([MINUTE, 5 * MINUTE, 7 * MINUTE, HOUR, 3 * HOUR, DAY])


def between(first: int, last: int) -> Window:
    return Window(ORIGIN + first * MINUTE, ORIGIN + last * MINUTE)


def held(*windows: Window) -> set[datetime]:
    """The minutes that the windows hold."""
    return {
        window.start + number * MINUTE
        for window in windows
        for number in range(round((window.end - window.start) / MINUTE))
    }


def bucket(instant: datetime, step: timedelta) -> int:
    return (instant - EPOCH) // step


def as_few_as_can_be(found: Iterable[Window]) -> bool:
    """In order, with a gap between each and the next."""
    ordered = list(found)
    return all(a.end < b.start for a, b in pairwise(ordered))


@given(windows, steps)
def test_pieces_hold_the_same_minutes_each_in_one_multiple_of_the_step(
    window: Window, step: timedelta
) -> None:
    pieces = list(window.pieces(step))
    assert [p.end for p in pieces[:-1]] == [p.start for p in pieces[1:]]
    assert held(*pieces) == held(window)
    for piece in pieces:
        assert len({bucket(minute, step) for minute in held(piece)}) == 1
    assert len(pieces) == len({bucket(minute, step) for minute in held(window)})


@given(windows, steps)
def test_split_cuts_at_multiples_of_the_step_from_the_start(
    window: Window, step: timedelta
) -> None:
    parts = list(window.split(step))
    assert held(*parts) == held(window)
    assert sum(len(held(part)) for part in parts) == len(held(window))
    assert {part.end - part.start for part in parts[:-1]} <= {step}
    assert parts[-1].end - parts[-1].start <= step


@given(windows, steps)
def test_aligned_is_every_multiple_of_the_step_that_is_touched(
    window: Window, step: timedelta
) -> None:
    aligned = window.aligned(step)
    touched = {bucket(minute, step) for minute in held(window)}
    assert {bucket(minute, step) for minute in held(aligned)} == touched
    assert aligned.end - aligned.start == len(touched) * step
    assert aligned.aligned(step) == aligned


@given(windows, windows)
def test_intersection_and_overlap_agree_with_sets(one: Window, other: Window) -> None:
    common = one.intersection(other)
    assert (held(common) if common else set()) == held(one) & held(other)
    assert one.overlaps(other) == other.overlaps(one) == bool(held(one) & held(other))


@given(some_windows)
def test_merged_is_the_union_in_as_few_windows_as_can_be(some: list[Window]) -> None:
    found = merged(some)
    assert held(*found) == held(*some)
    assert as_few_as_can_be(found)


@given(some_windows, some_windows)
def test_without_is_the_difference_in_as_few_windows_as_can_be(
    some: list[Window], taken: list[Window]
) -> None:
    found = without(some, taken)
    assert held(*found) == held(*some) - held(*taken)
    assert as_few_as_can_be(found)


@given(windows, minutes)
def test_the_end_is_outside(window: Window, minute: int) -> None:
    instant = ORIGIN + minute * MINUTE
    assert (instant in window) == (instant in held(window))


@given(windows, st.integers(-12 * 60, 12 * 60))
def test_an_offset_does_not_change_a_window(window: Window, offset: int) -> None:
    zone = timezone(offset * MINUTE)
    assert Window(window.start.astimezone(zone), window.end.astimezone(zone)) == window
    assert Window.from_json(window.as_json()) == window
    written = [f"{instant.astimezone(zone):%Y-%m-%dT%H:%M:%S%z}" for instant in held(window)]
    assert {parse_time(text) for text in written} == held(window)


def test_a_day_across_midnight_is_two_pieces_and_one_part() -> None:
    window = between(0, 24 * 60)
    assert [str(piece) for piece in window.pieces(DAY)] == [
        "[2026-11-01T21:30:00Z, 2026-11-02T00:00:00Z)",
        "[2026-11-02T00:00:00Z, 2026-11-02T21:30:00Z)",
    ]
    assert list(window.split(DAY)) == [window]


@pytest.mark.parametrize(("first", "last"), [(5, 5), (6, 5)])
def test_a_window_without_minutes_cannot_be_made(first: int, last: int) -> None:
    with pytest.raises(UsageError, match=r"start 2026-11-01T\S+Z is not before end .* swap them"):
        between(first, last)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1793750400", "2026-11-01T25:00Z"])
def test_what_is_not_a_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not ISO-8601 — write 2026-11-01T00:00Z"):
        parse_time(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+10:00", "9999-12-31T23:00-10:00"])
def test_a_time_that_no_year_of_utc_has_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="beyond UTC"):
        parse_time(text)


@pytest.mark.parametrize("text", ["", "P", "PT", "PT0M", "5m", "PT5S", "P1M", "-PT5M", "PT5M "])
def test_what_is_no_positive_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a positive ISO-8601 duration"):
        parse_duration(text)


@given(st.integers(0, 9), st.integers(0, 99), st.integers(1, 99))
def test_durations_add_their_parts(days: int, hours: int, spare: int) -> None:
    span = timedelta(days=days, hours=hours, minutes=spare)
    assert parse_duration(f"P{days}DT{hours}H{spare}M") == span


def test_the_datetimes_of_airflow_become_plain_ones() -> None:
    berlin = pendulum.datetime(2026, 11, 21, 5, 20, tz="Europe/Berlin")
    window = Window(floor(aware(berlin), HOUR), aware(berlin))
    assert str(window) == "[2026-11-21T04:00:00Z, 2026-11-21T04:20:00Z)"
    assert type(window.start) is type(window.end) is datetime
