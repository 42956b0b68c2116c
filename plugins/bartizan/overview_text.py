"""What this installation holds, as lines of text for people. No engine is needed to read this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bartizan.model.outbox import DeliveryState
from bartizan.model.reconciliation import Verdict
from bartizan.model.text import inert
from bartizan.model.window import format_time

if TYPE_CHECKING:
    from bartizan.overview import Checks, Overview, Watched
    from bartizan.store.drift import Drift
    from bartizan.store.reconciliation import ComparedHour, Reconciled

LEFT = {
    DeliveryState.DEAD: "given up, see `bartizan outbox list --state dead`",
    DeliveryState.INTENDED: "to be sent",
    DeliveryState.SENDING: "being sent",
}
SHOWN_DRIFT = 5


def described(seen: Overview) -> Iterator[str]:
    """The overview as lines of text for people."""
    counts = seen.counts
    yield "landed"
    yield row("objects", f"{seen.objects:,}")
    yield row("records", f"{counts.records:,}")
    yield row("requests, rule hits", f"{counts.requests:,}, {counts.rule_hits:,}")
    yield row("duplicates", f"{counts.duplicates:,}")
    yield row("quarantined", f"{counts.quarantined:,}")
    for reason, records in seen.quarantine.items():
        yield f"    {records:,} x {inert(reason)}"
    if seen.too_late:
        yield row("too late", f"{seen.too_late:,} requests, published but not announced")
    yield row("batches", _counted(seen.batches))
    for batch_id, reason in seen.rejected.items():
        yield f"    {batch_id} rejected: {inert(reason)}"
    yield row("do not add up", f"{seen.unbalanced:,} objects and batches")
    yield row("validation", _outcome(seen.validation))
    yield from _drift(seen.drift)
    yield from _reconciliation(seen.reconciled)
    yield "aggregated"
    for table, hours in seen.aggregates.items():
        yield row(table, f"{hours:,} hours")
    yield row("checks", _outcome(seen.aggregate_checks))
    yield from _watching(seen.watched)
    yield row("incidents", f"{seen.incidents:,}")
    yield from _messages(seen.messages)
    if seen.health:
        yield row("own health", "trouble")
        yield from (f"    {trouble}" for trouble in seen.health)


def _messages(channels: dict[str, dict[str, int]]) -> Iterator[str]:
    """What was delivered by channel, and a line for each where something waits or was given up."""
    delivered = {
        name: states[DeliveryState.DELIVERED]
        for name, states in channels.items()
        if DeliveryState.DELIVERED in states
    }
    yield row("messages", _counted(delivered))
    for name, states in channels.items():
        if left := {word: states[state] for state, word in LEFT.items() if state in states}:
            yield f"    {name}: {_counted(left)}"


def _watching(connectors: dict[str, Watched]) -> Iterator[str]:
    yield "watched"
    idle = {n: one for n, one in connectors.items() if not (one.backfilled or one.crawled)}
    for name, watched in connectors.items():
        if name in idle:
            continue
        detector = watched.detector
        yield row(name, f"{watched.backfilled:,} intervals backfilled, {watched.crawled:,} crawled")
        yield f"    {detector.state}: {detector.reason}; " + (
            f"{detector.series_ready} of {detector.series} series ready"
        )
        if watched.quality:
            yield f"    {_quality(watched.quality)}"
    if idle:
        yield row("not watched yet", f"{len(idle)}: {', '.join(idle)}")


def _quality(found: dict[str, Any]) -> str:
    """The data quality of a day, naming the column that lacks most values."""
    day = f"{found['day'][:4]}-{found['day'][4:6]}-{found['day'][6:]}"
    text = f"data of {day}: {found['rows']:,} rows, {found['series']:,} series at a time"
    if found["undelivered"]:
        text += f", {found['undelivered']:,} of {found['intervals']:,} intervals without data"
    if found["invalid"] or found["partial"]:
        worst, share = min(found["completeness"].items(), key=lambda one: one[1])
        text += f", {found['invalid']:,} rows without a value, {found['partial']:,} incomplete"
        text += f" ({inert(worst)} is there in {share:.1%})"
    return text


def _drift(found: list[Drift]) -> Iterator[str]:
    """What has no column, the most frequent paths."""
    yield row("schema drift", f"{len(found):,} paths" if found else "none")
    for one in found[:SHOWN_DRIFT]:
        since = f"since {format_time(one.first_hour)}"
        yield f"    {one.records:,} x {inert(one.path)}: {one.kind} ({one.json_type}), {since}"
    if len(found) > SHOWN_DRIFT:
        yield f"    and {len(found) - SHOWN_DRIFT:,} more; --json lists all"


def _reconciliation(done: Reconciled) -> Iterator[str]:
    """Hours by verdict, and the worst hour of those web ACLs that differ most from the counters."""
    if done.last_hour is None:
        yield row("reconciliation", "not done; see `bartizan reconcile --help`")
        return
    hours = _counted(done.verdicts)
    yield row("reconciliation", f"hours: {hours}; the last {format_time(done.last_hour)}")
    for one in done.worst:
        yield f"    {format_time(one.hour)} {inert(one.webacl_id)}: {_difference(one)}"


def _difference(one: ComparedHour) -> str:
    numbers = f"{one.in_log:,} logged, {one.in_counters:,} counted"
    share = f" ({one.share:.1%})" if one.verdict is Verdict.MISSING else ""
    return f"{one.verdict}, {numbers}{share}"


def row(name: str, value: str) -> str:
    """One aligned line of a description."""
    return f"  {name:<24} {value}"


def _outcome(checks: Checks) -> str:
    return f"{checks.passed} passed, {checks.warned} warned, {checks.failed} failed"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items()) or "none"
