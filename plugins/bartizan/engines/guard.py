"""Which SQL may run: one SELECT, checked on its parsed tree against an allow-list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bartizan.engines.base import EngineName
from bartizan.engines.sql import lake_tables, render
from bartizan.model.window import Window


@dataclass(frozen=True)
class Admitted:
    """SQL that may run as it stands, and the tables it reads (lower case, those `given` not)."""

    text: str
    tables: tuple[str, ...]


def admit(
    query: str,
    window: Window,
    engine: EngineName,
    origin: str = "query",
    given: Collection[str] = (),
) -> Admitted:
    """`query` with its window filled in as literals, ready for `engine`.

    Raises ConfigError naming `origin` and what is not allowed.
    """
    text = render(query, window, origin, windowed=not given)
    return Admitted(text, tuple(lake_tables(query)))
