"""Memory by address, for compiled loops that look at every byte of a log.

Numba counts the references to each array that one compiled function hands to another, with locked
instructions: a parser made of small functions spent nine tenths of its time on that. An address is
just a number. Nothing is checked here: who asks has checked the bounds and keeps the array alive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BIT, _BYTE, _WORD = ir.IntType(1), ir.IntType(8), ir.IntType(64)


def _instructions(made: Callable[..., Any]) -> Callable[..., Any]:
    """A function for compiled code only, by the instructions that it stands for."""
    return cast(Callable[..., Any], intrinsic(made))


def address(array: np.ndarray[Any, Any]) -> int:
    """Where the first element of a contiguous array lies."""
    assert array.flags.c_contiguous
    return array.ctypes.data


@_instructions
def byte(_context: Any, start: Any, position: Any) -> Any:
    """The byte at `position`, 0 to 255."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.zext(builder.load(_pointer(builder, given, _BYTE)), _WORD)

    return types.int64(types.int64, types.int64), generate


@_instructions
def put_byte(_context: Any, start: Any, position: Any, value: Any) -> Any:
    """Write one byte at `position`."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        builder.store(builder.trunc(given[2], _BYTE), _pointer(builder, given, _BYTE))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@_instructions
def word(_context: Any, start: Any, position: Any) -> Any:
    """The eight bytes from byte `position` on, the first as the lowest."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        place = builder.bitcast(_pointer(builder, given, _BYTE), _WORD.as_pointer())
        return builder.load(place, align=1)

    return types.uint64(types.int64, types.int64), generate


@_instructions
def put_word(_context: Any, start: Any, position: Any, value: Any) -> Any:
    """Write eight bytes from byte `position` on."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        place = builder.bitcast(_pointer(builder, given, _BYTE), _WORD.as_pointer())
        builder.store(given[2], place, align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.uint64), generate


@_instructions
def number(_context: Any, start: Any, position: Any) -> Any:
    """Element `position` of an array of 64-bit integers."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.load(_pointer(builder, given, _WORD))

    return types.int64(types.int64, types.int64), generate


@_instructions
def put_number(_context: Any, start: Any, position: Any, value: Any) -> Any:
    """Set element `position` of an array of 64-bit integers."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        builder.store(given[2], _pointer(builder, given, _WORD))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@_instructions
def lowest_bit(_context: Any, value: Any) -> Any:
    """How many bits are below the lowest one that is set; `value` is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(_WORD, [_WORD, _BIT])
        count = builder.module.declare_intrinsic("llvm.cttz", [_WORD], kind)
        return builder.call(count, [given[0], ir.Constant(_BIT, 1)])

    return types.int64(types.uint64), generate


def _pointer(builder: Any, given: Any, kind: Any) -> Any:
    return builder.gep(builder.inttoptr(given[0], kind.as_pointer()), [given[1]])
