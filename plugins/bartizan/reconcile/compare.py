"""The verdict on each hour of a web ACL: what was logged beside what AWS counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bartizan.model.reconciliation import Verdict
from bartizan.model.text import short
from bartizan.reconcile.cloudwatch import Counters
from bartizan.reconcile.landed import Actions, Landed
from bartizan.reconcile.options import Tolerance
from bartizan.store.reconciliation import ComparedHour


def compare(
    webacl_id: str,
    hours: Sequence[datetime],
    landed: Landed,
    counters: Counters,
    tolerance: Tolerance,
) -> list[ComparedHour]:
    """One compared hour for each of `hours`."""
    logged = {hour: landed.of(webacl_id, hour) for hour in hours}
    counted = {hour: counters.requests.get(hour, {}) for hour in hours}
    absent = _absent(_total(logged), _total(counted), tolerance)
    return [
        ComparedHour(
            webacl_id=webacl_id,
            hour=hour,
            logged=logged[hour],
            counted=counted[hour],
            verdict=_verdict(logged[hour], counted[hour], absent, tolerance)
            if counters.found or not any(logged.values())
            else Verdict.NO_COUNTERS,
            metric_name=counters.name.text,
            named_by=counters.name.named_by,
        )
        for hour in hours
    ]


def without_webacl(webacl_id: str, hours: Sequence[datetime], landed: Landed) -> list[ComparedHour]:
    """Hours with requests whose web ACL id is none of AWS WAF v2: nothing to compare with."""
    return [
        ComparedHour(short(webacl_id, 200), hour, logged, {}, Verdict.NO_WEBACL, "", "")
        for hour in hours
        if (logged := landed.of(webacl_id, hour))
    ]


def _verdict(
    logged: Actions, counted: Actions, absent: frozenset[str], tolerance: Tolerance
) -> Verdict:
    in_log, in_counters = sum(logged.values()), sum(counted.values())
    if tolerance.allows(in_counters - in_log, in_counters):
        return Verdict.COMPLETE
    if in_log > in_counters:
        return Verdict.SURPLUS
    present = sum(number for action, number in counted.items() if action not in absent)
    if absent & counted.keys() and tolerance.allows(present - in_log, present):
        return Verdict.FILTERED
    return Verdict.MISSING


def _absent(logged: Actions, counted: Actions, tolerance: Tolerance) -> frozenset[str]:
    """Actions that AWS counted and nothing of which was logged, where others were logged.

    A logging filter drops whole actions all the time; a lost delivery does not choose.
    """
    if not logged:
        return frozenset()
    return frozenset(
        action
        for action, number in counted.items()
        if action not in logged and not tolerance.allows(number, number)
    )


def _total(hours: Mapping[datetime, Actions]) -> Actions:
    total: Actions = {}
    for actions in hours.values():
        for action, number in actions.items():
            total[action] = total.get(action, 0) + number
    return total
