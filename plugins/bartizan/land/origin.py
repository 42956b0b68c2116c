"""Account and region of an object as its path names them.

Records name their web ACL by ARN, which says both and is believed. Only AWS WAF Classic logged a
bare GUID.
"""

from __future__ import annotations

import re

_DIRECT = re.compile(r"/AWSLogs/(?:o-\w+/)?(\d+)/WAFLogs/([^/]+)/")


def origin(uri: str) -> tuple[str | None, str | None]:
    """(account, region) where the path is that of a direct S3 delivery."""
    found = _DIRECT.search(uri)
    return (found[1], found[2]) if found else (None, None)
