"""How far the data have come, and what did not come with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from bartizan.model.anomaly import IncidentState
from bartizan.model.health import HEALTH
from bartizan.model.story import headline
from bartizan.model.window import HOUR, parse_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, DetectorStatus, load_detectors
from bartizan.store.incidents import load_incidents
from bartizan.store.landing import totals
from bartizan.store.object_days import last_landed
from bartizan.store.tables import closed_hours


@dataclass(frozen=True)
class Freshness:
    """`landed` is the end of the last hour that has requests, `scored` the time up to which the
    detector that is furthest behind has scored, of those that are active or learning.

    `late` requests came too late for their hour, `quarantined` records could not be read. `trouble`
    are the open incidents about ourselves, in words.
    """

    landed: datetime | None
    scored: datetime | None
    furthest_behind: str
    late: int
    quarantined: int
    trouble: tuple[str, ...]


@dataclass(frozen=True)
class Learner:
    """A detector that cannot judge all of its series yet, and why."""

    name: str
    state: str
    reason: str
    series_ready: int
    series: int


def freshness(store: Store) -> Freshness:
    last = last_landed(store)
    with store.transaction() as connection:
        late = connection.execute(
            select(func.coalesce(func.sum(closed_hours.c.requests), 0))
        ).scalar_one()
    behind = min(
        (one for one in load_detectors(store) if _watches(one) and one.scored_through),
        key=lambda one: (one.scored_through, one.name),
        default=None,
    )
    return Freshness(
        landed=last + HOUR if last else None,
        scored=parse_time(behind.scored_through) if behind and behind.scored_through else None,
        furthest_behind=behind.name if behind else "",
        late=int(late),
        quarantined=totals(store).quarantined,
        trouble=tuple(
            headline(one.incident)
            for one in load_incidents(store, detector=HEALTH)
            if one.incident.state is IncidentState.OPEN
        ),
    )


def learners(store: Store) -> tuple[Learner, ...]:
    """Detectors that learn or failed, by name; those that nobody started are no trouble."""
    waits = (DetectorStatus.LEARNING, DetectorStatus.FAILED)
    return tuple(
        Learner(one.name, one.state.value, one.reason, one.series_ready, one.series)
        for one in load_detectors(store)
        if one.state in waits
    )


def _watches(one: DetectorRecord) -> bool:
    return one.state in (DetectorStatus.ACTIVE, DetectorStatus.LEARNING)
