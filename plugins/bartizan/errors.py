"""Errors people read: each names the thing, the value and the remedy.

BartizanError           base; the command prints it on one line and exits with `exit_code`
├── UsageError          it cannot be done as asked (missing folder, port in use)
├── ConfigError         a file of the project is wrong: file, key, remedy
├── SourceError         an input object cannot be read at all (no permission, not gzip)
├── ValidationFailed    the checks refused a batch; nothing of it was published
└── TransientError      the same call may succeed later (catalog busy, service throttled)
"""

from __future__ import annotations


class BartizanError(Exception):
    """Base of all errors raised on purpose.

    `thing` is what the error is about, `problem` what is wrong with it (with the offending value),
    `remedy` what to do; `str()` joins the three on one line.
    """

    exit_code = 1

    def __init__(self, thing: str, problem: str, remedy: str = "") -> None:
        self.thing, self.problem, self.remedy = thing, problem, remedy
        text = f"{thing}: {problem}" + (f" — {remedy}" if remedy else "")
        super().__init__(" ".join(text.split()))

    def __reduce__(self) -> tuple[type[BartizanError], tuple[str, str, str]]:
        """So that it comes whole out of another process."""
        return type(self), (self.thing, self.problem, self.remedy)


class UsageError(BartizanError):
    """The request itself cannot be met."""

    exit_code = 2


class ConfigError(BartizanError):
    """A configuration file is wrong; `thing` is `file: key`."""

    exit_code = 2


class SourceError(BartizanError):
    """An input object cannot be read."""


class ValidationFailed(BartizanError):
    """A staged batch failed its checks and was not published."""

    exit_code = 3


class TransientError(BartizanError):
    """A retry may succeed."""

    exit_code = 75
