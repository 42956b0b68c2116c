"""Many series are gone through in shards, several at a time, so that memory stays bounded.

A shard is a run of series in the order of their dimension values, so it holds most groups of series
(the first dimension) whole. Its length depends on nothing but how many intervals are learned from;
hence results do not depend on the machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CELLS = 2**22  # series x intervals of a shard: 4096 series of 35 days of hours
LEAST, MOST = 256, 4096  # series

Result = TypeVar("Result")


def shard_size(intervals: int) -> int:
    """How many series are learned from together."""
    return min(max(CELLS // max(intervals, 1), LEAST), MOST)


def each_shard(work: Callable[[int], Result], shards: int) -> list[Result]:
    """What work(0), work(1), … return, in this order; on as many threads as there are cores."""
    workers = min(shards, len(os.sched_getaffinity(0)))
    if workers == 1:
        return [work(shard) for shard in range(shards)]
    with ThreadPoolExecutor(workers) as threads:
        return list(threads.map(work, range(shards)))
