"""What the demo prints at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bartizan.model.attack import AttackLabel
from bartizan.model.matching import Matching
from bartizan.model.story import headline, moment
from bartizan.overview import Overview
from bartizan.overview_text import described, row


def summary(
    seen: Overview, matching: Matching, seconds: Mapping[str, float], report: str
) -> Iterator[str]:
    """Lines of text: what was done, incidents beside attacks, time per stage, where to look."""
    yield from described(seen)
    yield "attacks injected, and the incidents that found them"
    for match in matching.attacks:
        yield row(match.attack.kind, _found(match.attack, len(match.incidents)))
        for incident in match.incidents:
            yield f"    {incident.severity:3.0f}  {headline(incident)}"
    yield f"incidents that match no attack: {len(matching.unmatched)}"
    for incident in matching.unmatched:
        yield f"    {incident.severity:3.0f}  {headline(incident)}"
    yield "time"
    for stage, took in seconds.items():
        yield row(stage, f"{took:.1f} s")
    yield row("in all", f"{sum(seconds.values()):.1f} s")
    yield f"report: {report}"


def _found(attack: AttackLabel, incidents: int) -> str:
    when = f"{moment(attack.window.start)}, {attack.webacl}"
    return f"{when}: {f'{incidents} incident(s)' if incidents else 'MISSED'}"
