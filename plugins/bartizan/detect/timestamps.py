"""Columns of timestamps in the forms of Lookout for Metrics, as naive UTC."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bartizan.detect.values import Integers
from bartizan.model.java_time import MONTHS, Field, JavaTime

UNIX = "UNIX"
LARGEST_SECONDS = 94_694_400_000  # Lookout: a larger UNIX time is in milliseconds
_END_OF_TIME = 253_402_300_800_000  # the year 10000 in milliseconds
_NAT = np.datetime64("NaT", "us")

Times = NDArray[np.datetime64]


def instants(texts: pa.ChunkedArray, pattern: str, timezone: str) -> Times:
    """Each text as datetime64[us]; NaT where it does not fit `pattern`, or is no time.

    `pattern` is Java's, or UNIX, which is of no zone; nor is a pattern with an offset. A wall time
    that `timezone` has twice is its first, one that it skips is none.
    """
    if pattern == UNIX:
        return _from_unix(texts)
    form = JavaTime.parse(pattern)
    wall = _wall_times(texts, form)
    if timezone == "UTC" or form.has_offset:
        return wall
    index = pd.DatetimeIndex(wall)
    local = index.tz_localize(timezone, ambiguous=np.ones(len(wall), bool), nonexistent="NaT")
    utc: Times = local.tz_convert(None).to_numpy(dtype="datetime64[us]")
    return utc


def _from_unix(texts: pa.ChunkedArray) -> Times:
    numbers = pd.to_numeric(texts.to_pandas(), errors="coerce").to_numpy(dtype=float)
    millis = np.where(numbers > LARGEST_SECONDS, numbers, numbers * 1000)
    known = (millis >= 0) & (millis < _END_OF_TIME)
    micros = np.floor(np.where(known, millis, 0.0) * 1000).astype(np.int64)
    times: Times = np.where(known, micros.astype("datetime64[us]"), _NAT)
    return times


def _wall_times(texts: pa.ChunkedArray, pattern: JavaTime) -> Times:
    parts = pc.extract_regex(texts.combine_chunks(), _regex(pattern))
    fits = parts.is_valid().to_numpy(zero_copy_only=False)
    found = {
        field.letter: _numbers(pc.struct_field(parts, field.letter), field)
        for field in pattern.fields
    }
    zero: Integers = np.zeros(len(fits), dtype=np.int64)
    month, day = found.get("M", zero + 1), found.get("d", zero + 1)
    first = ((found.get("y", zero + 1970) - 1970) * 12 + month - 1).astype("datetime64[M]")
    date = first.astype("datetime64[D]") + (day - 1)
    hour, is_hour = _hour(found, zero)
    minute, second = found.get("m", zero), found.get("s", zero)
    good = fits & is_hour & (month >= 1) & (month <= 12) & (date.astype("datetime64[M]") == first)
    good &= (minute < 60) & (second < 60)
    seconds = (hour * 60 + minute - found.get("X", zero)) * 60 + second
    micros = seconds * 1_000_000 + found.get("S", zero)
    times: Times = np.where(good, date.astype("datetime64[us]") + micros, _NAT)
    return times


def _hour(found: dict[str, Integers], zero: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Hour of the day, and whether it is one."""
    if "H" in found:
        return found["H"], found["H"] < 24
    half = found.get("a")
    if "k" in found:
        hour = found["k"]
        if half is None:
            return hour % 24, (hour >= 1) & (hour <= 24)
        return hour + 12 * half, hour < 12
    hour = found.get("h", zero)
    if half is None:
        return hour, hour < 24
    return hour % 12 + 12 * half, (hour >= 1) & (hour <= 12)


def _regex(pattern: JavaTime) -> str:
    """The pattern with one named group for each letter."""
    alone = len(pattern.fields) == 1 or all(
        isinstance(a, str) or isinstance(b, str)
        for a, b in zip(pattern.pieces, pattern.pieces[1:], strict=False)
    )
    groups = [
        re.escape(piece) if isinstance(piece, str) else f"(?P<{piece.letter}>{_form(piece, alone)})"
        for piece in pattern.pieces
    ]
    return r"\A" + "".join(groups) + r"\z"


def _form(field: Field, alone: bool) -> str:
    """Digits of a field; one that stands `alone` may have one where two are usual."""
    if field.letter == "a":
        return "[AaPp][Mm]"
    if field.letter == "X":
        return r"Z|[+-]\d{2}(?::?\d{2})?"
    if field.letter == "M" and field.width > 2:
        return "|".join(name if field.width > 3 else name[:3] for name in MONTHS)
    if field.letter == "y":
        return r"\d{2}" if field.width == 2 else r"\d{4}"
    return r"\d{1,2}" if field.width == 1 and alone else rf"\d{{{field.width}}}"


def _numbers(texts: pa.Array, field: Field) -> Integers:
    """Digits, names of months and halves of days as numbers, offsets as minutes; 0 where there is
    no text."""
    if field.letter == "a":
        numbers = pc.equal(pc.utf8_upper(texts), "PM").cast(pa.int64())
    elif field.letter == "M" and field.width > 2:
        names = [name if field.width > 3 else name[:3] for name in MONTHS]
        numbers = pc.add(pc.index_in(texts, pa.array(names)).cast(pa.int64()), 1)
    elif field.letter == "X":
        digits = pc.replace_substring_regex(texts, "[^0-9]", "")
        clock = pc.utf8_rpad(digits, 4, padding="0").cast(pa.int64())
        hours = pc.divide(clock, 100)
        minutes = pc.subtract(clock, pc.multiply(hours, 40))
        west = pc.starts_with(texts, "-")
        numbers = pc.if_else(west, pc.negate(minutes), minutes)
    elif field.letter == "S":
        numbers = pc.utf8_rpad(texts, 6, padding="0").cast(pa.int64())
    else:
        numbers = texts.cast(pa.int64())
        if field.letter == "y" and field.width == 2:
            numbers = pc.add(numbers, 2000)
    result: Integers = numbers.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return result
