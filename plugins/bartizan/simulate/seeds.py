"""One independent random generator for each thing, whatever else is drawn before or after it."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *parts: str | int) -> np.random.Generator:
    """Generator of the named thing: the same seed and parts always give the same draws."""
    return np.random.default_rng([seed, *(_number(part) for part in parts)])


def _number(part: str | int) -> int:
    return part if isinstance(part, int) else zlib.crc32(part.encode())
