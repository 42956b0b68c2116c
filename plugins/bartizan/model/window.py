"""Half-open UTC time ranges, the unit of all work.

Python values are timezone-aware UTC datetimes. Columns of tables hold the same instants as naive
UTC timestamps (see docs/adr/0001), converted by `naive` and `aware` and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bartizan.errors import UsageError

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_DURATION = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?)?")


def naive(instant: datetime) -> datetime:
    """The instant as a naive UTC datetime, as columns hold it."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def aware(instant: datetime) -> datetime:
    """A naive UTC datetime from a column as an aware one; an aware one is converted to UTC.

    The result is a plain datetime, whatever subclass Airflow or pandas hand in. Raises UsageError
    for one that is in no year of UTC.
    """
    if type(instant) is datetime and instant.tzinfo is UTC:
        return instant  # as most are that a store holds: thousands in one view
    try:
        utc = instant if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError as error:
        raise UsageError("time", f"{instant} is beyond UTC", "write one of our time") from error
    return datetime.combine(utc.date(), utc.time(), tzinfo=UTC)


def parse_time(text: str) -> datetime:
    """Read an ISO-8601 time; without an offset it is UTC. Raises UsageError."""
    try:
        return aware(datetime.fromisoformat(text.strip()))
    except ValueError as error:
        raise UsageError("time", f"{text!r} is not ISO-8601", "write 2026-11-01T00:00Z") from error


def parse_duration(text: str) -> timedelta:
    """Read an ISO-8601 duration of days, hours and minutes, such as PT5M, PT1H, P1D."""
    match = _DURATION.fullmatch(text)
    parts = {k: int(v) for k, v in match.groupdict().items() if v} if match else {}
    span = timedelta(days=parts.get("d", 0), hours=parts.get("h", 0), minutes=parts.get("m", 0))
    if not span:
        raise UsageError("duration", f"{text!r} is not a positive ISO-8601 duration", "write PT5M")
    return span


def format_time(instant: datetime) -> str:
    """`2026-11-01T00:00:00Z`, the form used in JSON, logs and event extras."""
    return aware(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def floor(instant: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` since 1970-01-01T00:00Z that is not after `instant`."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return instant - (instant - epoch) % step


@dataclass(frozen=True, order=True)
class Window:
    """The half-open range [start, end) of aware UTC datetimes, start < end."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", aware(self.start))
        object.__setattr__(self, "end", aware(self.end))
        if self.start >= self.end:
            raise UsageError(
                "window",
                f"start {format_time(self.start)} is not before end {format_time(self.end)}",
                "swap them or widen the window",
            )

    @classmethod
    def parse(cls, start: str, end: str) -> Window:
        return cls(parse_time(start), parse_time(end))

    @classmethod
    def hour(cls, instant: datetime) -> Window:
        """The whole hour that holds `instant`."""
        start = floor(aware(instant), HOUR)
        return cls(start, start + HOUR)

    def __str__(self) -> str:
        return f"[{format_time(self.start)}, {format_time(self.end)})"

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= aware(instant) < self.end

    def overlaps(self, other: Window) -> bool:
        return self.start < other.end and other.start < self.end

    def intersection(self, other: Window) -> Window | None:
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def aligned(self, step: timedelta) -> Window:
        """The smallest window of whole multiples of `step` that covers this one."""
        last = floor(self.end, step)
        return Window(floor(self.start, step), last if last == self.end else last + step)

    def split(self, step: timedelta) -> Iterator[Window]:
        """Consecutive windows of length `step`, the last one cut at `end`."""
        start = self.start
        while start < self.end:
            yield Window(start, min(start + step, self.end))
            start += step

    def pieces(self, step: timedelta) -> Iterator[Window]:
        """Consecutive windows cut at multiples of `step` since 1970-01-01T00:00Z: UTC days."""
        start = self.start
        while start < self.end:
            cut = min(floor(start, step) + step, self.end)
            yield Window(start, cut)
            start = cut

    def as_json(self) -> dict[str, str]:
        return {"start": format_time(self.start), "end": format_time(self.end)}

    @classmethod
    def from_json(cls, value: dict[str, str]) -> Window:
        return cls.parse(value["start"], value["end"])


def given_window(start: str | None, end: str | None) -> Window:
    """The window between two given times. Raises UsageError when one is lacking."""
    if not start and not end:
        raise UsageError("window", "neither start nor end is given", "give both")
    if not start or not end:
        raise UsageError("window", "only one of start and end is given", "give both or neither")
    return Window.parse(start, end)


def written_window(text: str) -> Window:
    """The window that START/END names. Raises UsageError for anything else."""
    start, slash, end = text.partition("/")
    if not (start and slash and end):
        raise UsageError("window", f"{text!r} is not START/END", "write 2026-11-16/2026-11-17")
    return Window.parse(start, end)


def merged(windows: Iterable[Window]) -> list[Window]:
    """The same instants as the fewest windows, in order; touching windows become one."""
    result: list[Window] = []
    for window in sorted(windows):
        if result and window.start <= result[-1].end:
            result[-1] = Window(result[-1].start, max(result[-1].end, window.end))
        else:
            result.append(window)
    return result


def without(windows: Iterable[Window], taken: Iterable[Window]) -> list[Window]:
    """The instants of `windows` that are in none of `taken`, as the fewest windows, in order."""
    left = merged(windows)
    for gone in taken:
        left = [part for window in left for part in _cut(window, gone)]
    return left


def _cut(window: Window, gone: Window) -> list[Window]:
    """What is left of `window` before and after `gone`."""
    sides = ((window.start, min(window.end, gone.start)), (max(window.start, gone.end), window.end))
    return [Window(start, end) for start, end in sides if start < end]
