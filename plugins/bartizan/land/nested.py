"""Arrow arrays of lists and structs with other values inside."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa


def with_children(array: pa.Array, kind: pa.DataType, children: Sequence[pa.Array]) -> pa.Array:
    """An array of type `kind` with the nulls and list bounds of `array`, and these children.

    Nothing is copied. `array` is no slice: that would share its children with others.
    """
    assert array.offset == 0, "a slice shares its children with others"
    own = 1 if pa.types.is_struct(kind) else 2
    return pa.Array.from_buffers(
        kind, len(array), array.buffers()[:own], array.null_count, 0, list(children)
    )


def only(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The array as one of type `kind`: of the same shape, but for members that structs lack."""
    if pa.types.is_list(kind):
        return with_children(array, kind, [only(array.values, kind.value_type)])
    if pa.types.is_struct(kind):
        return with_children(array, kind, [only(array.field(one.name), one.type) for one in kind])
    return array
