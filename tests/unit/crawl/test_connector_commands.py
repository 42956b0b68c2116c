"""`bartizan connector …`: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from commands import Command, bartizan_command
from lakes import SmallLake, landed, requests

from bartizan import jobs
from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT

START = datetime(2026, 11, 1, tzinfo=UTC)
HOSTILE = ["../x", "a b", "", ".", "..", "x;drop table y", "x'", 'x"', "é", "-x", "x" * 64, "x/y"]


@pytest.fixture
def sql(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT / "include" / "sql", tmp_path / "sql"))


@pytest.fixture
def bartizan(
    sql: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Exit code, output and errors of `bartizan connector …` with a home and queries of its own."""
    for name in ("LAKE", "STORE", "METRICS"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    monkeypatch.setenv("BARTIZAN_SQL", str(sql))
    return bartizan_command(monkeypatch, capsys, "connector")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hours of requests, each with a rule that blocks; the web ACL's name is hostile."""
    home = tmp_path_factory.mktemp("home")
    small = SmallLake.open(home)
    times = [START + timedelta(minutes=20 * number) for number in range(9)]
    hit = {"rule": "limit", "rule_action": "BLOCK", "terminating": True, "webacl": "a\x1b[31m"}
    small.land(
        "a",
        requests=requests(times, country="DE", webacl="a\x1b[31m", action="BLOCK"),
        rule_hits=landed("rule_hits", [{"event_time": time} | hit for time in times]),
    )
    tables = load_tables(PROJECT / "include" / "sql")
    for name in ("agg_action_5m", "agg_rule_5m", "agg_country_1h"):
        build(small.store, small.lake, small.engine, tables[name])
    return home


@pytest.fixture
def small(home: Path, bartizan: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the command see the lake, which no test writes to."""
    monkeypatch.setenv("BARTIZAN_HOME", str(home))


def test_check_takes_the_last_interval_landed(bartizan: Command, small: None) -> None:
    code, out, err = bartizan("check", "waf_blocked_requests", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["window"] == "[2026-11-01T02:55:00Z, 2026-11-01T03:00:00Z)"
    code, out, _ = bartizan("check", "waf_traffic_by_country", "--json")
    found = json.loads(out)
    assert found["window"] == "[2026-11-01T02:00:00Z, 2026-11-01T03:00:00Z)"
    assert (found["rows"], found["series"], found["sample"][0]["requests"]) == (1, 1, "3")
    assert [read["table"] for read in found["reads"]] == ["agg.agg_country_1h"]
    assert found["reads"][0]["bytes"] > 0


def test_check_takes_a_folder_and_prints_nothing_that_a_terminal_obeys(
    bartizan: Command, small: None, sql: Path
) -> None:
    folder = sql / "connectors" / "waf_traffic_by_country"
    for form in ([], ["--json"]):
        code, out, _ = bartizan("check", str(folder), *form)
        assert code == 0
        assert "\x1b" not in out and "a\\u001b[31m" in out


@pytest.mark.parametrize(
    ("file", "was", "now", "told"),
    [
        (
            "connector.yaml",
            "frequency: PT1H",
            "frequency: PT7M",
            "connector.yaml: frequency: 'PT7M'",
        ),
        ("connector.yaml", "[webacl, country]", "[webacl, land]", "query.sql: land: is not among"),
        (
            "query.sql",
            "{{ end }}",
            "{{ end }}; drop table x",
            "query.sql: holds several statements",
        ),
        ("query.sql", "and bucket < {{ end }}", "", "query.sql: placeholder 'end' is not used"),
        ("query.sql", "country,", "nation,", "query.sql: Binder Error"),
    ],
)
def test_check_ends_with_1_and_one_line(
    bartizan: Command, small: None, sql: Path, file: str, was: str, now: str, told: str
) -> None:
    path = sql / "connectors" / "waf_traffic_by_country" / file
    assert was in path.read_text()
    path.write_text(path.read_text().replace(was, now, 1))
    code, out, err = bartizan("check", "waf_traffic_by_country")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert told in err


def test_check_before_anything_landed(bartizan: Command, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    code, _, err = bartizan("check", "waf_traffic_by_country")
    assert (code, err.startswith("bartizan: window: nothing was landed yet")) == (2, True)


@pytest.mark.parametrize(
    ("table", "measures", "dimensions", "frequency"),
    [
        ("agg_country_1h", ["requests", "blocked"], ["webacl", "country"], None),
        ("agg_country_1h", ["requests"], ["webacl"], "P1D"),
        ("agg_action_5m", ["requests"], [], "PT1H"),
        ("agg_rule_5m", ["hits"], ["rule", "rule"], None),
    ],
)
def test_what_new_writes_passes_check(
    bartizan: Command,
    small: None,
    sql: Path,
    table: str,
    measures: list[str],
    dimensions: list[str],
    frequency: str | None,
) -> None:
    words = [word for name in measures for word in ("--measure", name)]
    words += [word for name in dimensions for word in ("--dimension", name)]
    words += ["--frequency", frequency] if frequency else []
    code, out, err = bartizan("new", "mine", "--from", f"agg.{table}", *words)
    assert (code, err) == (0, "")
    assert str(sql / "connectors" / "mine" / "query.sql") in out

    window = ("--start", "2026-11-01", "--end", "2026-11-02")
    code, out, err = bartizan("check", "mine", *window, "--json")
    found = json.loads(out)
    assert (code, err, found["warnings"]) == (0, "", [])
    hours = {"agg_country_1h": 3, "agg_action_5m": 3, "agg_rule_5m": 9}  # 9 requests, 20 minutes
    assert found["rows"] == (1 if frequency == "P1D" else hours[table])
    described = yaml.safe_load((sql / "connectors" / "mine" / "connector.yaml").read_text())
    assert [measure["name"] for measure in described["measures"]] == measures
    assert {"name": "mine", "detector": "INACTIVE"}.items() <= json.loads(
        bartizan("list", "--json")[1]
    )[0].items()


def test_new_never_writes_over(bartizan: Command, sql: Path) -> None:
    (sql / "connectors" / "mine").mkdir()
    for name in ("mine", "waf_traffic_by_country"):
        before = {path: path.read_bytes() for path in (sql / "connectors" / name).iterdir()}
        words = ("--from", "agg.agg_country_1h", "--measure", "requests")
        code, _, err = bartizan("new", name, *words)
        assert (code, "is there already" in err) == (2, True)
        assert {path: path.read_bytes() for path in (sql / "connectors" / name).iterdir()} == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "agg.x';--", "--measure", "requests"], '--from: "agg.x\';--" is no aggregate'),
        (["--from", "waf.requests", "--measure", "requests"], "'waf.requests' is no aggregate"),
        (["--from", "agg.agg_country_1h", "--measure", "x) --"], "has no column 'x) --'"),
        (["--from", "agg.agg_country_1h", "--measure", "country"], "--measure: country of"),
        (
            ["--from", "agg.agg_country_1h", "--measure", "requests", "--dimension", "blocked"],
            "--dimension: blocked of",
        ),
        (
            ["--from", "agg.agg_country_1h", "--measure", "requests", "--frequency", "PT5M"],
            "--frequency: agg.agg_country_1h has buckets of 1:00:00",
        ),
        (
            ["--from", "agg.agg_country_1h", "--measure", "requests", "--frequency", "soon"],
            "duration: 'soon'",
        ),
    ],
)
def test_new_refuses_what_the_table_cannot_give(
    bartizan: Command, sql: Path, words: list[str], told: str
) -> None:
    before = sorted(sql.rglob("*"))
    code, out, err = bartizan("new", "mine", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert sorted(sql.rglob("*")) == before


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_by_new_import_and_the_dags(
    bartizan: Command, sql: Path, name: str
) -> None:
    before = sorted(sql.rglob("*"))
    words = ("--from", "agg.agg_country_1h", "--measure", "requests")
    code, _, err = bartizan("new", *words, "--", name)
    assert (code, "is no connector name" in err) == (2, True)
    example = PROJECT / "examples" / "lookout" / "requests_by_country"
    code, _, err = bartizan("import", str(example), f"--name={name}")
    assert (code, "is no connector name" in err) == (2, True)
    assert sorted(sql.rglob("*")) == before


def test_a_folder_with_a_hostile_name_is_listed_as_wrong_and_takes_no_other_with_it(
    bartizan: Command, sql: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = sql / "connectors" / "waf_traffic_by_country"
    shutil.copytree(good, sql / "connectors" / "x'; drop\x1b[31m")
    shutil.copytree(good, sql / "connectors" / "broken")
    (sql / "connectors" / "broken" / "connector.yaml").write_text("x: 1")

    shipped = {path.name for path in (PROJECT / "include/sql/connectors").iterdir()}
    assert set(jobs.connector_names()) == shipped | {"broken"}
    assert "left out: x'; drop\\u001b[31m" in caplog.text
    code, out, _ = bartizan("list", "--json")
    wrong = {row["name"]: row["error"] for row in json.loads(out) if "error" in row}
    assert (code, set(wrong)) == (0, {"broken", "x'; drop\x1b[31m"})
    assert "is no connector name" in wrong["x'; drop\x1b[31m"]
    assert "\x1b" not in bartizan("list")[1]


def test_import_prints_every_line_it_has_to_say(bartizan: Command, sql: Path) -> None:
    example = PROJECT / "examples" / "lookout" / "requests_by_country"
    code, out, _ = bartizan("import", str(example), "--name", "shop")
    assert code == 0
    kinds = [line.split()[0] for line in out.splitlines()[1:-1]]
    assert {"changed", "dropped", "look"} == set(kinds)
    assert "t.bucket >= {{ start }}" in out
    assert out.splitlines()[-1] == "next: `bartizan connector check shop`"


def test_a_backfill_says_what_it_would_do_before_it_does_it(
    small: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    backfill = bartizan_command(monkeypatch, capsys, "backfill")
    monkeypatch.setenv("BARTIZAN_METRICS", str(tmp_path / "metrics"))
    words = ("waf_blocked_requests", "--start", "2026-11-01", "--end", "2026-11-02")
    code, out, _ = backfill(*words)
    assert code == 0
    assert "would query 1 of 1 chunks, 0 are there; --yes does it" in out
    assert "written" not in out
    assert not (tmp_path / "metrics").exists()
    _, out, _ = backfill(*words, "--yes")
    assert "  written    1" in out.splitlines()
    _, out, _ = backfill(*words)
    assert "would query 0 of 1 chunks, 1 are there" in out


def test_a_crawl_of_nothing_says_why(
    small: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BARTIZAN_METRICS", str(tmp_path / "metrics"))
    run = bartizan_command(monkeypatch, capsys)
    first = ("--start", "2026-11-01T00:00Z", "--end", "2026-11-01T02:00Z")
    assert run("backfill", "waf_blocked_requests", *first, "--yes")[0] == 0
    code, out, _ = run("crawl", "waf_blocked_requests", *first)
    assert (code, out.splitlines()[0]) == (0, "waf_blocked_requests: crawled nothing")
    assert "not crawled as well: 2026-11-01T00:00:00Z to 2026-11-01T02:00:00Z\n" in out

    day = ("--start", "2026-11-01", "--end", "2026-11-02", "--json")
    found = json.loads(run("crawl", "waf_blocked_requests", *day)[1])
    assert found["windows"] == ["[2026-11-01T02:00:00Z, 2026-11-01T03:00:00Z)"]
    assert found["backfilled"] == ["[2026-11-01T00:00:00Z, 2026-11-01T02:00:00Z)"]
    assert found["waiting"] == ["[2026-11-01T03:00:00Z, 2026-11-02T00:00:00Z)"]
