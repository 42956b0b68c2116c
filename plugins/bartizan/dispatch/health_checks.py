"""What is wrong with Bartizan itself: one pure function per kind of trouble.

Each knows the schedule: what is not due yet is not late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bartizan.model.connector import Connector
from bartizan.model.health import HealthMeasure
from bartizan.model.window import HOUR, Window, floor, merged, parse_time
from bartizan.store.detectors import DetectorRecord, DetectorStatus
from bartizan.store.intel_drift import Drift

LATE_AFTER = timedelta(hours=3)
LOOKED_BACK = timedelta(days=7)
# An hour is landed at twenty past the next one; what follows has until the end of that.
DUE_AFTER = HOUR
TOLD_FOR = timedelta(days=1)  # what others changed in an IP set
MOST_PARTS = 20


@dataclass(frozen=True)
class Finding:
    """Trouble: how much of what, where, in which times; without times it is there now. `parts` name
    one by one what it is, each with further dimensions."""

    measure: HealthMeasure
    value: float
    severity: float
    dimensions: tuple[tuple[str, str], ...] = ()
    windows: tuple[Window, ...] = ()
    parts: tuple[tuple[tuple[str, str], ...], ...] = ()


def hours_looked_at(now: datetime) -> Window:
    """The hours whose logs are due, of the last seven days."""
    end = floor(now - DUE_AFTER, HOUR)
    return Window(end - LOOKED_BACK, end)


def without_logs(
    landed: Sequence[datetime], now: datetime, late_after: timedelta
) -> Iterator[Finding]:
    """Runs of due hours of which no log was landed, at least `late_after` long.

    `landed` are all hours that ever were. Before the first, nothing is expected.
    """
    due = hours_looked_at(now)
    if not landed or landed[0] >= due.end:
        return
    known = set(landed)
    lacking = (
        hour
        for hour in Window(max(due.start, landed[0]), due.end).split(HOUR)
        if hour.start not in known
    )
    for run in merged(lacking):
        if run.end - run.start >= late_after:
            hours = (run.end - run.start) / HOUR
            yield Finding(HealthMeasure.NO_LOGS, hours, 90.0, windows=(run,))


def incomplete_logs(hours: Mapping[str, Sequence[datetime]]) -> Iterator[Finding]:
    """Web ACLs (by ARN) of which AWS WAF counted more than it logged, in which hours."""
    for arn, starts in hours.items():
        name = arn.split("/")[-2] if arn.count("/") >= 2 else arn
        yield Finding(
            HealthMeasure.INCOMPLETE_LOGS,
            float(len(starts)),
            80.0,
            (("webacl", name),),
            tuple(Window.hour(start) for start in starts),
        )


def rejected(batches: int) -> Iterator[Finding]:
    if batches:
        yield Finding(HealthMeasure.REJECTED, float(batches), 80.0)


def dead(channels: Iterable[tuple[str, int]]) -> Iterator[Finding]:
    for channel, messages in channels:
        yield Finding(HealthMeasure.DEAD, float(messages), 90.0, (("channel", channel),))


def failed(records: Iterable[DetectorRecord]) -> Iterator[Finding]:
    for one in records:
        if one.state is DetectorStatus.FAILED:
            yield Finding(HealthMeasure.FAILED, 1.0, 75.0, (("detector", one.name),))


def edited(drifts: Sequence[Drift]) -> Iterator[Finding]:
    """IP sets of AWS WAF that others changed, by name of the target. AWS does not say who: the
    events UpdateIPSet of CloudTrail do."""
    for target, its in groupby(drifts, key=lambda one: one.target):
        found = list(its)
        parts = [
            (("edit", edit), ("address", str(network)))
            for one in found
            for edit, networks in (("put in", one.added), ("taken out", one.gone))
            for network in networks
        ]
        hours = merged(Window.hour(floor(one.at, HOUR)) for one in found)
        yield Finding(
            HealthMeasure.EDITED,
            float(len(parts)),
            75.0,
            (("ip_set", target),),
            tuple(hours),
            tuple(parts[:MOST_PARTS]),
        )


def behind(
    records: Mapping[str, DetectorRecord],
    connectors: Mapping[str, Connector],
    now: datetime,
    late_after: timedelta,
) -> Iterator[Finding]:
    """Detectors of other sources than the lake that were not scored for so long after the next
    interval was due. Those of the lake wait for its logs, of which `without_logs` tells."""
    for name, connector in connectors.items():
        record = records[name]
        runs = record.state in (DetectorStatus.ACTIVE, DetectorStatus.LEARNING)
        if connector.reads_lake or not runs or record.scored_through is None:
            continue
        scored = parse_time(record.scored_through)
        late = now - (scored + connector.frequency + connector.offset + DUE_AFTER)
        if late >= late_after:
            where = (("detector", name),)
            yield Finding(HealthMeasure.BEHIND, float(late // HOUR), 75.0, where)
