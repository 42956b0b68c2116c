"""A detector without a house: learn from the first part of some metric files, score the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pandas as pd
from upath import UPath

from bartizan.detect.group import find_groups, settled
from bartizan.detect.learn import DetectorState, learn
from bartizan.detect.listing import Found, live_files
from bartizan.detect.metrics import MetricFrame, read_files
from bartizan.detect.score import score
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Connector
from bartizan.model.source import Source
from bartizan.model.window import Window, floor, format_time

# The years in which a computer can name every microsecond of a column.
EVER = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
MOST_INTERVALS = 5_000_000
_DATA = (".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".txt", ".tsv")


@dataclass(frozen=True)
class Backtest:
    """What was learned from `learned`, and the scores and incidents of `scored`."""

    state: DetectorState
    learned: Window
    scored: Window
    scores: pd.DataFrame
    incidents: tuple[Incident, ...]


def find_files(path: str, connector: Connector | None, window: Window | None) -> list[Found]:
    """A file; all files below a folder, in order; or, of a path template with dates in `{{ }}`,
    those in the folders of the window's intervals.

    Names that begin with "_" or "." are no data; without a connector, neither are those whose
    ending is of another kind. Raises UsageError when there is no file.
    """
    if "{{" in path:
        if connector is None or window is None:
            raise UsageError(
                f"--input {path}", "is a template", "give --connector, --start and --end with it"
            )
        source = replace(connector.source or Source(None, None), live=path, history=None)
        root = UPath(path.partition("{{")[0])
        return live_files(source, root, window, connector.frequency)
    place = UPath(path)
    fs, plain = place.fs, place.fs._strip_protocol(str(place))
    if fs.isfile(plain):
        return [Found(place, plain, window or EVER)]
    endings = () if connector else _DATA
    found = [one for one in sorted(fs.find(plain)) if _is_data(one[len(plain) :], endings)]
    if not found:
        raise UsageError(
            f"--input {path}",
            "is no file and no folder with data files",
            f"give CSV, JSON lines or Parquet: names that end in {', '.join(_DATA)}, or in .gz",
        )
    return [Found(place, one, window or EVER) for one in found]


def read_rows(files: list[Found], connector: Connector) -> MetricFrame:
    """All rows of the files. Raises UsageError when none can be used, naming the first bad one."""
    source = connector.source or Source(None, None)
    is_live = source.live is not None
    found = read_files(
        files, source, connector, EVER, "outside_interval" if is_live else "outside_window"
    )
    if not len(found.frame):
        bad = found.examples[0] if found.examples else None
        where = f"{bad.file}: row {bad.row}" if bad else files[0].path if files else "--input"
        what = f"{bad.reason}, {bad.column} is {bad.value[:80]!r}" if bad else "has no rows"
        raise UsageError(
            where,
            f"{what}; of {found.rows} rows none can be used",
            "correct the file, or timestamp.format and columns in connector.yaml",
        )
    return found


def backtest(
    metrics: MetricFrame,
    connector: Connector,
    train_until: datetime | None = None,
    train_share: float = 0.7,
) -> Backtest:
    """Learn from the intervals before `train_until`, or from the first `train_share` of those that
    have rows, and score the others. The result does not depend on the order of the rows.

    Raises UsageError when one of the two parts would be empty.
    """
    first, last = _at(metrics.covered[0]), _at(metrics.covered[-1])
    whole = Window(first, last + connector.frequency)
    if (whole.end - whole.start) / connector.frequency > MOST_INTERVALS:
        raise UsageError(
            f"{connector.name}: times",
            f"{whole} is more than {MOST_INTERVALS:,} intervals of {connector.frequency}",
            "correct the outlying times, or choose a part with --start and --end",
        )
    cut = _cut(metrics, connector, train_until, train_share)
    if not whole.start < cut < whole.end:
        raise UsageError(
            "--train-until",
            f"{format_time(cut)} leaves nothing to learn from or to score in {whole}",
            "choose a time within",
        )
    learned, scored = Window(whole.start, cut), Window(cut, whole.end)
    state = learn(metrics.frame, connector, learned, metrics.covered)
    scores = score(state, metrics.frame, connector, scored, covered=metrics.covered)
    groups = find_groups(scores, connector, connector.alert_threshold)
    incidents = tuple(settled(group, connector, scored.end) for group in groups)
    return Backtest(state, learned, scored, scores, incidents)


def _cut(
    metrics: MetricFrame, connector: Connector, until: datetime | None, share: float
) -> datetime:
    if until is not None:
        return floor(until, connector.frequency)
    if len(metrics.covered) < 2:
        raise UsageError(
            f"{connector.name}: times",
            f"all rows are of one interval, {format_time(_at(metrics.covered[0]))}",
            "give more intervals: a series is judged after 300 of them, 14 when daily",
        )
    place = round(share * len(metrics.covered))
    return _at(metrics.covered[min(max(place, 1), len(metrics.covered) - 1)])


def _at(stamp: pd.Timestamp) -> datetime:
    instant: datetime = stamp.to_pydatetime()
    return instant.replace(tzinfo=UTC)


def _is_data(path: str, endings: tuple[str, ...]) -> bool:
    parts = path.strip("/").split("/")
    marked = any(part.startswith(("_", ".")) for part in parts)
    return not marked and parts[-1].removesuffix(".gz").lower().endswith(endings or ("",))
