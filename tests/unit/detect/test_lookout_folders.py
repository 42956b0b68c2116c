"""Folders that others write on the Lookout for Metrics contract: every form, every row counted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from bartizan.detect.metrics import read_history, read_live
from bartizan.detect.timestamps import instants
from bartizan.errors import SourceError
from bartizan.model.connector import Aggregation, Connector, Measure
from bartizan.model.java_time import JavaTime, traps
from bartizan.model.source import FileFormat, FileKind, FolderLabel, Source
from bartizan.model.window import Window

HOUR = timedelta(hours=1)
DAY = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
CONNECTOR = Connector(
    "shop", "", timedelta(minutes=5), timedelta(), "ts", ("site",), (Measure("n"),), ""
)
ROOT = UPath("/nowhere")


def reads(connector: Connector, root: Path, live: str = "", **source: object) -> Connector:
    """The connector over files in `root`."""
    where = Source(f"{root}/{live}" if live else None, f"{root}/old", **source)  # type: ignore[arg-type]
    return replace(connector, source=where)


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def times(index: pd.Series | pd.DatetimeIndex) -> list[str]:
    return [f"{time:%d %H:%M}" for time in index]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("label", FolderLabel)
@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("{{yyyyMMdd}}/{{HHmm}}", "%Y%m%d/%H%M"),
        ("{{yyyy}}/{{MM}}/{{dd}}", None),
        ("{{yyyy}}/{{MM}}/{{dd}}/{{HH}}-{{mm}}", "%Y/%m/%d/%H-%M"),
        ("intvl_date={{yyyy-MM-dd}}/intvl_hhmm={{HHmm}}", "intvl_date=%Y-%m-%d/intvl_hhmm=%H%M"),
        ("x {{yyyy-MM-DD}}/{{hhmm a}}", "x %Y-%m-%d/%I%M %p"),
        ("{{YYYYMMddHHmm}}", "%Y%m%d%H%M"),
        ("{{yyMMM'd'd}}/{{kmm}}", None),
    ],
)
def test_every_interval_is_read_from_its_folder(
    tmp_path: Path, template: str, form: str | None, label: FolderLabel, slash: str
) -> None:
    """Forms that strftime cannot say have their folders written by hand below."""
    step = timedelta(days=1) if template.endswith("{{dd}}") else HOUR
    connector = replace(CONNECTOR, frequency=step)
    starts = [DAY.start + i * step for i in range(-1, round(timedelta(days=1) / step) + 1)]
    for number, start in enumerate(starts):
        named = start + step if label is FolderLabel.END else start
        by_hand = {
            "{{yyyy}}/{{MM}}/{{dd}}": f"{named:%Y/%m/%d}",
            "{{yyMMM'd'd}}/{{kmm}}": f"{named:%y%b}d{named.day}/{named.hour or 24}{named:%M}",
        }
        folder = tmp_path / "live" / (f"{named:{form}}" if form else by_hand[template])
        row = f"{start:%Y-%m-%d %H:%M:%S},a,{number}\n"
        put(folder / "one.csv", "ts,site,n\n" + row)
        put(folder / "two", "n,site,ts\n" + ",".join(reversed(row.strip().split(","))) + "\n")
        put(folder / "deeper/three.csv", "ts,site,n\n" + row)
    found = read_live(
        ROOT, reads(connector, tmp_path, f"live/{template}{slash}", folder_label=label), DAY
    )

    inside = [number for number, start in enumerate(starts) if start in DAY]
    assert sorted(found.frame["n"]) == sorted(inside * 2)
    assert (found.rows, sum(found.rejected.values())) == (2 * len(inside), 0)
    assert len(found.covered) == len(inside)


def test_a_folder_read_by_the_wrong_end_loses_no_row_silently(tmp_path: Path) -> None:
    """The original's connector names folders by the end of their hour: its reader lost the rows."""
    connector = replace(CONNECTOR, frequency=HOUR)
    put(tmp_path / "live/20261102/0600/x", "ts,site,n\n2026-11-02 05:10:00,a,1\n")
    template = "live/{{yyyyMMdd}}/{{HHmm}}"
    wrong = read_live(ROOT, reads(connector, tmp_path, template), DAY)
    right = read_live(ROOT, reads(connector, tmp_path, template, folder_label=FolderLabel.END), DAY)
    assert (len(wrong.frame), wrong.rejected["outside_interval"]) == (0, 1)
    assert times(right.frame["interval_start"]) == ["02 05:00"]


CSV = FileFormat(header=False, columns=("site", "n", "ts"), delimiter=";", quote="'")
UTF_16 = replace(CSV, charset="UTF-16")
JSON = FileFormat(FileKind.JSON)
LINES = "'a;b';1;2026-11-02 00:00:00\nä;2.5;2026-11-02 00:05:00\nbroken\n;3;2026-11-02 00:10:00\n"
OBJECTS = (
    '{"ts": "2026-11-02 00:00:00", "site": "a;b", "n": 1}\n'
    '{"n": "2.5", "site": "ä", "ts": "2026-11-02 00:05:00", "more": [{"n": 9}]}\n\n'
    '["no object"]\nno json\n{"n": 1\n'
    '{"ts": "2026-11-02 00:10:00", "site": "", "n": 3}\n'
)


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda b: gzip.compress(b[:40]) + gzip.compress(b[40:])]
)
@pytest.mark.parametrize(
    ("form", "text", "broken"),
    [
        (CSV, LINES, 1),
        (replace(CSV, charset="latin-1"), LINES, 1),
        (UTF_16, LINES, 1),
        (JSON, OBJECTS, 3),
    ],
)
def test_formats(
    tmp_path: Path, form: FileFormat, text: str, broken: int, pack: Callable[[bytes], bytes]
) -> None:
    put(tmp_path / "old/part-0000", pack(text.encode(form.charset)))
    put(tmp_path / "old/_SUCCESS", "")
    put(tmp_path / "old/deeper/x", "no data")
    found = read_history(ROOT, reads(CONNECTOR, tmp_path, format=form), DAY)
    assert found.frame["site"].tolist() == ["a;b", "ä", ""]
    assert found.frame["n"].tolist() == [1, 2.5, 3]
    assert found.rejected["bad_row"] == broken
    assert found.rows == 3 + broken


def test_files_of_another_kind_are_named(tmp_path: Path) -> None:
    plain = FileFormat()
    for form, content in (
        (JSON, b"\xff"), (plain, b"\x1f\x8bno gzip"), (CSV, b"\xff;1;2"), (plain, b"a,b\n1,2\n"),
    ):  # fmt: skip
        put(tmp_path / "old/x", content)
        with pytest.raises(
            SourceError, match=r"old/x: not a UTF-8 (CSV|JSON lines) file with the col"
        ):
            read_history(ROOT, reads(CONNECTOR, tmp_path, format=form), DAY)
    put(tmp_path / "old/x", b"")
    assert read_history(ROOT, reads(CONNECTOR, tmp_path, format=CSV), DAY).rows == 0


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2069, 12, 31))
# How Python writes each form, and the unit to which it is exact.
FORMS: dict[str, tuple[Callable[[datetime], str], str]] = {
    "yyyy-MM-dd HH:mm:ss": (lambda m: f"{m:%Y-%m-%d %H:%M:%S}", "s"),
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSS": (lambda m: f"{m:%Y-%m-%dT%H:%M:%S.%f}", "us"),
    "MM/dd/yyyy hh:mm:ss a": (lambda m: f"{m:%m/%d/%Y %I:%M:%S %p}", "s"),
    "dd MMMM yyyy h a": (lambda m: f"{m:%d %B %Y} {m.hour % 12 or 12} {m:%p}", "h"),
    "yyyyMMddHHmm": (lambda m: f"{m:%Y%m%d%H%M}", "m"),
    "d.M.yy k:m": (lambda m: f"{m.day}.{m.month}.{m:%y} {m.hour or 24}:{m.minute}", "m"),
    "yyyy-MM-dd": (lambda m: f"{m:%Y-%m-%d}", "D"),
    "YYYY-MM-DD hh:mm": (lambda m: f"{m:%Y-%m-%d %H:%M}", "m"),
}


@given(moment=MOMENTS, form=st.sampled_from(sorted(FORMS)))
def test_timestamps_in_every_form(moment: datetime, form: str) -> None:
    write, unit = FORMS[form]
    [found] = instants(pa.chunked_array([pa.array([write(moment)])]), form, "UTC")
    assert found == np.datetime64(moment, "us").astype(f"datetime64[{unit}]")
    assert JavaTime.parse(form).written(moment) == write(moment)
    assert bool(traps(form)) == ("YYYY" in form)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("yyyy-MM-dd HH:mm:ss", "2026-02-29 00:00:00"),
        ("yyyy-MM-dd HH:mm:ss", "2026-13-01 00:00:00"),
        ("yyyy-MM-dd HH:mm:ss", "2026-01-01 24:00:00"),
        ("yyyy-MM-dd HH:mm:ss", "2026-01-01 00:60:00"),
        ("yyyy-MM-dd HH:mm:ss", "2026-01-01 00:00:00\n"),
        ("yyyy-MM-dd HH:mm:ss", "2026-01-01 00:00:00 and more"),
        ("yyyy-MM-dd HH:mm:ss", "٢٠٢٦-01-01 00:00:00"),
        ("yyyy-MM-dd hh a", "2026-01-01 13 PM"),
        ("yyyy-MM-dd kk", "2026-01-01 00"),
        ("UNIX", "soon"),
        ("UNIX", "-1"),
        ("UNIX", "nan"),
        ("UNIX", "1e300"),
    ],
)
def test_what_is_no_time_is_counted_and_not_guessed(tmp_path: Path, form: str, text: str) -> None:
    put(tmp_path / "old/x", json.dumps({"ts": text, "site": "a", "n": 1}))
    found = read_history(ROOT, reads(CONNECTOR, tmp_path, format=JSON, timestamp_format=form), DAY)
    assert (len(found.frame), found.rejected["bad_time"], found.rows) == (0, 1, 1)


def test_unix_times_are_seconds_or_milliseconds(tmp_path: Path) -> None:
    edge = 94_694_400_000
    found = instants(pa.chunked_array([[str(edge), str(edge + 1)]]), "UNIX", "UTC")
    assert list(found) == [np.datetime64(edge, "s"), np.datetime64(edge + 1, "ms")]
    moment = int(datetime(2026, 11, 2, 5, 7, tzinfo=UTC).timestamp())
    lines = [f"{moment},a,1", f"{moment}.9,a,2", f"{moment}123,a,3", "94694400000,a,4"]
    put(tmp_path / "old/x", "ts,site,n\n" + "\n".join(lines) + "\n")
    connector = reads(CONNECTOR, tmp_path, timestamp_format="UNIX", timezone="Asia/Tokyo")
    read = read_history(ROOT, connector, DAY)
    assert read.frame["n"].tolist() == [1, 2, 3]
    assert set(times(read.frame["interval_start"])) == {"02 05:05"}
    assert read.rejected["outside_window"] == 1  # the year 4970


def test_folders_and_times_are_in_the_datasets_zone(tmp_path: Path) -> None:
    """Clocks go back in New York on 1 November 2026 and forward on 8 March: 25 and 23 hours."""
    connector = replace(CONNECTOR, frequency=HOUR)
    zone = ZoneInfo("America/New_York")
    for day, month, hours in ((1, 11, 25), (8, 3, 23)):
        start = datetime(2026, month, day, tzinfo=zone).astimezone(UTC)
        window = Window(start, start + hours * HOUR)
        for part in window.split(HOUR):
            wall = part.start.astimezone(zone)
            text = f"ts,site,n\n{wall:%Y-%m-%d %H:%M:%S},a,{part.start.hour}\n"
            put(tmp_path / f"live/{wall:%Y%m%d}/{wall:%H%M}/x.csv", text)
        reader = reads(connector, tmp_path, "live/{{yyyyMMdd}}/{{HHmm}}", timezone=zone.key)
        found = read_live(ROOT, reader, window)
        expected = [part.start for part in window.split(HOUR)]
        if hours == 25:  # 01:00 comes twice: its folder is the first one's, the second is a gap
            expected = [moment for moment in expected if moment.hour != 6]
        assert [aware.to_pydatetime() for aware in found.covered.tz_localize("UTC")] == expected
    put(tmp_path / "old/x", "ts,site,n\n2026-03-08 02:30:00,a,1\n")
    skipped = read_history(ROOT, reads(connector, tmp_path, timezone=zone.key), window)
    assert skipped.rejected["bad_time"] == 1


def test_rows_count_by_their_values_and_filters(tmp_path: Path) -> None:
    connector = replace(
        CONNECTOR,
        measures=(Measure("n"), Measure("users", Aggregation.COUNT_DISTINCT, of=("user",))),
        filters=(("land", ("DE", "FR")),),
    )
    put(
        tmp_path / "old/x",
        "ts,site,n,user,land\n"
        "2026-11-02 00:00:00,a,1,u,DE\n"
        "2026-11-02 00:00:00,a,,u,FR\n"  # lacks one of its values
        "2026-11-02 00:00:00,a,inf,,DE\n"  # has none
        "2026-11-02 00:00:00,a,5,u,IT\n",  # another country
    )
    found = read_history(ROOT, reads(connector, tmp_path), DAY)
    assert found.frame["user"].tolist() == ["u", "u", ""]
    np.testing.assert_array_equal(found.frame["n"], [1, np.nan, np.nan])
    assert (found.rows, found.partial, found.rejected["bad_value"]) == (3, 1, 1)


def test_a_manifest_covers_what_was_delivered(tmp_path: Path) -> None:
    spans = [{"start": f"2026-11-02T0{h}:00:00Z", "end": f"2026-11-02T0{h}:10:00Z"} for h in (1, 3)]
    facts = {"start": "2026-11-02T00:00:00Z", "end": "2026-11-03T00:00:00Z", "delivered": spans}
    put(tmp_path / "shop/backtest/_manifest_x.json", json.dumps(facts))
    found = read_history(UPath(tmp_path / "shop"), CONNECTOR, DAY)
    assert times(found.covered) == ["02 01:00", "02 01:05", "02 03:00", "02 03:05"]
