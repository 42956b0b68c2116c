"""What changes in a file, as `git apply` takes it."""

from __future__ import annotations

from difflib import unified_diff
from io import StringIO

_NO_END = "\\ No newline at end of file"


def file_diff(path: str, old: str, new: str) -> str:
    """A unified diff of a file of the project; empty when nothing is different."""
    lines = unified_diff(list(StringIO(old)), list(StringIO(new)), f"a/{path}", f"b/{path}")
    return "".join(one if one.endswith("\n") else f"{one}\n{_NO_END}\n" for one in lines)
