"""Texts that contain a piece, against Python's own search."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bartizan.land.containing import containing

TEXTS = st.lists(st.none() | st.text("eyJ=aé", max_size=20), max_size=30)


@given(texts=TEXTS, piece=st.sampled_from(["eyJ", "=", "J", "aeé"]), start=st.integers(0, 5))
@example(["ey", "J", "eyeyJ"], "eyJ", 0)  # the end of one text and the start of the next
@example([], "=", 0)
@example([None, "", None], "=", 0)
def test_a_piece_is_found_where_python_finds_it(
    texts: list[str | None], piece: str, start: int
) -> None:
    column = pa.array(texts, pa.string()).slice(start)
    found = containing(column, piece.encode()).to_pylist()
    assert found == [text is not None and piece in text for text in texts[start:]]


def test_columns_with_other_offsets_are_refused() -> None:
    with pytest.raises(AssertionError, match="large_string has other offsets"):
        containing(pa.array(["eyJ"], pa.large_string()), b"eyJ")
