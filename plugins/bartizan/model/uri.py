"""Path templates: `/orders/17/items` is `/orders/{id}/items`, as in the aggregate `agg_uri_5m`."""

from __future__ import annotations

import re

# A step that begins with a number, a UUID or 16 or more hex digits; the same for RE2 and Python.
ID = r"/([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|[0-9]+)\b"
_ID = re.compile(ID, re.ASCII)


def template(uri: str) -> str:
    """The path with `{id}` for each such step; takes time in proportion to its length."""
    return _ID.sub("/{id}", uri)
