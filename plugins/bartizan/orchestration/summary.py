"""What the demo prints at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bartizan.model.attack import AttackLabel
from bartizan.model.matching import Matching
from bartizan.model.story import headline, moment
from bartizan.overview import Overview


def summary(
    seen: Overview, matching: Matching, seconds: Mapping[str, float], report: str
) -> Iterator[str]:
    """Lines of text: what was done, incidents beside attacks, time per stage, where to look."""
    counts = seen.counts
    yield "landed"
    yield _row("objects", f"{seen.objects:,}")
    yield _row("records", f"{counts.records:,}")
    yield _row("requests, rule hits", f"{counts.requests:,}, {counts.rule_hits:,}")
    yield _row("duplicates", f"{counts.duplicates:,}")
    yield _row("quarantined", f"{counts.quarantined:,}")
    checks, built = seen.validation, seen.aggregate_checks
    yield _row(
        "validation", f"{checks.passed} passed, {checks.warned} warned, {checks.failed} failed"
    )
    yield "aggregated"
    for table, hours in seen.aggregates.items():
        yield _row(table, f"{hours} hours")
    yield _row("checks", f"{built.passed} passed, {built.warned} warned, {built.failed} failed")
    yield "watched"
    for name, watched in seen.watched.items():
        detector = watched.detector
        yield _row(
            name,
            f"{watched.backfilled:,} intervals backfilled, {watched.crawled:,} crawled live; "
            f"{detector.state} with {detector.series_ready} of {detector.series} series ready",
        )
    yield "attacks injected, and the incidents that found them"
    for match in matching.attacks:
        yield _row(match.attack.kind, _found(match.attack, len(match.incidents)))
        for incident in match.incidents:
            yield f"    {incident.severity:3.0f}  {headline(incident)}"
    yield f"incidents that match no attack: {len(matching.unmatched)}"
    for incident in matching.unmatched:
        yield f"    {incident.severity:3.0f}  {headline(incident)}"
    yield "time"
    for stage, took in seconds.items():
        yield _row(stage, f"{took:.1f} s")
    yield _row("in all", f"{sum(seconds.values()):.1f} s")
    yield f"messages in the outbox: {', '.join(f'{c} {n}' for c, n in seen.delivered.items())}"
    yield f"report: {report}"


def _row(name: str, value: str) -> str:
    return f"  {name:<26} {value}"


def _found(attack: AttackLabel, incidents: int) -> str:
    when = f"{moment(attack.window.start)}, {attack.webacl}"
    return f"{when}: {f'{incidents} incident(s)' if incidents else 'MISSED'}"
