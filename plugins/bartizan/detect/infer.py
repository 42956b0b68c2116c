"""What a metric file says about itself: its form, its time, its dimensions and its measures."""

from __future__ import annotations

import csv
import io
import itertools
import json
import zlib
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.detect.listing import Found
from bartizan.detect.parse import parse, unpacked
from bartizan.detect.timestamps import LARGEST_SECONDS, UNIX, instants
from bartizan.detect.values import Floats
from bartizan.errors import SourceError, UsageError
from bartizan.model.connector import NAME, Aggregation, Connector, Measure, Missing
from bartizan.model.source import FileFormat, FileKind, Source
from bartizan.model.window import DAY, HOUR

FREQUENCIES = {
    "PT1M": timedelta(minutes=1),
    "PT5M": timedelta(minutes=5),
    "PT10M": timedelta(minutes=10),
    "PT15M": timedelta(minutes=15),
    "PT1H": HOUR,
    "P1D": DAY,
}
FITS = 0.9  # share of a column's values that decides what it is
SAMPLE = 1000  # values that are tried against every form of time
_DATES = ("yyyy-MM-dd", "yyyy/MM/dd", "MM/dd/yyyy", "dd/MM/yyyy", "dd.MM.yyyy", "yyyyMMdd")
_CLOCKS = ("HH:mm:ss", "HH:mm", "HH:mm:ss.SSS", "HH:mm:ss.SSSSSS")
_FORMS = (
    *(
        f"{date}{between}{clock}{zone}"
        for clock, date, between, zone in itertools.product(
            _CLOCKS, _DATES, (" ", "'T'"), ("", "XXX")
        )
    ),
    *_DATES,
)
_TIME_NAMES = ("timestamp", "interval_start", "time", "datetime", "date", "ts")
_OLDEST_SECONDS = 315_532_800  # 1980; smaller numbers are no UNIX times


@dataclass(frozen=True)
class Inferred:
    """The connector, and what a person should know of how it came about."""

    connector: Connector
    notes: tuple[str, ...]


def form_of(file: Found) -> tuple[FileFormat, tuple[str, ...]]:
    """The form of a file and the names of its columns. Raises SourceError."""
    try:
        content = unpacked(file.content)
        if content.startswith(b"PAR1"):
            names = pq.read_schema(io.BytesIO(content)).names
            return FileFormat(FileKind.PARQUET), tuple(names)
        head = content[: 1 << 20].decode("utf-8", errors="replace").lstrip("\ufeff")
        first = next((line for line in head.splitlines() if line.strip()), "")
        if first.startswith("{"):
            return FileFormat(FileKind.JSON), tuple(json.loads(first))
    except (pa.ArrowInvalid, OSError, EOFError, zlib.error, ValueError) as error:
        raise SourceError(file.path, f"cannot be read ({error})", _FORMS_READ) from error
    if not first:
        raise SourceError(file.path, "is empty", "give a file with a header and rows")
    delimiter = max(",;\t|", key=first.count)
    columns = tuple(next(csv.reader([first], delimiter=delimiter)))
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise SourceError(f"{file.path}: row 1", f"column {twice[0]!r} is there twice", _RENAME)
    return FileFormat(delimiter=delimiter), columns


_FORMS_READ = "give CSV with a header, JSON lines or Parquet, plain or gzip"
_RENAME = "give every column a name of its own"


def infer(file: Found, name: str, folder: str) -> Inferred:
    """The connector that the columns of a file suggest, over files like it in `folder`.

    Time is the column whose values are times (named ones first), measures are columns of numbers,
    dimensions columns of text. Whole numbers from 0 on are counts: SUM, and no row is 0; other
    numbers are averaged, and no row is a gap. The interval is the most common step of time.
    Raises SourceError and UsageError where there is no time, or nothing to measure.
    """
    form, names = form_of(file)
    texts = parse(file.content, file.path, form, names).table
    if not texts.num_rows:
        raise SourceError(file.path, "has no rows", "give a file with a header and rows")
    timestamp, pattern, notes = _time(file, texts)
    dimensions: list[str] = []
    measures: list[Measure] = []
    for column in (one for one in names if one != timestamp):
        role = _role(column, texts[column])
        if isinstance(role, Measure):
            measures.append(role)
        elif role:
            notes.append(f"column {column!r} is left out: {role}")
        else:
            dimensions.append(column)
    if not measures:
        raise UsageError(
            file.path, f"no column of numbers among {', '.join(names)}", "give --connector"
        )
    times = np.unique(instants(texts[timestamp], pattern, "UTC"))
    frequency, said = _frequency(times[~np.isnat(times)])
    notes += [
        f"column {column!r} is no name for a connector.yaml: rename it to use that file"
        for column in (timestamp, *dimensions, *(measure.name for measure in measures))
        if not NAME.fullmatch(column)
    ]
    return Inferred(
        Connector(
            name=name,
            description=f"Inferred from {file.name}",
            frequency=frequency,
            offset=timedelta(),
            timestamp=timestamp,
            dimensions=tuple(dimensions),
            measures=tuple(measures),
            query="",
            source=Source(None, folder, form, timestamp_format=pattern),
        ),
        (*said, *notes),
    )


def _time(file: Found, texts: pa.Table) -> tuple[str, str, list[str]]:
    """The column of time, its form, and what is doubtful about it."""
    names = texts.column_names
    usual = [name for wanted in _TIME_NAMES for name in names if name.lower() == wanted]
    for column in dict.fromkeys([*usual, *names]):
        sample = texts[column].slice(0, SAMPLE)
        fits = {form: _fitting(sample, form) for form in (*_FORMS, UNIX)}
        best = max(fits, key=lambda form: fits[form])
        if fits[best] >= FITS:
            twin = best.replace("MM/dd/", "dd/MM/")
            either = twin != best and fits[twin] == fits[best]
            note = f"column {column!r} may be {twin} as well as {best}: {best} is used"
            return column, best, [note] if either else []
    raise UsageError(
        f"{file.path}: row {2 if len(names) else 1}",
        f"no column of times among {', '.join(names)}",
        "write times as 2026-11-01 00:00:00 or UNIX seconds, or give --connector",
    )


def _fitting(texts: pa.ChunkedArray, form: str) -> float:
    """Share of the texts that are times of the form."""
    if form == UNIX:
        numbers = _numbers(texts)
        recent = (numbers >= _OLDEST_SECONDS) & (numbers < 1000 * LARGEST_SECONDS)
        return float((recent & (numbers == np.floor(numbers))).mean())
    return float((~np.isnat(instants(texts, form, "UTC"))).mean())


def _role(name: str, texts: pa.ChunkedArray) -> Measure | str:
    """A measure, or why the column is left out, or "" for a dimension."""
    filled = texts.filter(pa.compute.fill_null(pa.compute.not_equal(texts, ""), False))
    if not len(filled):
        return "it is empty"
    numbers = _numbers(filled)
    known = numbers[~np.isnan(numbers)]
    if len(known) >= FITS * len(filled):
        finite = known[np.isfinite(known)]
        if np.all((finite >= 0) & (finite == np.floor(finite))):
            return Measure(name)
        return Measure(name, Aggregation.AVG, Missing.GAP)
    sample = filled.slice(0, SAMPLE)
    if any(_fitting(sample, form) >= FITS for form in _FORMS):
        return "it is a second time"
    distinct = len(filled.unique())
    if len(filled) > SAMPLE // 10 and distinct > len(filled) / 2:
        return f"{distinct:,} of its {len(filled):,} values differ: it names rows, not series"
    return ""


def _numbers(texts: pa.ChunkedArray) -> Floats:
    numbers: Floats = pd.to_numeric(texts.to_pandas(), errors="coerce").to_numpy(dtype=float)
    return numbers


def _frequency(times: np.ndarray) -> tuple[timedelta, list[str]]:
    """The interval for these distinct, sorted times, and what is special about it."""
    if len(times) < 2:
        return HOUR, ["there is one time only: intervals of an hour are taken"]
    steps, counts = np.unique(np.diff(times), return_counts=True)
    step = timedelta(microseconds=int(steps[counts.argmax()].astype("timedelta64[us]").astype(int)))
    at_least = [span for span in FREQUENCIES.values() if span >= min(step, DAY)]
    # Between an hour and a day, hours keep times apart; those without a row are gaps.
    frequency = HOUR if HOUR < step < DAY else at_least[0]
    if frequency == step:
        return frequency, []
    return frequency, [f"the usual step of time is {step}: intervals of {frequency} are taken"]
