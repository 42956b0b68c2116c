"""Whose fault it is that Redshift ended a statement: the query's, the set-up's, or nobody's."""

from __future__ import annotations

import re

from bartizan.engines.connections import Redshift
from bartizan.errors import BartizanError, ConfigError, TransientError, UsageError
from bartizan.model.text import short

_BUSY = re.compile(
    r"cancell?ed|aborted|time-?out|timed out|serializable isolation|concurrent|deadlock"
    r"|disk full|out of memory|could not connect|connection (?:refused|reset|lost|closed)"
    r"|too many connections|connection limit|slowdown|internal error|status 5\d\d",
    re.IGNORECASE,
)
_STORAGE = re.compile(r"s3serviceexception|\bbucket\b|\biam role\b|\bassume\b", re.IGNORECASE)
_ACCESS = re.compile(
    r"permission denied|password authentication failed|.* is not authorized"
    r"|(?:database|user) \"[^\"]*\" does not exist",
    re.IGNORECASE,
)
_FROM_QUOTE = re.compile(r"[\"'].*", re.DOTALL)  # a value that an attacker may have written


def failure(message: str, origin: str, connection: Redshift) -> BartizanError:
    """The error for a statement that ended with `message`, such as `ERROR: syntax error at …`."""
    line = message.partition("ERROR: ")[2] or message  # behind "Query #2 failed with "
    line = short(line.strip().split("\n", maxsplit=1)[0], 500)
    own_words = _FROM_QUOTE.sub("", line)
    if _BUSY.search(own_words):
        return TransientError(origin, line, "retry later")
    if _STORAGE.search(own_words):
        return UsageError(
            connection.unload, line, f"let {connection.role} list, read and write this prefix"
        )
    if _ACCESS.match(line):
        thing = connection.target or connection.secret or "redshift"
        return UsageError(thing, line, "grant its user what the query reads")
    return ConfigError(origin, line, "correct the query")
