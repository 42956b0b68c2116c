"""Date patterns of Java, as Lookout for Metrics has them in paths and for timestamps.

Letters: `y` year, `M` month, `d` day of month, `a` AM or PM, `H` hour 0-23, `k` hour 1-24 (0-11
with `a`), `h` hour 1-12, `m` minute, `s` second, `S` fraction of a second, `X` offset from UTC
(`Z`, `+01`, `+0100` or `+01:00`). Text between apostrophes stands for itself, as do other signs.
The guide prints `DD` and `YYYY`, which mean day of the year and week year to Java; they are taken
for what was meant, and `traps` says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from bartizan.errors import UsageError

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_PIECE = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>.)", re.DOTALL
)
_MEANT = {"DD": "dd", "YYYY": "yyyy", "YY": "yy"}
_WIDTHS = {
    "y": (1, 2, 4),
    "M": (1, 2, 3, 4),
    "S": tuple(range(1, 7)),
    "a": (1,),
    "X": (1, 2, 3),
} | dict.fromkeys("dHkhms", (1, 2))


@dataclass(frozen=True)
class Field:
    """A run of one letter."""

    letter: str
    width: int


_PYTHON = {
    Field("y", 4): "%Y",
    Field("M", 2): "%m",
    Field("d", 2): "%d",
    Field("H", 2): "%H",
    Field("m", 2): "%M",
    Field("s", 2): "%S",
}


@dataclass(frozen=True)
class JavaTime:
    """A pattern taken apart into fields and texts that stand for themselves."""

    text: str
    pieces: tuple[Field | str, ...]

    @classmethod
    def parse(cls, text: str) -> JavaTime:
        """Raises UsageError for a letter that is not supported."""
        return cls(text, tuple(_piece(match, text) for match in _PIECE.finditer(text)))

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Field))

    @cached_property
    def has_half_days(self) -> bool:
        return any(field.letter == "a" for field in self.fields)

    @cached_property
    def has_offset(self) -> bool:
        return any(field.letter == "X" for field in self.fields)

    @cached_property
    def _by_python(self) -> str | None:
        """The pattern in Python's words, which are faster, where it has them."""
        known = [
            piece.replace("%", "%%") if isinstance(piece, str) else _PYTHON.get(piece)
            for piece in self.pieces
        ]
        return None if None in known else "".join(text for text in known if text)

    def written(self, moment: datetime) -> str:
        """The wall time of `moment` by this pattern."""
        if self._by_python is not None:
            return moment.strftime(self._by_python)
        return "".join(
            piece if isinstance(piece, str) else self._field(piece, moment) for piece in self.pieces
        )

    def _field(self, field: Field, moment: datetime) -> str:
        if field.letter == "a":
            return "AM" if moment.hour < 12 else "PM"
        if field.letter == "M" and field.width > 2:
            name = MONTHS[moment.month - 1]
            return name if field.width > 3 else name[:3]
        if field.letter == "S":
            return f"{moment.microsecond:06d}"[: field.width]
        if field.letter == "X":
            return _offset(moment, field.width)
        number = {
            "y": moment.year % 100 if field.width == 2 else moment.year,
            "M": moment.month,
            "d": moment.day,
            "H": moment.hour,
            "k": moment.hour % 12 if self.has_half_days else moment.hour or 24,
            "h": (moment.hour % 12 or 12) if self.has_half_days else moment.hour,
            "m": moment.minute,
            "s": moment.second,
        }[field.letter]
        return f"{number:0{field.width}d}"


def traps(text: str) -> list[str]:
    """What of a pattern means something else to Java, one line each."""
    letters = [match["letters"] for match in _PIECE.finditer(text) if match["letters"]]
    found = []
    if "DD" in letters:
        found.append(
            f"{text}: DD is the day of the year to Java, taken for the day of the month dd"
        )
    if {"YYYY", "YY"} & set(letters):
        found.append(f"{text}: YYYY is the week year to Java, taken for the year yyyy")
    if any(run.startswith("h") for run in letters) and "a" not in letters:
        found.append(f"{text}: hh has 12 hours and there is no a, taken for the hour of the day HH")
    return found


def _offset(moment: datetime, width: int) -> str:
    hours, minutes = f"{moment:%z}"[:3], f"{moment:%z}"[3:5]
    if moment.utcoffset() == timedelta():
        return "Z"
    if width == 1 and minutes == "00":
        return hours
    return f"{hours}:{minutes}" if width == 3 else f"{hours}{minutes}"


def _piece(match: re.Match[str], text: str) -> Field | str:
    if match["letters"] is None:
        quoted = match["quoted"]
        return match["other"] if quoted is None else quoted.replace("''", "'") or "'"
    run = _MEANT.get(match["letters"], match["letters"])
    if len(run) not in _WIDTHS.get(run[0], ()):
        raise UsageError(
            f"date pattern {text!r}", f"{run!r} is not known", "docs/connectors.md lists what is"
        )
    return Field(run[0], len(run))
