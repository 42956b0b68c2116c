"""Whatever is wrong with what a person gives: one line that names it and says what to do."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from s3fs import S3FileSystem
from waf_logs import lines, record, write_object

from bartizan import cli
from bartizan.config import PROJECT

CONNECTOR = "waf_blocked_requests"
DAY = ("--start", "2026-11-04", "--end", "2026-11-05")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    def line(self) -> str:
        """The one line of an answer to wrong input."""
        assert self.code not in (0, None)
        assert self.out == ""
        assert re.fullmatch(r"bartizan: [^\n]+\n", self.err), self.err
        return self.err


Command = Callable[..., Answer]


@pytest.fixture
def bartizan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """The command in this process, with a home of its own that holds nothing yet; leaves the
    environment as it was."""
    (tmp_path / "lake").mkdir()
    given = {k: v for k, v in os.environ.items() if not k.startswith("BARTIZAN_")}

    def run(*arguments: object, **env: str) -> Answer:
        words = ["bartizan", *map(str, arguments)]
        with (
            patch.dict(os.environ, given | {"BARTIZAN_HOME": str(tmp_path)} | env, clear=True),
            patch.object(sys, "argv", words),
            pytest.raises(SystemExit) as ended,
        ):
            cli.main()
        return Answer(int(ended.value.code or 0), *capsys.readouterr())

    yield run


@pytest.fixture
def own_sql(tmp_path: Path) -> Path:
    """A copy of the project's queries, to be spoilt."""
    return Path(shutil.copytree(PROJECT / "include" / "sql", tmp_path / "sql"))


def refused(answer: Answer, *parts: str) -> None:
    """The line holds thing, value and remedy, in this order."""
    places = [answer.line().find(part) for part in parts]
    assert -1 not in places and places == sorted(places), (answer.err, parts)


def test_a_source_that_does_not_exist(bartizan: Command, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    refused(bartizan("land", "--source", missing), "source", str(missing), "check the path")


@pytest.mark.parametrize("source", ["http://example.com/logs", "s3://", "gs://logs/waf"])
def test_a_source_of_another_kind(bartizan: Command, source: str) -> None:
    answer = bartizan("land", "--source", source)
    refused(answer, "BARTIZAN_SOURCE", f"'{source}' is neither a folder nor s3://bucket/prefix")


def test_what_is_unreadable_is_counted_and_the_rest_lands(
    bartizan: Command, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    write_object(raw, "good", lines(record(n) for n in range(30)))
    whole = gzip.compress(lines(record(n) for n in range(100, 130)), mtime=0)
    (raw / "damaged.log.gz").write_bytes(whole[: len(whole) // 2])
    (raw / "no-gzip-at-all.log.gz").write_bytes(b"\x1f\x8b" + bytes(range(50)))

    landed = bartizan("land", "--json")
    assert (landed.code, landed.err) == (0, "")
    report = json.loads(landed.out)
    assert report["objects"] == 3
    assert report["rejected"] == []
    assert report["quarantined"] == len(report["quarantine"]) >= 2
    assert report["records"] == report["requests"] + report["quarantined"]
    assert report["requests"] >= 30
    damaged = {Path(entry["source_object"]).name: entry for entry in report["quarantine"]}
    assert set(damaged) == {"damaged.log.gz", "no-gzip-at-all.log.gz"}
    assert all(entry["reason"] for entry in damaged.values())

    status = bartizan("status", "--json")
    assert sum(json.loads(status.out)["quarantine"].values()) == report["quarantined"]


def test_a_source_of_nothing_but_rubbish_is_not_published(
    bartizan: Command, tmp_path: Path
) -> None:
    write_object(tmp_path / "raw", "rubbish", lines({"formatVersion": n} for n in range(20)))
    answer = bartizan("land", "--json")
    assert answer.code == 3
    assert json.loads(answer.out)["quarantined"] == 20
    assert re.fullmatch(r"bartizan: batch \w+: .*quarantined_share.* nothing .*\n", answer.err)


@pytest.mark.parametrize(
    ("was", "spoilt", "parts"),
    [
        ("frequency: PT5M", "frequency: PT7M", ("frequency", "'PT7M' is unknown", "PT5M")),
        ("frequency:", "frequenzy:", ("frequenzy", "unknown key", "did you mean 'frequency'?")),
        ("[webacl, rule]", "[webacl, webacl]", ("'webacl' is named twice", "one role")),
        ("name: blocked", "name: 'a b'", ("measures[0].name", "'a b'", "use 1-63 letters")),
        ("threshold: 70", "threshold: 700", ("alert.threshold", "700", "less than or equal")),
        ("measures:", "measures: [", ("connector.yaml: line", "not YAML", "correct the line")),
    ],
)
def test_a_bad_connector_file(
    bartizan: Command, own_sql: Path, was: str, spoilt: str, parts: tuple[str, ...]
) -> None:
    file = own_sql / "connectors" / CONNECTOR / "connector.yaml"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, spoilt))
    answer = bartizan("connector", "check", CONNECTOR, *DAY, BARTIZAN_SQL=str(own_sql))
    refused(answer, str(file), *parts)


def test_a_connector_without_its_query(bartizan: Command, own_sql: Path) -> None:
    query = own_sql / "connectors" / CONNECTOR / "query.sql"
    query.unlink()
    answer = bartizan("connector", "check", CONNECTOR, *DAY, BARTIZAN_SQL=str(own_sql))
    refused(answer, str(query), "no such file", "write the query")


@pytest.mark.parametrize("words", [("connector", "check"), ("crawl",), ("detect",)], ids=" ".join)
def test_an_unknown_connector(bartizan: Command, words: tuple[str, ...]) -> None:
    refused(bartizan(*words, "nope", *DAY), "connector", "'nope' not found", "known:", CONNECTOR)


def test_a_query_before_its_table_was_built(bartizan: Command) -> None:
    answer = bartizan("connector", "check", CONNECTOR, *DAY)
    refused(answer, f"{CONNECTOR}/query.sql", "no table 'agg.agg_action_5m'", "known:")


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [
        ("2026-11-02", "2026-11-01", ("2026-11-02T00:00:00Z is not before end", "swap them")),
        ("2026-11-02", "2026-11-02", ("2026-11-02T00:00:00Z is not before end", "widen")),
        ("yesterday", "2026-11-02", ("time", "'yesterday' is not ISO-8601", "2026-11-01T00:00Z")),
        ("2026-11-31", "2026-12-02", ("time", "'2026-11-31' is not ISO-8601", "write")),
    ],
)
def test_a_window_that_is_none(
    bartizan: Command, start: str, end: str, parts: tuple[str, ...]
) -> None:
    refused(bartizan("aggregate", "--start", start, "--end", end), *parts)


def test_half_a_window_does_not_land_everything(bartizan: Command, tmp_path: Path) -> None:
    write_object(tmp_path / "raw", "one", lines([record(0)]))
    answer = bartizan("land", "--start", "2026-11-02")
    refused(answer, "window", "only one of start and end", "give both or neither")
    assert json.loads(bartizan("status", "--json").out)["batches"] == {}


def test_a_window_of_the_future_is_not_taken_for_scored(bartizan: Command) -> None:
    future = ("--start", "2999-01-01", "--end", "2999-01-02")
    refused(bartizan("detect", CONNECTOR, *future), "window", "2999-01-02", "is not over", "past")
    detectors = json.loads(bartizan("connector", "list", "--json").out)
    assert {row["detector"] for row in detectors if row["name"] == CONNECTOR} == {"INACTIVE"}


def test_no_window_where_one_is_needed(bartizan: Command) -> None:
    refused(bartizan("detect", CONNECTOR), "window", "neither start nor end", "give both")


@pytest.mark.parametrize(
    ("words", "thing"),
    [
        (("land", "--source", "s3://logs/waf"), "s3://logs/waf"),
        (("detect", "--input", "s3://logs/waf/", "--out", "{out}"), "AWS"),
    ],
)
def test_a_bucket_out_of_reach(
    bartizan: Command, tmp_path: Path, words: tuple[str, ...], thing: str
) -> None:
    with socket.socket() as closed:  # bound, and listening to nobody
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        aws = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_MAX_ATTEMPTS": "1",
        }
        S3FileSystem.clear_instance_cache()
        answer = bartizan(*(word.format(out=tmp_path / "out") for word in words), **aws)
        S3FileSystem.clear_instance_cache()
    assert answer.code == 75
    refused(answer, thing, endpoint, "check the network and the endpoint")


@pytest.mark.parametrize("option", ["--lake", "--home"])
def test_a_lake_in_a_bucket(
    bartizan: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"BARTIZAN_{option.removeprefix('--').upper()}"
    parts = (name, "'s3://bucket/lake' is not a local folder", "give a path or file:// URI")
    refused(bartizan("status", option, "s3://bucket/lake"), *parts)
    refused(bartizan("status", **{name: "s3://bucket/lake"}), *parts)
    assert list(tmp_path.iterdir()) == [tmp_path / "lake"]
    assert list((tmp_path / "lake").iterdir()) == []


def test_a_report_of_nothing(bartizan: Command, tmp_path: Path) -> None:
    refused(bartizan("report"), "report", "no requests were landed yet", "run `bartizan land`")
    assert not (tmp_path / "report").exists()


def test_another_simulation_in_the_same_folder(bartizan: Command, tmp_path: Path) -> None:
    (tmp_path / "raw" / "_simulation").mkdir(parents=True)
    plan = tmp_path / "raw" / "_simulation" / "plan.json"
    plan.write_text(json.dumps({"seed": 7}))
    answer = bartizan("simulate", "--days", 1, "--records-per-day", 1000, "--seed", 8)
    refused(answer, str(plan), "seed is 7 there and 8 here", "use an empty target, or the same")
    assert json.loads(plan.read_text()) == {"seed": 7}


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_port_in_use(tmp_path: Path, command: str) -> None:
    """In a process of its own: the command that is installed, as a person calls it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = [sys.executable, "-m", "bartizan.cli", command, "--port", str(port)]
        done = subprocess.run(
            [*words, "--home", str(tmp_path)],
            env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert re.fullmatch(
        rf"bartizan: port {port}: is in use by another program — .*--port \d+.*\n", done.stderr
    )
    assert not (tmp_path / "airflow" / "airflow.db").exists()


def test_a_port_that_cannot_be(bartizan: Command) -> None:
    answer = bartizan("up", "--port", 99999)
    assert answer.code == 2
    assert "65535" in answer.err
    assert "Traceback" not in answer.err
