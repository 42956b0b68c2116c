"""A known attack: what the simulator wrote into the logs, and what a detector ought to find."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.model.window import Window


@dataclass(frozen=True)
class AttackLabel:
    """One labelled attack on one web ACL.

    `kind` is a short name (`sql-injection-burst`), `description` one sentence for people.
    `dimensions` are name/value pairs that the attack drives, such as ("country", "NL").
    `visible_in` names the connectors whose metrics the attack moves.
    """

    kind: str
    description: str
    webacl: str
    window: Window
    dimensions: tuple[tuple[str, str], ...]
    visible_in: tuple[str, ...]
