"""Path templates of Lookout for Metrics: `s3://bucket/live/{{yyyyMMdd}}/{{HHmm}}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bartizan.errors import UsageError
from bartizan.model.java_time import JavaTime, traps
from bartizan.model.source import FolderLabel
from bartizan.model.window import Window

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}")
_LONGEST = 1024


@dataclass(frozen=True)
class Template:
    """Texts and date patterns in turn; what it writes ends without a slash."""

    pieces: tuple[str | JavaTime, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises UsageError for a template that is too long, has no date or an unknown letter."""
        pieces = _PLACEHOLDER.split(text.rstrip("/"))
        if len(pieces) == 1 or len(text) > _LONGEST:
            raise UsageError(
                f"path {text[:80]!r}", "is no template", "write …/{{yyyyMMdd}}/{{HHmm}}"
            )
        return cls(
            tuple(
                JavaTime.parse(piece) if place % 2 else piece for place, piece in enumerate(pieces)
            )
        )

    def written(self, wall: datetime) -> str:
        return "".join(
            piece if isinstance(piece, str) else piece.written(wall) for piece in self.pieces
        )


def template_traps(text: str) -> list[str]:
    """What of a template means something else to Java."""
    return [trap for pattern in _PLACEHOLDER.findall(text) for trap in traps(pattern)]


@lru_cache(maxsize=64)  # the days of a month that is learned from again and again
def folders(
    template: str, day: Window, frequency: timedelta, label: FolderLabel, timezone: str
) -> dict[str, datetime]:
    """The folder of each interval of a day, or of a part of it, by the interval's start.

    Where clocks go back, one name stands for two intervals: it is the first one's.
    """
    path, zone = Template.parse(template), ZoneInfo(timezone)
    shift = frequency if label is FolderLabel.END else timedelta()
    found: dict[str, datetime] = {}
    start = day.start
    while start < day.end:
        found.setdefault(path.written((start + shift).astimezone(zone)), start)
        start += frequency
    return found
