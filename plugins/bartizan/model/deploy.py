"""What people tell of their own changes, so that it stands beside what was unusual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bartizan.errors import UsageError
from bartizan.model.ids import stable_uuid
from bartizan.model.window import format_time

LONGEST_TEXT = 200  # characters


@dataclass(frozen=True)
class Deploy:
    """Something was deployed, or changed, at a time. Detector and web ACL are empty for all. Who
    said so (`by`) does not make another of it."""

    at: datetime
    what: str
    detector: str = ""
    webacl: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        if not 2000 <= self.at.year <= 2100:
            raise UsageError("--at", f"{self.at} is not of our time", "write when it was deployed")
        if not self.what.strip():
            raise UsageError("--what", "is empty", "say what was deployed")
        for name, text in (("what", self.what), ("webacl", self.webacl)):
            if len(text) > LONGEST_TEXT:
                raise UsageError(
                    f"--{name}", f"has {len(text)} characters", f"write at most {LONGEST_TEXT}"
                )
            if "\0" in text:  # PostgreSQL keeps none
                raise UsageError(f"--{name}", "holds a NUL character", "leave it out")

    @property
    def id(self) -> str:
        """The same for the same: told twice, it is one."""
        return stable_uuid("deploy", format_time(self.at), self.what, self.detector, self.webacl)
