"""Compiles loops that are no column operation: what comes next depends on what came before."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """The kernel as machine code, kept on disk. Divides by zero as NumPy does; floats are not
    reordered, so that a result does not depend on the machine or on how time was cut."""
    # Numba compiles anew when the kernel's own file changes, not when one does that it calls into.
    kernel.__qualname__ += f"_{_sources(Path(kernel.__code__.co_filename).parent)}"
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy")(kernel))


@cache
def _sources(folder: Path) -> str:
    """A digest of all files of a folder that have to do with compiled code."""
    texts = [file.read_bytes() for file in sorted(folder.glob("*.py"))]
    return sha256(
        b"".join(text for text in texts if b"numba" in text or b"@compiled" in text)
    ).hexdigest()[:8]
