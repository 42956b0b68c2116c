"""A task that did a part of its work names all that failed."""

from __future__ import annotations

import pytest

from bartizan.errors import TransientError
from bartizan.orchestration.failed import unless_failed


def test_all_that_failed_is_named_and_what_was_done_is_returned() -> None:
    done = {"changes": [1], "failed": {}}
    assert unless_failed(done, TransientError) is done
    with pytest.raises(TransientError, match="2 failed: shop: throttled; edge: no such set"):
        unless_failed({"failed": {"shop": "throttled", "edge": "no such set"}}, TransientError)
