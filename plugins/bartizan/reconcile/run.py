"""Compares the landed requests of a window with AWS WAF's counters, account by account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bartizan.engines import DuckDBEngine
from bartizan.errors import BartizanError, UsageError
from bartizan.model.window import HOUR, Window, floor
from bartizan.reconcile.accounts import session_for
from bartizan.reconcile.cloudwatch import KEPT, counters, metric_names
from bartizan.reconcile.compare import compare, without_webacl
from bartizan.reconcile.landed import Landed, landed
from bartizan.reconcile.options import Options
from bartizan.reconcile.webacl import WebAcl, webacl
from bartizan.store import Store
from bartizan.store.reconciliation import ComparedHour, save_hours


@dataclass(frozen=True)
class Reconciliation:
    """`compared` hours by web ACL and hour; `waiting` are hours whose logs may still arrive.

    `failures` are the accounts and regions that could not be asked; their hours are not compared.
    """

    compared: tuple[ComparedHour, ...]
    waiting: int
    failures: tuple[BartizanError, ...]


def reconcile(
    store: Store,
    engine: DuckDBEngine,
    window: Window,
    options: Options,
    as_of: datetime,
    late: timedelta,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> Reconciliation:
    """Compare and store the whole hours of `window`; only reads from AWS.

    An hour is compared once it ended `late` or more before `as_of`: until then its logs may still
    be delivered. Results of the same web ACLs and hours are replaced. Raises UsageError for hours
    that CloudWatch no longer keeps.
    """
    window = window.aligned(HOUR)
    if window.start < as_of - KEPT:
        raise UsageError(
            f"window {window}", f"CloudWatch keeps hours for {KEPT.days} days", "start later"
        )
    until = min(floor(as_of - late, HOUR), window.end)
    waiting = round((window.end - max(until, window.start)) / HOUR)
    if until <= window.start:
        return Reconciliation((), waiting, ())

    closed = Window(window.start, until)
    found = landed(engine, closed)
    hours = [hour.start for hour in closed.split(HOUR)]
    known = {arn: webacl(arn) for arn in sorted(found.webacls | options.names.keys())}
    compared = [
        one
        for arn, acl in known.items()
        if acl is None
        for one in without_webacl(arn, hours, found)
    ]
    failures: list[BartizanError] = []
    asked = sorted(acl for acl in known.values() if acl is not None)
    groups = [list(group) for _, group in groupby(asked, lambda acl: (acl.account, acl.region))]
    for done, group in enumerate(groups):
        on_progress(done, len(groups))
        try:
            compared += _of_account(group, closed, hours, found, options)
        except BartizanError as error:
            failures.append(error)
    save_hours(store, compared)
    ordered = sorted(compared, key=lambda one: (one.webacl_id, one.hour))
    return Reconciliation(tuple(ordered), waiting, tuple(failures))


def _of_account(
    group: list[WebAcl], window: Window, hours: list[datetime], found: Landed, options: Options
) -> list[ComparedHour]:
    """The compared hours of the web ACLs of one account and region."""
    first = group[0]
    session = session_for(first.account, first.region, options.role)
    names = metric_names(session, first.region, group, options.names)
    counted = counters(session, first.region, names, window)
    return [
        one
        for acl in group
        for one in compare(acl.arn, hours, found, counted[acl], options.tolerance)
    ]
