"""Metric files: live and history hold the same lines, and running again changes nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest
from engines import TableEngine
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from bartizan.crawl import CrawlResult, backfill, live
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import HOUR, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
CONNECTOR = Connector(
    name="blocked",
    description="",
    frequency=STEP,
    offset=timedelta(0),
    timestamp="timestamp",
    dimensions=("webacl", "rule"),
    measures=(Measure("hits"), Measure("share")),
    query="",
)
SCHEMA = pa.schema(
    [
        ("timestamp", pa.timestamp("us")),
        ("webacl", pa.string()),
        ("rule", pa.string()),
        ("hits", pa.int64()),
        ("share", pa.float64()),
    ]
)
Row = tuple[int, str | None, str | None, int | None, float]


def source(*rows: Row) -> TableEngine:
    """Rows of (second since START, webacl, rule, hits, share), in any order."""
    start = START.replace(tzinfo=None)
    dated = [(start + timedelta(seconds=second), *rest) for second, *rest in rows]
    columns = list(zip(*dated, strict=True))
    return TableEngine(pa.table(columns or [[]] * 5, schema=SCHEMA))


def crawl(
    engine: TableEngine, connector: Connector, metrics: UPath, windows: Sequence[Window]
) -> CrawlResult:
    """Crawl with a source that is complete up to the end of the windows."""
    until = max(window.end for window in windows)
    return live.crawl(engine, connector, metrics, windows, until)


def hours(first: float, last: float) -> Window:
    return Window(START + first * HOUR, START + last * HOUR)


def stamps(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): (f.read_bytes(), f.stat().st_mtime_ns) for f in files}


def lines(folder: Path, pattern: str) -> list[str]:
    """Lines without headers of all files, in the order of their names."""
    files = sorted(folder.glob(pattern))
    return [line for file in files for line in file.read_text().split("\n")[1:-1]]


texts = st.text(max_size=6) | st.sampled_from(["", '"', "a,b", "\r\n", "=1+1", "␊", "\x00x", "\\n"])
rows = st.lists(
    st.tuples(
        st.integers(0, 6 * 3600 - 1),
        texts | st.none(),
        texts | st.none(),
        st.integers(-(2**63), 2**63 - 1) | st.none(),
        st.floats(),
    ),
    max_size=20,
)


@settings(max_examples=12, deadline=None)
@given(rows=rows)
def test_live_and_history_are_the_same_lines_whatever_the_order(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        metrics = UPath(folder)
        fresh = crawl(source(*rows), CONNECTOR, metrics, [hours(0, 3), hours(3, 6)])
        history = backfill(
            source(*reversed(rows)), CONNECTOR, metrics, [hours(0, 6)], chunk=2 * HOUR
        )
        written = lines(Path(folder), "blocked/live/*/*/*.csv")

        assert written == lines(Path(folder), "blocked/backtest/*.csv")
        assert len(written) == fresh.rows == history.rows == len(rows)
        assert (fresh.intervals, fresh.written, history.chunks) == (72, 72, 3)

        before = stamps(Path(folder))
        once_more = backfill(source(*rows), CONNECTOR, metrics, [hours(0, 6)], chunk=2 * HOUR)
        assert (once_more.written, once_more.unchanged) == (0, 3)
        assert crawl(source(*rows), CONNECTOR, metrics, [hours(0, 6)]).windows == ()
        assert stamps(Path(folder)) == before


def test_crawling_again_writes_nothing_and_leaves_out_what_was_backfilled(tmp_path: Path) -> None:
    rows = [(second, "shop", "xss", 1, 0.5) for second in range(0, 6 * 3600, 60)]
    metrics = UPath(tmp_path)
    backfill(source(*rows), CONNECTOR, metrics, [hours(1, 2.5)])
    first = crawl(source(*rows), CONNECTOR, metrics, [hours(0, 3), hours(3, 6)])
    assert first.windows == (hours(0, 1), hours(2.5, 6))
    assert (first.intervals, first.written, first.rows) == (54, 54, 270)
    before = stamps(tmp_path)
    again = crawl(source(*reversed(rows)), CONNECTOR, metrics, [hours(0, 6)])
    assert (again.written, again.unchanged) == (0, 54)
    assert stamps(tmp_path) == before
    assert not (tmp_path / "blocked/live/20261101/0100").exists()


@settings(max_examples=30, deadline=None)
@given(webacl=texts, rule=texts | st.none())
def test_hostile_dimension_values_stay_one_line_and_come_back(
    webacl: str, rule: str | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        crawl(
            source((0, webacl, rule, 1, 0.5)),
            CONNECTOR,
            UPath(folder),
            [Window(START, START + STEP)],
        )
        content = (Path(folder) / "blocked/live/20261101/0000/blocked.csv").read_bytes()
    pictures = str.maketrans({"\r": "␍", "\n": "␊", "\0": "␀"})
    expected = [(value or "").translate(pictures) for value in (webacl, rule)]

    assert content.count(b"\n") == 2 and b"\r" not in content and b"\0" not in content
    header, row = csv.reader(io.StringIO(content.decode()), strict=True)
    assert header == ["timestamp", "webacl", "rule", "hits", "share"]
    assert row == ["2026-11-01 00:00:00", *expected, "1", "0.5"]
    assert pa.csv.read_csv(
        io.BytesIO(content),
        convert_options=pa.csv.ConvertOptions(
            column_types={"webacl": pa.string(), "rule": pa.string()}
        ),
    ).select(["webacl", "rule"]).to_pylist() == [{"webacl": expected[0], "rule": expected[1]}]


def test_rows_are_sorted_by_dimensions_and_empty_where_there_is_no_value(tmp_path: Path) -> None:
    inf = float("inf")
    given_rows = [(9, "b", "x", 1, inf), (8, "a", "y", None, 0.1), (250, "a", "x", 2, 1e20)]
    crawl(source(*given_rows), CONNECTOR, UPath(tmp_path), [hours(0, 1)])

    assert (tmp_path / "blocked/live/20261101/0000/blocked.csv").read_text() == (
        "timestamp,webacl,rule,hits,share\n"
        "2026-11-01 00:04:10,a,x,2,1e+20\n"
        "2026-11-01 00:00:08,a,y,,0.1\n"
        "2026-11-01 00:00:09,b,x,1,\n"
    )


def test_a_manifest_vouches_for_every_interval_also_an_empty_one(tmp_path: Path) -> None:
    engine = source((1, "a", "x", 1, 0.0))
    crawl(engine, CONNECTOR, UPath(tmp_path), [Window(START, START + 2 * STEP)])
    folder = tmp_path / "blocked/live/20261101"
    content = (folder / "0000/blocked.csv").read_bytes()

    checksum = hashlib.sha256(content).hexdigest()
    assert json.loads((folder / "0000/_manifest.json").read_text()) == {
        "connector": "blocked",
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-11-01T00:05:00Z",
        "rows": 1,
        "files": [{"name": "blocked.csv", "sha256": checksum, "bytes": len(content), "rows": 1}],
    }
    assert [path.name for path in (folder / "0005").iterdir()] == ["_manifest.json"]
    assert json.loads((folder / "0005/_manifest.json").read_text())["rows"] == 0
    assert engine.windows == [Window(START, START + 2 * STEP)]


def test_only_intervals_whose_rows_changed_are_written_again(tmp_path: Path) -> None:
    metrics, window = UPath(tmp_path), hours(0, 1)
    crawl(source((0, "a", "x", 1, 0.0), (300, "a", "x", 1, 0.0)), CONNECTOR, metrics, [window])
    late = crawl(
        source((0, "a", "x", 1, 0.0), (300, "a", "x", 7, 0.0)), CONNECTOR, metrics, [window]
    )
    gone = crawl(source((0, "a", "x", 1, 0.0)), CONNECTOR, metrics, [window])

    assert (late.written, gone.written, gone.unchanged) == (1, 1, 11)
    assert not (tmp_path / "blocked/live/20261101/0005/blocked.csv").exists()

    (tmp_path / "blocked/live/20261101/0000/blocked.csv").write_text("damaged")
    assert crawl(source((0, "a", "x", 1, 0.0)), CONNECTOR, metrics, [window]).written == 1


def test_intervals_are_crawled_whole_once_the_source_is_complete(tmp_path: Path) -> None:
    minute = timedelta(minutes=1)
    windows = [
        Window(START + minute, START + 11 * minute),
        Window(START + 16 * minute, START + 19 * minute),
    ]
    engine = source((60, "a", "x", 1, 0.0))

    def folders(until: timedelta) -> list[str]:
        live.crawl(engine, CONNECTOR, UPath(tmp_path), windows, START + until)
        day = tmp_path / "blocked/live/20261101"
        return sorted(path.name for path in day.iterdir()) if day.exists() else []

    assert folders(4 * minute) == []
    assert folders(14 * minute) == ["0000", "0005"]
    assert folders(20 * minute) == ["0000", "0005", "0010", "0015"]


def test_an_offset_beyond_the_grace_of_the_hourly_run_holds_intervals_back(tmp_path: Path) -> None:
    engine, metrics = source((60, "a", "x", 1, 0.0)), UPath(tmp_path)

    def crawled(minutes: int, hour: int) -> tuple[Window, ...]:
        connector = replace(CONNECTOR, offset=timedelta(minutes=minutes))
        window, until = hours(hour, hour + 1), START + (hour + 1) * HOUR
        return live.crawl(engine, connector, metrics, [window], until).windows

    assert crawled(0, 5) == crawled(20, 5) == (hours(5, 6),)
    assert crawled(50, 5) == (hours(4.5, 5.5),)
    assert crawled(50, 6) == (hours(5.5, 6.5),)


def test_a_day_is_crawled_when_its_last_hour_is_there(tmp_path: Path) -> None:
    daily = replace(CONNECTOR, frequency=timedelta(days=1))
    engine, metrics = source((60, "a", "x", 1, 0.0)), UPath(tmp_path)
    early = live.crawl(engine, daily, metrics, [hours(22, 23)], START + 23 * HOUR)
    last = live.crawl(engine, daily, metrics, [hours(23, 24)], START + 24 * HOUR)
    assert (early.windows, last.windows) == ((), (hours(0, 24),))
    assert (last.intervals, last.rows) == (1, 1)


spans = st.tuples(st.integers(0, 11), st.integers(1, 12), st.integers(1, 5))


@settings(max_examples=12, deadline=None)
@given(runs=st.lists(spans, min_size=1, max_size=5))
def test_backfills_in_any_order_never_hold_an_interval_twice(
    runs: list[tuple[int, int, int]],
) -> None:
    engine = source(*((600 * n, "a", "x", n, 0.0) for n in range(24 * 6)))
    wanted: set[int] = set()
    with tempfile.TemporaryDirectory() as folder:
        for first, length, chunk in runs:
            backfill(engine, CONNECTOR, UPath(folder), [hours(first, first + length)], chunk * HOUR)
            wanted |= set(range(first * 6, (first + length) * 6))
        files = Path(folder) / "blocked/backtest"
        found = [int(line.split(",")[3]) for line in lines(files, "*.csv")]
        manifests = [Window.from_json(json.loads(f.read_text())) for f in files.glob("_manifest*")]

    assert sorted(found) == sorted(wanted)
    assert sum((w.end - w.start for w in manifests), timedelta()) == len(wanted) * 2 * STEP


def test_a_backfill_resumes_and_leaves_other_files_alone(tmp_path: Path) -> None:
    engine, metrics = source(*((3600 * n, "a", "x", n, 0.0) for n in range(6))), UPath(tmp_path)
    folder = tmp_path / "blocked/backtest"
    folder.mkdir(parents=True)
    foreign = [folder / "theirs.csv", folder / "blocked_more_20261101T0000_20261101T0200.csv"]
    for path in foreign:
        path.write_text("kept")

    def stop(done: int, total: int) -> None:
        assert total == 3
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(engine, CONNECTOR, metrics, [hours(0, 6)], 2 * HOUR, stop)
    planned = backfill(engine, CONNECTOR, metrics, [hours(0, 6)], 2 * HOUR, dry_run=True)
    assert (planned.chunks, planned.written, planned.rows) == (3, 1, 6)
    assert len(lines(folder, "blocked_2026*.csv")) == 4

    resumed = backfill(engine, CONNECTOR, metrics, [hours(0, 6)], 2 * HOUR)

    assert (resumed.written, resumed.unchanged) == (1, 2)
    assert len(lines(folder, "blocked_2026*.csv")) == 6
    assert all(path.read_text() == "kept" for path in foreign)


@pytest.mark.parametrize(
    ("column", "values", "text"),
    [
        ("timestamp", pa.array(["2026-11-01"]), "timestamp: is of type string — cast it to"),
        ("timestamp", pa.array([None], pa.timestamp("us")), "1 of 1 rows are NULL or outside ["),
        ("timestamp", pa.array([0], pa.timestamp("us")), "filter the query on >= {{ start }}"),
        ("rule", None, "rule: is not among the columns it returns: timestamp, webacl, hits,"),
        ("rule", pa.array([["a"]]), "rule: type list<"),
        ("hits", pa.array(["many"]), "hits: is of type string — a measure is a number"),
    ],
)
def test_a_query_that_does_not_fit_is_one_line(
    tmp_path: Path, column: str, values: pa.Array | None, text: str
) -> None:
    table = source((0, "a", "x", 1, 0.0)).table
    position = table.column_names.index(column)
    table = table.remove_column(position)
    if values is not None:
        table = table.add_column(position, column, values)

    class Unfiltered(TableEngine):
        def query(self, *_: object, **__: object) -> pa.Table:
            return self.table

    with pytest.raises(ConfigError) as caught:
        crawl(Unfiltered(table), CONNECTOR, UPath(tmp_path), [hours(0, 1)])

    assert str(caught.value).startswith("blocked/query.sql: ") and text in str(caught.value)
    assert list(tmp_path.iterdir()) == []
