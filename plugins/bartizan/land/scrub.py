"""Values of credential headers are replaced before anything is written."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

REDACTED = "REDACTED"  # as AWS WAF's own redaction writes it
SECRET_HEADERS = ("authorization", "cookie", "x-api-key", "aws-waf-token", "x-aws-waf-token")

_NAMES = "|".join(SECRET_HEADERS)
_IN_TEXT = re.compile(
    rf'("name"\s*:\s*"(?:{_NAMES})"\s*,\s*"value"\s*:\s*")[^"\\]*(?:\\.[^"\\]*)*', re.IGNORECASE
)


def scrub_headers(headers: pa.ListArray) -> pa.ListArray:
    """The same lists of (name, value) with the values of credential headers replaced."""
    pairs = headers.values
    names, values = pairs.field("name"), pairs.field("value")
    secret = pc.is_in(pc.utf8_lower(names), pa.array(SECRET_HEADERS, names.type))
    if not pc.any(secret).as_py():
        return headers
    replaced = pc.if_else(secret, pa.scalar(REDACTED, values.type), values)
    scrubbed = pa.StructArray.from_arrays(
        [names, replaced], fields=list(pairs.type), mask=pairs.is_null()
    )
    return pa.Array.from_buffers(
        headers.type,
        len(headers),
        headers.buffers()[:2],
        headers.null_count,
        headers.offset,
        [scrubbed],
    )


def scrub_text(text: str) -> str:
    """The same for raw text of a record, whole or cut."""
    return _IN_TEXT.sub(rf"\g<1>{REDACTED}", text)
