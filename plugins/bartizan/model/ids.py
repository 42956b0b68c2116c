"""Deterministic ids: the same facts always give the same id, on every machine and release."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

_NAMESPACE = uuid.UUID("9c1a3b52-6f0e-5d7c-9b43-0f8f1f5e2a10")


def digest(parts: Iterable[object], length: int = 16) -> str:
    """Hex digest of the parts in order, separated: ("ab", "c") and ("a", "bc") differ."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def stable_uuid(*parts: object) -> str:
    """A version-5 UUID of the parts, for ids that other systems expect in UUID form."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))
