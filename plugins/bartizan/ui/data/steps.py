"""How far each step of the way has come: landed, aggregated, scored, told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from bartizan.model.landing import BatchState
from bartizan.model.outbox import DeliveryState
from bartizan.model.window import HOUR, parse_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorStatus, load_detectors
from bartizan.store.messages import counts
from bartizan.store.object_days import last_landed
from bartizan.store.tables import built_hours, incident_changes, landing_batches


@dataclass(frozen=True)
class Step:
    """`through` is how far it has come, None before its first time; `behind` what it lacks of the
    time of the look, or of nothing where a step has no time; `note` says more."""

    name: str
    through: datetime | None
    behind: timedelta | None
    note: str
    trouble: bool = False


def steps(store: Store, at: datetime) -> tuple[Step, ...]:
    return tuple(_steps(store, at))


def _steps(store: Store, at: datetime) -> Iterator[Step]:
    last = last_landed(store)
    yield _reached("land", last and last + HOUR, at, "")
    built = _built(store)
    table = min(built, key=lambda name: (built[name], name), default="")
    note = f"{table} is the last of {len(built)} tables" if built else ""
    yield _reached("aggregate", built[table] + HOUR if built else None, at, note)
    for one in load_detectors(store):
        through = parse_time(one.scored_through) if one.scored_through else None
        failed = one.state is DetectorStatus.FAILED
        yield _reached(
            f"detect {one.name}", through, at, one.reason if failed else one.state.lower(), failed
        )
    yield _told(store)


def _reached(
    name: str, through: datetime | None, at: datetime, note: str, trouble: bool = False
) -> Step:
    behind = max(at - through, timedelta()) if through else None
    return Step(name, through, behind, note, trouble)


def _told(store: Store) -> Step:
    """Dispatch has no time of its own: it is done when nothing waits."""
    unrouted = select(func.count()).where(incident_changes.c.routed.is_(False))
    with store.transaction() as connection:
        undecided = int(connection.execute(unrouted).scalar_one())
    by_state = counts(store).values()
    waiting = sum(states.get(DeliveryState.INTENDED, 0) for states in by_state)
    dead = sum(states.get(DeliveryState.DEAD, 0) for states in by_state)
    note = f"{undecided:,} changes to route, {waiting:,} messages to send, {dead:,} given up"
    return Step("dispatch", None, None, note, trouble=dead > 0)


def _built(store: Store) -> dict[str, datetime]:
    """The last hour that each aggregate has built in."""
    query = select(built_hours.c.table_name, func.max(built_hours.c.hour)).group_by(
        built_hours.c.table_name
    )
    with store.transaction() as connection:
        return {str(name): parse_time(hour) for name, hour in connection.execute(query)}


def batch_states(store: Store) -> dict[str, int]:
    """How many batches are in each state."""
    query = select(landing_batches.c.state, func.count()).group_by(landing_batches.c.state)
    with store.transaction() as connection:
        return {str(state): int(number) for state, number in connection.execute(query)}


def rejected(store: Store) -> dict[str, str]:
    """Why batches failed their checks, by their ids."""
    query = select(landing_batches).where(landing_batches.c.state == BatchState.REJECTED)
    with store.transaction() as connection:
        return {row.batch_id: row.reason for row in connection.execute(query)}
