"""Query text with `{{ start }}` and `{{ end }}`, the only two things that can be filled in.

Values are datetimes and become typed literals, so nothing from a config, a form or a log can reach
a query as text. Literal timestamps, not bind parameters, because the same text must also work in
statements that take none (UNLOAD, CTAS).
"""

from __future__ import annotations

import re
from datetime import datetime

from bartizan.errors import ConfigError
from bartizan.model.window import Window, naive

_PLACEHOLDER = re.compile(r"\{\{\s*(?P<name>.*?)\s*\}\}")
_PLAIN_OR_OTHER = re.compile(r"([A-Za-z0-9_-]+)|(.)", re.DOTALL)


def render(query: str, window: Window, origin: str = "query", windowed: bool = True) -> str:
    """The query with its window filled in. Raises ConfigError naming `origin` and the placeholder.

    A `windowed` query must use both placeholders: one that does not would read the whole table.
    """
    values = {"start": timestamp(window.start), "end": timestamp(window.end)}
    names = {match["name"] for match in _PLACEHOLDER.finditer(query)}
    if unknown := sorted(names - values.keys()):
        raise ConfigError(
            origin, f"unknown placeholder {unknown[0]!r}", "only {{ start }} and {{ end }} exist"
        )
    if windowed and (lacking := sorted(values.keys() - names)):
        raise ConfigError(
            origin,
            f"placeholder {lacking[0]!r} is not used",
            "filter on ts >= {{ start }} and ts < {{ end }}",
        )
    return _PLACEHOLDER.sub(lambda match: values[match["name"]], query)


def timestamp(instant: datetime) -> str:
    """A SQL literal of a naive UTC timestamp."""
    return f"timestamp '{naive(instant):%Y-%m-%d %H:%M:%S.%f}'"


def text_literal(text: str) -> str:
    """A SQL expression of this text, whatever it holds.

    Characters other than ASCII letters, digits, `_` and `-` become `chr(n)`, so nothing in the
    text can end the literal, look like a placeholder or name a table.
    """
    pieces = [
        f"'{run}'" if run else f"chr({ord(other)})" for run, other in _PLAIN_OR_OTHER.findall(text)
    ]
    return f"({' || '.join(pieces)})" if pieces else "''"
