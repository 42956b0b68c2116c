"""Text for people, made of values that attackers may have written."""

from __future__ import annotations

import math
import unicodedata

ELLIPSIS = "…"


def inert(text: str) -> str:
    """The text with every control, format and separator character written out as `\\u202e`.

    Line breaks, terminal escapes, bidirectional overrides and lone surrogates become visible and
    harmless; everything a reader can see stays as it is.
    """
    return "".join(_written_out(char) if _is_hidden(char) else char for char in text)


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + ELLIPSIS


def number(value: float) -> str:
    """A number as people write it: `1,152`, `0.25`, `unknown` for one that is not finite."""
    if not math.isfinite(value):
        return "unknown"
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"


def _is_hidden(char: str) -> bool:
    # Cn (unassigned) is left alone: which characters it holds depends on the Python release.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _written_out(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
