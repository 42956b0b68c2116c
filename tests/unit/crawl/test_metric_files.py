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
from bartizan.crawl.quality import latest_quality
from bartizan.engines.base import EngineName
from bartizan.errors import ConfigError
from bartizan.model.connector import Aggregation, Connector, Measure
from bartizan.model.window import HOUR, Window, merged

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
        st.integers(0, 2 * 3600 - 1),
        texts | st.none(),
        texts | st.none(),
        st.integers(-(2**63), 2**63 - 1) | st.none(),
        st.floats(),
    ),
    max_size=20,
)


FREQUENCIES = [timedelta(minutes=n) for n in (1, 5, 10, 15, 60, 24 * 60)]


@settings(max_examples=15)
@given(rows=rows, frequency=st.sampled_from(FREQUENCIES), engine=st.sampled_from(EngineName))
def test_live_and_history_are_the_same_lines_whatever_the_order(
    rows: list[Row], frequency: timedelta, engine: EngineName
) -> None:
    connector = replace(CONNECTOR, frequency=frequency, engine=engine)
    span = max(frequency, HOUR)
    halves = [Window(START, START + span), Window(START + span, START + 2 * span)]
    whole, intervals = Window(START, START + 2 * span), 2 * round(span / frequency)
    with tempfile.TemporaryDirectory() as folder:
        metrics = UPath(folder)
        fresh = crawl(source(*rows), connector, metrics, halves)
        history = backfill(source(*reversed(rows)), connector, metrics, [whole])
        written = lines(Path(folder), "blocked/live/*/*/*.csv")

        assert written == lines(Path(folder), "blocked/backtest/*.csv")
        assert len(written) == fresh.rows == history.rows == len(rows)
        assert (fresh.intervals, fresh.written) == (intervals, intervals)
        assert delivered(Path(folder), "live/*/*") == delivered(Path(folder), "backtest")

        before = stamps(Path(folder))
        once_more = backfill(source(*rows), connector, metrics, [whole], force=True)
        assert (once_more.written, once_more.unchanged) == (0, history.chunks)
        assert crawl(source(*rows), connector, metrics, [whole]).windows == ()
        assert stamps(Path(folder)) == before


def delivered(folder: Path, place: str) -> list[Window]:
    manifests = [json.loads(f.read_text()) for f in folder.glob(f"blocked/{place}/_manifest*")]
    return merged(Window.from_json(span) for one in manifests for span in one["delivered"])


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


@settings(max_examples=30)
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
        "delivered": [{"start": "2026-11-01T00:00:00Z", "end": "2026-11-01T00:05:00Z"}],
        "files": [{"name": "blocked.csv", "sha256": checksum, "bytes": len(content), "rows": 1}],
        "quality": {
            "rows": 1,
            "partial": 0,
            "invalid": 0,
            "completeness": dict.fromkeys(CONNECTOR.columns, 1.0),
            "distinct": {"webacl": 1, "rule": 1},
            "series": 2,
        },
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


def test_another_engine_delivered_what_it_had_rows_for_before_filters(tmp_path: Path) -> None:
    connector = replace(
        CONNECTOR, engine=EngineName.POSTGRESQL, filters=(("rule", ("x", "y")), ("webacl", ("a",)))
    )
    kept = [(0, "a", "x", 1, 0.5), (1, "a", "y", 2, 0.5), (1201, "a", "x", 3, 0.5)]
    left_out = [(2, "b", "x", 9, 0.5), (301, "a", "z", 9, 0.5), (302, "a", None, 9, 0.5)]
    engine = source(*kept, *left_out)
    crawl(engine, connector, UPath(tmp_path), [hours(0, 1)])

    written = lines(tmp_path, "blocked/live/*/*/*.csv")
    assert [int(line.split(",")[3]) for line in written] == [1, 2, 3]
    live = tmp_path / "blocked/live/20261101"
    said = {f.parent.name: json.loads(f.read_text()) for f in live.glob("*/_manifest.json")}
    assert len(said) == 12
    assert {name for name, one in said.items() if one["delivered"]} == {"0000", "0005", "0020"}
    assert said["0005"]["rows"] == 0 and said["0010"]["delivered"] == []


def test_quality_says_what_the_rows_lack(tmp_path: Path) -> None:
    nan = float("nan")
    rows = [
        (0, "a", "x", 1, 0.5),
        (1, "a", None, 1, 0.5),  # lacks a dimension
        (2, "b", "x", None, 0.5),  # lacks one value
        (3, "b", "x", None, nan),  # has no value at all
        (300, "c", "x", 1, 0.5),
    ]
    crawl(source(*rows), CONNECTOR, UPath(tmp_path), [hours(0, 1)])
    manifest = tmp_path / "blocked/live/20261101/0000/_manifest.json"
    assert json.loads(manifest.read_text())["quality"] == {
        "rows": 4,
        "partial": 2,
        "invalid": 1,
        "completeness": {"timestamp": 1.0, "webacl": 1.0, "rule": 0.75, "hits": 0.5, "share": 0.75},
        "distinct": {"webacl": 2, "rule": 2},
        "series": 3 * 2,
    }
    found = latest_quality(UPath(tmp_path), CONNECTOR)
    assert found is not None
    assert (found["intervals"], found["undelivered"], found["rows"]) == (12, 0, 5)
    assert (found["partial"], found["invalid"], found["series"]) == (2, 1, 6)
    assert found["completeness"]["hits"] == 3 / 5
    assert latest_quality(UPath(tmp_path), replace(CONNECTOR, name="none")) is None


def test_texts_that_are_counted_and_columns_of_several_measures(tmp_path: Path) -> None:
    """A column is written once, as a number if one of its measures needs numbers."""
    connector = replace(
        CONNECTOR,
        dimensions=("webacl",),
        measures=(
            Measure("rules", Aggregation.COUNT_DISTINCT, of=("rule",)),
            Measure("p95", Aggregation.P95, of=("share",)),
            Measure("mean", Aggregation.RATIO, of=("share", "hits")),
        ),
    )
    crawl(source((0, "a", 'x,"y', 2, 0.5)), connector, UPath(tmp_path), [hours(0, 1)])
    content = (tmp_path / "blocked/live/20261101/0000/blocked.csv").read_text()
    assert list(csv.reader(io.StringIO(content))) == [
        ["timestamp", "webacl", "rule", "share", "hits"],
        ["2026-11-01 00:00:00", "a", 'x,"y', "0.5", "2"],
    ]
    with pytest.raises(ConfigError, match="rule: is of type string — a measure is a number"):
        by_number = replace(connector, measures=(Measure("m", Aggregation.MAX, of=("rule",)),))
        crawl(source((0, "a", "x", 2, 0.5)), by_number, UPath(tmp_path), [hours(0, 1)])


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
