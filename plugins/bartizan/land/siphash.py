"""SipHash-1-3: a hash of 64 bits that nobody can foresee who does not know its key.

Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012; with one round a word and
three at the end, as CPython and Rust hash keys of tables that come from outside.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bartizan.compiled import compiled
from bartizan.land.framing import Ints
from bartizan.land.memory import byte, word

Keys = npt.NDArray[np.uint64]  # a row of two words each

_START = np.frombuffer(b"somepseudorandomlygeneratedbytes", ">u8").astype(np.uint64)
_V0, _V1, _V2, _V3 = _START
_END = np.uint64(0xFF)
_BITS = np.uint64(64)


@compiled
def siphash(
    text: int, starts: Ints, ends: Ints, keys: Keys, key_of_each: Ints, numbers: Ints
) -> None:
    """Hash each piece of the text at address `text` with the key of this row of `keys`."""
    for piece in range(len(starts)):
        start, end = starts[piece], ends[piece]
        k0, k1 = keys[key_of_each[piece]]
        v0, v1, v2, v3 = _V0 ^ k0, _V1 ^ k1, _V2 ^ k0, _V3 ^ k1
        at = start
        while at + 8 <= end:
            eight = word(text, at)
            v0, v1, v2, v3 = _round(v0, v1, v2, v3 ^ eight)
            v0 ^= eight
            at += 8
        last = np.uint64(end - start) << np.uint64(56)
        for place in range(end - at):
            last |= np.uint64(byte(text, at + place)) << np.uint64(8 * place)
        v0, v1, v2, v3 = _round(v0, v1, v2, v3 ^ last)
        v0 ^= last
        v2 ^= _END
        for _ in range(3):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        numbers[piece] = np.int64(v0 ^ v1 ^ v2 ^ v3)


@compiled
def _round(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    v0 += v1
    v1 = _rotated(v1, 13) ^ v0
    v0 = _rotated(v0, 32)
    v2 += v3
    v3 = _rotated(v3, 16) ^ v2
    v0 += v3
    v3 = _rotated(v3, 21) ^ v0
    v2 += v1
    v1 = _rotated(v1, 17) ^ v2
    return v0, v1, _rotated(v2, 32), v3


@compiled
def _rotated(value: np.uint64, bits: int) -> np.uint64:
    left = np.uint64(bits)
    return np.uint64((value << left) | (value >> (_BITS - left)))
