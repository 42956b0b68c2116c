"""`bartizan detect --input`: metric files alone, without a lake, a store or settings."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from commands import Command, bartizan_command

from bartizan.crawl.config import read_description

HOURS, ATTACK = 600, 550


@pytest.fixture
def bartizan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """`bartizan detect …` with a home that cannot be: it must not be looked at."""
    monkeypatch.setenv("BARTIZAN_HOME", "s3://nowhere")
    monkeypatch.chdir(tmp_path)
    return bartizan_command(monkeypatch, capsys, "detect")


def orders(form: str = "%Y-%m-%dT%H:%M:%SZ") -> pd.DataFrame:
    """600 hours of two shops; 300 orders too many in three hours of one."""
    times = pd.date_range("2026-10-01", periods=HOURS, freq="h")
    parts = []
    for number, shop in enumerate(("north", "south")):
        counts = np.random.default_rng(number).poisson(20, HOURS)
        counts[ATTACK : ATTACK + 3] += 300 * number
        text = {"when": times.strftime(form), "shop": shop, "orders": counts}
        parts.append(pd.DataFrame(text | {"latency": 20 + number + np.arange(HOURS) % 5 / 7}))
    return pd.concat(parts, ignore_index=True)


def write(frame: pd.DataFrame, path: Path) -> Path:
    match path.name.partition(".")[2]:
        case "parquet":
            times = frame.assign(when=pd.to_datetime(frame["when"], utc=True))
            times.to_parquet(path)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "csv.gz":
            path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
        case _:
            frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz", "m.jsonl", "m.parquet", "folder"])
def test_any_kind_of_file_gives_the_same_incident(
    bartizan: Command, tmp_path: Path, name: str
) -> None:
    if name == "folder":
        (tmp_path / name / "deep").mkdir(parents=True)
        north, south = (part for _, part in orders().groupby("shop"))
        write(north, tmp_path / name / "a.csv")
        write(south, tmp_path / name / "deep" / "b.csv.gz")
        write(orders(), tmp_path / name / "_not_data.csv")
        source = tmp_path / name
    else:
        source = write(orders(), tmp_path / name)
    code, out, err = bartizan("--input", source, "--out", "found", "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert (result["rows"], result["series"], result["series_ready"]) == (2 * HOURS, 4, 4)
    assert result["rejected"] == {}
    assert result["scores"] == 4 * 180  # 30 % of 600 hours
    start = pd.Timestamp("2026-10-01") + pd.Timedelta(hours=ATTACK)
    [incident] = result["incidents"]
    assert pd.Timestamp(incident["start"]).tz_localize(None) == start
    assert incident["measure"] == "orders"

    groups = json.loads(Path("found/incidents.json").read_text())
    [summary] = groups["AnomalyGroupSummaryList"]
    assert summary["StartTime"] == f"{start:%Y-%m-%dT%H:%M}Z[UTC]"
    assert summary["PrimaryMetricName"] == "orders"
    assert groups["AnomalyGroupStatistics"]["TotalCount"] == 1
    [impact] = groups["AnomalyGroups"][0]["MetricLevelImpactList"]
    [shop] = impact["ContributionMatrix"]["DimensionContributionList"]
    assert shop["DimensionValueContributionList"] == [
        {"DimensionValue": "south", "ContributionScore": 100}
    ]
    [series] = groups["AnomalyGroupTimeSeries"][0]["TimeSeriesList"]
    truth = orders().query("shop == 'south'")["orders"].to_numpy()[ATTACK : ATTACK + 3]
    assert series["MetricValueList"] == truth.tolist()

    scores = pd.read_csv("found/scores.csv", parse_dates=["interval_start"])
    stored = pd.read_parquet("found/scores.parquet")
    assert len(scores) == len(stored) == 4 * 180
    assert stored["interval_start"].min() == pd.Timestamp("2026-10-18 12:00")
    assert "south" in Path("found/report.html").read_text()


def test_the_connector_that_was_inferred_gives_the_same_again(
    bartizan: Command, tmp_path: Path
) -> None:
    source = write(orders("%d.%m.%Y %H:%M"), tmp_path / "m.csv")
    code, first, _ = bartizan("--input", source, "--out", "one", "--json")
    assert code == 0
    described = yaml.safe_load(Path("one/connector.yaml").read_text())
    assert described["frequency"] == "PT1H"
    assert described["timestamp"] == {"column": "when", "format": "dd.MM.yyyy HH:mm"}
    assert described["dimensions"] == ["shop"]
    assert described["measures"] == [
        {"name": "orders", "aggregation": "SUM", "missing": "zero"},
        {"name": "latency", "aggregation": "AVG", "missing": "gap"},
    ]
    assert read_description(Path("one/connector.yaml"), "m").source is not None
    again = bartizan(
        "--input", source, "--connector", "one/connector.yaml", "--out", "two", "--json"
    )
    found = [json.loads(text)["incidents"] for text in (first, again[1])]
    assert len(found[0]) == 1
    assert [one["severity"] for one in found[0]] == [one["severity"] for one in found[1]]
    pd.testing.assert_frame_equal(*(pd.read_parquet(f"{n}/scores.parquet") for n in ("one", "two")))


def test_bad_rows_are_counted_and_the_first_are_named(bartizan: Command, tmp_path: Path) -> None:
    lines = orders().to_csv(index=False).splitlines()
    lines[10] = "only,two"
    lines[20] = lines[20].replace("2026", "20x6")
    lines[30] = "2026-10-02T05:00:00Z,\x1b[31m,many,inf"
    source = tmp_path / "m.csv"
    source.write_text("\n".join(lines) + "\n")
    code, out, err = bartizan("--input", source, "--out", "found")
    assert (code, err) == (0, "")
    assert "1,200 rows in 1 files" in out
    for said in (
        "not used  1 rows: bad_row", "m.csv: row 11: 'only,two'",
        "not used  1 rows: bad_time", "m.csv: row 21: when is '20x6-10-01T19:00:00Z'",
        "not used  1 rows: bad_value", "m.csv: row 31: orders is 'many'",
    ):  # fmt: skip
        assert said in out
    assert "Orders" in out.splitlines()[-1]
    assert "\x1b" not in out + Path("found/scores.csv").read_text()


def test_mixed_zones_and_a_time_to_learn_until(bartizan: Command, tmp_path: Path) -> None:
    plain = orders()
    zoned = plain.assign(
        when=[
            text
            if number % 2
            else f"{pd.Timestamp(text).tz_convert('Asia/Kolkata'):%Y-%m-%dT%H:%M:%S%z}"
            for number, text in enumerate(plain["when"])
        ]
    )
    until = ("--train-until", "2026-10-20T12:00Z")
    for name, frame in (("plain", plain), ("zoned", zoned)):
        source = write(frame, tmp_path / f"{name}.csv")
        code, out, _ = bartizan("--input", source, "--out", name, "--json", *until)
        assert code == 0
        assert json.loads(out)["learned"] == "[2026-10-01T00:00:00Z, 2026-10-20T12:00:00Z)"
    pd.testing.assert_frame_equal(
        *(pd.read_parquet(f"{name}/scores.parquet") for name in ("plain", "zoned"))
    )


def test_a_bucket_in_the_layout_of_lookout(bartizan: Command, tmp_path: Path) -> None:
    for hour, rows in orders("%Y-%m-%d %H:%M:%S").groupby("when"):
        folder = tmp_path / "live" / f"{pd.Timestamp(hour):%Y%m%d/%H%M}"
        folder.mkdir(parents=True)
        rows.to_csv(folder / "part-0000", index=False)
    stray = tmp_path / "live/20261002/0000/part-0001"
    stray.write_text("when,shop,orders\n2026-10-09 00:00:00,north,9\n")
    (tmp_path / "connector.yaml").write_text(
        "description: x\nfrequency: PT1H\ntimestamp: {column: when}\ndimensions: [shop]\n"
        "measures: [{name: orders}]\nsource: {live: 's3://b/{{yyyyMMdd}}/{{HHmm}}'}\n"
    )
    template = f"{tmp_path}/live/{{{{yyyyMMdd}}}}/{{{{HHmm}}}}"
    words = ("--connector", "connector.yaml", "--out", "found")
    code, out, err = bartizan(
        "--input", template, *words, "--start", "2026-10-01", "--end", "2026-10-26", "--json"
    )
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert (result["files"], result["rows"]) == (HOURS + 1, 2 * HOURS + 1)
    assert result["rejected"] == {"outside_interval": 1}
    assert [one["measure"] for one in result["incidents"]] == ["orders"]
    code, _, err = bartizan("--input", template, *words)
    assert (code, "give --connector, --start and --end" in err) == (2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "m.csv: is empty — give a file with a header and rows"),
        ("time,x\n", "m.csv: has no rows — give a file with a header and rows"),
        ("time,x,x\n2026-01-01,1,2\n", "row 1: column 'x' is there twice"),
        ("a,b\nx,1\n", "row 2: no column of times among a, b — write times as"),
        ("time,b\n2026-01-01,x\n", "no column of numbers among time, b — give --connector"),
        ("time,b\n2026-01-01,1\n", "all rows are of one interval, 2026-01-01T00:00:00Z"),
        ("time,b\n1970-01-01 00:00,1\n1970-01-01 00:01,1\n2900-01-01 00:00,1\n", "correct the out"),
    ],
)
def test_files_that_cannot_be_used(bartizan: Command, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    code, out, err = bartizan("--input", "m.csv", "--out", "found")
    assert code != 0
    assert out == ""
    assert err.startswith("bartizan: ") and err.count("\n") == 1
    assert said in err


def test_too_little_is_said_not_called_normal(bartizan: Command, tmp_path: Path) -> None:
    source = write(orders().groupby("shop").head(100), tmp_path / "m.csv")
    code, out, _ = bartizan("--input", source, "--out", "found")
    assert code == 0
    assert (
        "96 intervals seen by the last learning, 300 are needed" in out
    )  # by the midnight before the last row
    assert out.splitlines()[-1].startswith("The detector is not ready")
    assert pd.read_csv("found/scores.csv")["severity"].isna().all()


def test_the_two_forms_of_the_command_do_not_mix(bartizan: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = write(orders(), tmp_path / "in" / "m.csv")
    for words, said in (
        ((), "neither a connector nor --input"),
        (("x", "--input", source), "both x and --input"),
        (("--input", source), "--out: is missing"),
        (("x", "--out", "y", "--start", "2026-01-01", "--end", "2026-01-02"), "only of --input"),
        (("--input", source.parent, "--out", source.parent / "out"), "lies in --input"),
        (("--input", source, "--out", "y", "--train-share", 1.5), "1.5 is not between 0 and 1"),
        (("--input", source, "--out", "y", "--train-until", "2020-01-01"), "leaves nothing"),
        (("--input", "nowhere", "--out", "z"), "nowhere: no such file or folder — check the path"),
    ):
        code, _, err = bartizan(*words)
        assert (code, said in err) == (2, True), err
    assert not Path("z").exists()
