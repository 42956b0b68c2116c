"""CSV that a spreadsheet opens as data, whatever attackers wrote into it.

A text that begins with one of = + - @, or with a blank before it, would be run as a formula: it
gets an apostrophe in front, as OWASP advises. So does what follows a semicolon, where spreadsheets
of many countries begin another cell, whatever is quoted. What cannot be seen is written out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from unicodedata import normalize

from bartizan.model.text import inert
from bartizan.model.window import format_time

_FORMULA = ("=", "+", "-", "@")

Value = str | float | datetime | None


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> str:
    """RFC 4180 text with a header; None is empty, times are ISO-8601."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_cell(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return format_time(value)
        case str():
            return ";".join(map(_guarded, value.split(";")))
        case _:
            return repr(float(value))


def _guarded(text: str) -> str:
    first = normalize("NFKC", text.lstrip()[:1])  # spreadsheets take wide signs, too
    return f"'{inert(text)}" if first in _FORMULA else inert(text)
