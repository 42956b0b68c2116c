"""Do the numbers agree: those of the ledger among themselves, and requests with AWS's counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, and_, func, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bartizan.model.reconciliation import Verdict
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store, upsert
from bartizan.store.tables import landing_batches, landing_objects, reconciliation


@dataclass(frozen=True)
class ComparedHour:
    """One web ACL in one hour; `logged` and `counted` are requests by terminating action.

    `metric_name` is the value of the counters' WebACL dimension, `named_by` where it comes from.
    """

    webacl_id: str
    hour: datetime
    logged: dict[str, int]
    counted: dict[str, int]
    verdict: Verdict
    metric_name: str
    named_by: str

    @property
    def in_log(self) -> int:
        return sum(self.logged.values())

    @property
    def in_counters(self) -> int:
        return sum(self.counted.values())

    @property
    def missing(self) -> int:
        """Requests counted and not logged; negative when more were logged."""
        return self.in_counters - self.in_log

    @property
    def share(self) -> float:
        """`missing` as a part of what was counted; 0 when nothing was."""
        return self.missing / self.in_counters if self.in_counters else 0.0


@dataclass(frozen=True)
class Reconciled:
    """Hours by verdict, the last hour compared, and of each web ACL that has hours with a
    difference the one with the largest, the largest first."""

    verdicts: dict[str, int]
    last_hour: datetime | None
    worst: tuple[ComparedHour, ...]


def save_hours(store: Store, hours: Sequence[ComparedHour]) -> None:
    """Store compared hours in place of what was stored for the same web ACLs and hours."""
    rows = [
        {
            "webacl_id": one.webacl_id,
            "hour": format_time(one.hour),
            "in_log": one.in_log,
            "in_counters": one.in_counters,
            "verdict": one.verdict.value,
            "logged": one.logged,
            "counted": one.counted,
            "metric_name": one.metric_name,
            "named_by": one.named_by,
        }
        for one in hours
    ]
    with store.transaction() as connection:
        upsert(connection, reconciliation, rows)


def load_hours(store: Store) -> list[ComparedHour]:
    """All compared hours, by web ACL and hour."""
    columns = reconciliation.c
    query = select(reconciliation).order_by(columns.webacl_id, columns.hour)
    with store.transaction() as connection:
        return [_hour(row) for row in connection.execute(query)]


def reconciled(store: Store, worst: int = 3) -> Reconciled:
    """The state of the reconciliation; `worst` limits how many web ACLs it names."""
    columns = reconciliation.c
    by_verdict = select(columns.verdict, func.count()).group_by(columns.verdict)
    size = func.abs(columns.in_counters - columns.in_log).desc()
    place = func.row_number().over(partition_by=columns.webacl_id, order_by=(size, columns.hour))
    ranked = (
        select(reconciliation, place.label("place"))
        .where(columns.verdict != Verdict.COMPLETE)
        .subquery()
    )
    largest = (
        select(ranked)
        .where(ranked.c.place == 1)
        .order_by(func.abs(ranked.c.in_counters - ranked.c.in_log).desc(), ranked.c.webacl_id)
        .limit(worst)
    )
    with store.transaction() as connection:
        counts = {str(verdict): int(hours) for verdict, hours in connection.execute(by_verdict)}
        last = connection.execute(select(func.max(columns.hour))).scalar_one()
        return Reconciled(
            verdicts={one.value: counts[one] for one in Verdict if one in counts},
            last_hour=parse_time(last) if last else None,
            worst=tuple(_hour(row) for row in connection.execute(largest)),
        )


def unbalanced(store: Store) -> int:
    """How many batches and objects have other than requests + duplicates + quarantined = records,
    or a batch other records than its objects together. It must be 0."""
    batches, objects = landing_batches.c, landing_objects.c
    of_objects = (
        select(func.coalesce(func.sum(objects.records), 0))
        .where(objects.batch_id == batches.batch_id)
        .scalar_subquery()
    )
    wrong_batches = or_(_unequal(batches), and_(batches.objects > 0, batches.records != of_objects))
    queries = (
        select(func.count()).select_from(landing_batches).where(wrong_batches),
        select(func.count()).select_from(landing_objects).where(_unequal(objects)),
    )
    with store.transaction() as connection:
        return sum(int(connection.execute(query).scalar_one()) for query in queries)


def _unequal(counts: ReadOnlyColumnCollection[str, Column[Any]]) -> ColumnElement[bool]:
    accounted = counts.requests + counts.duplicates + counts.quarantined
    return counts.records != accounted


def _hour(row: Row[tuple[object, ...]]) -> ComparedHour:
    return ComparedHour(
        webacl_id=row.webacl_id,
        hour=parse_time(row.hour),
        logged=row.logged,
        counted=row.counted,
        verdict=Verdict(row.verdict),
        metric_name=row.metric_name,
        named_by=row.named_by,
    )
