"""Loops that no column operation can express, compiled: what comes next depends on what came before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """The kernel as machine code, kept on disk. Divides by zero as NumPy does; floats are not
    reordered, so that a result does not depend on the machine or on how time was cut."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy")(kernel))
