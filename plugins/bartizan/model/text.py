"""Text for people, made of values that attackers may have written."""

from __future__ import annotations

import math

ELLIPSIS = "…"


def inert(text: str) -> str:
    """The text with every character that cannot be seen written out, such as `\\u202e`.

    Line breaks, terminal escapes, bidirectional overrides and lone surrogates become visible and
    harmless; everything a reader can see stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _written_out(char) for char in text)


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + ELLIPSIS


def short(text: str, limit: int) -> str:
    """Inert text of at most `limit` characters; fast on texts of any length."""
    return clip(inert(text[: limit + 1]), limit)


def number(value: float) -> str:
    """A number as people write it: `1,152`, `0.25`, `unknown` for one that is not finite."""
    if not math.isfinite(value):
        return "unknown"
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"


def _written_out(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
