"""The figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from bartizan.simulate.sites import SITES
from weeks.contenders import CONTENDERS
from weeks.figures import ATTACK, BESIDE, FALSE, AttackFigure, IncidentFigure
from weeks.plan import BURSTS, CONNECTORS, KINDS, LIVE_WEEKS, STRENGTHS, VOLUMES
from weeks.pooled import Pooled

VERDICTS = (ATTACK, BESIDE, FALSE)

Row = Sequence[str]


def markdown(curves: Sequence[Pooled]) -> str:
    """Every table, those by kind and place for the first contender only."""
    usual = _usual(curves)
    first = usual[0]
    weeks, name = first.worlds * LIVE_WEEKS, first.contender
    parts = [
        f"{weeks} weeks at {len(SITES)} web ACLs, {len(first.attacks)} attacks.",
        _contenders(usual, curves),
        f"{name}: attacks found of all, by kind and strength",
        _by_kind(first.attacks, _share_found),
        f"{name}: median delay in intervals / the longest, of attacks found",
        _by_kind(first.attacks, _delays),
        f"{name}: by place and volume",
        _by_place(first),
        f"{name}: incidents in a week of one web ACL, by connector",
        _by_connector(first),
        "The whole curve: recall and false incidents in a week of one web ACL, by threshold",
        _curve(curves),
    ]
    return "\n\n".join(parts)


def plain(curves: Sequence[Pooled]) -> dict[str, Any]:
    """The curve, and every attack as it fared at the usual thresholds."""
    return {
        "curve": [
            {
                "contender": one.contender,
                "threshold": one.threshold,
                "recall": {strength: one.recall(strength) for strength in STRENGTHS},
                "precision": one.precision,
                "weekly": {verdict: one.weekly(verdict) for verdict in VERDICTS},
                "false_in_quiet_weeks": one.weekly_quiet,
            }
            for one in curves
        ],
        "attacks": {
            one.contender: [
                {**asdict(attack), "window": str(attack.window)} for attack in one.attacks
            ]
            for one in _usual(curves)
        },
    }


def _usual(curves: Sequence[Pooled]) -> list[Pooled]:
    """Each contender at its own threshold."""
    thresholds = {(one.name, one.threshold) for one in CONTENDERS}
    return [one for one in curves if (one.contender, one.threshold) in thresholds]


def _contenders(usual: Sequence[Pooled], curves: Sequence[Pooled]) -> str:
    head = [
        "contender", *STRENGTHS, "precision", "false a week", "in quiet weeks", "beside a week",
        "bursts raised in 1 interval", "medium at <= 1 false a week",
    ]  # fmt: skip
    rows = []
    for one in usual:
        bursts = [a for a in one.attacks if a.kind in BURSTS and a.found]
        at_once = sum(a.delay == 1 for a in bursts) / max(len(bursts), 1)
        fitting = [
            other
            for other in curves
            if other.contender == one.contender and other.weekly(FALSE) <= 1
        ]
        best = max((f"{each.recall('medium'):.2f}" for each in fitting), default="none")
        rows.append(
            [
                one.contender,
                *(f"{one.recall(strength):.2f}" for strength in STRENGTHS),
                f"{one.precision:.2f}",
                f"{one.weekly(FALSE):.2f}",
                f"{one.weekly_quiet:.2f}",
                f"{one.weekly(BESIDE):.2f}",
                f"{at_once:.2f}",
                best,
            ]
        )
    return _table(head, rows)


def _by_kind(attacks: Sequence[AttackFigure], cell: Callable[[Sequence[AttackFigure]], str]) -> str:
    rows = []
    for kind in KINDS:
        of_kind = [attack for attack in attacks if attack.kind == kind]
        cells = [cell([a for a in of_kind if a.strength == strength]) for strength in STRENGTHS]
        rows.append([kind, *cells, cell(of_kind)])
    return _table(["attack", *STRENGTHS, "all"], rows)


def _share_found(attacks: Sequence[AttackFigure]) -> str:
    return f"{sum(attack.found for attack in attacks)}/{len(attacks)}"


def _delays(attacks: Sequence[AttackFigure]) -> str:
    delays = [attack.delay for attack in attacks if attack.delay is not None]
    return f"{median(delays):g} / {max(delays)}" if delays else "-"


def _by_place(one: Pooled) -> str:
    rows = [
        _place(
            site.webacl,
            [attack for attack in one.attacks if attack.webacl == site.webacl],
            [incident for incident in one.incidents if incident.webacl == site.webacl],
            one.worlds * LIVE_WEEKS,
        )
        for site in SITES
    ]
    for place, volume in enumerate(VOLUMES):
        numbers = range(place, one.worlds, len(VOLUMES))
        rows.append(
            _place(
                f"all four, {volume:,} requests a day",
                [attack for attack in one.attacks if attack.world in numbers],
                [incident for incident in one.incidents if incident.world in numbers],
                max(len(numbers), 1) * LIVE_WEEKS * len(SITES),
            )
        )
    return _table(["where", *STRENGTHS, "false a week"], rows)


def _place(
    name: str, attacks: Sequence[AttackFigure], incidents: Sequence[IncidentFigure], weeks: int
) -> Row:
    false = sum(incident.verdict == FALSE for incident in incidents)
    found = [_share_found([a for a in attacks if a.strength == each]) for each in STRENGTHS]
    return [name, *found, f"{false / weeks:.2f}"]


def _by_connector(one: Pooled) -> str:
    rows = []
    for name in CONNECTORS:
        own = [incident for incident in one.incidents if incident.connector == name]
        counts = [sum(incident.verdict == verdict for incident in own) for verdict in VERDICTS]
        rows.append([name, *(f"{count / one.weeks:.2f}" for count in counts)])
    return _table(["connector", *VERDICTS], rows)


def _curve(curves: Sequence[Pooled]) -> str:
    head = ["contender", "threshold", *STRENGTHS, "all", "precision", "false a week"]
    return _table(head, list(_curve_rows(curves)))


def _curve_rows(curves: Sequence[Pooled]) -> Iterator[Row]:
    for one in curves:
        yield [
            one.contender,
            f"{one.threshold:g}",
            *(f"{one.recall(strength):.3f}" for strength in STRENGTHS),
            f"{one.recall():.3f}",
            f"{one.precision:.3f}",
            f"{one.weekly(FALSE):.2f}",
        ]


def _table(head: Row, rows: Sequence[Row]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
