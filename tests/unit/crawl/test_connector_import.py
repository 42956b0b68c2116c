"""An original Lookout for Metrics connector becomes ours: same rows, each in one interval."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lakes import SmallLake, landed
from upath import UPath

from bartizan.aggregate import build, load_tables
from bartizan.config import PROJECT
from bartizan.crawl import backfill, crawl, load_connector
from bartizan.crawl.lookout import Imported, import_connector
from bartizan.crawl.lookout.rewrite import over_window, unwrapped
from bartizan.engines import render
from bartizan.engines.base import EngineName
from bartizan.errors import BartizanError, ConfigError
from bartizan.model.source import FileFormat, Source
from bartizan.model.window import HOUR, Window

EXAMPLE = PROJECT / "examples" / "lookout" / "requests_by_country"
START = datetime(2026, 11, 1, tzinfo=UTC)
LIVE = "lambdas/redshift/redshift-continuous-crawl/query.sql"
HISTORY = "lambdas/redshift/redshift-historical-crawl/query.sql"
Spoil = Callable[[Path], object]


def windowed(query: str) -> str:
    return over_window(unwrapped(query, "query.sql").query, "timestamp", "query.sql").query


@pytest.mark.parametrize(
    "bounds",
    [
        "where e.ts < DATEADD(hour, 0, getdate()) and e.ts > DATEADD(hour, -1, getdate())",
        "where e.ts < dateadd(hour, -1, sysdate)",
        "where e.ts >= date_trunc('hour', now() - interval '1 hour') and n > 0 and e.ts <= now()",
        "where n > 0 and e.ts between current_timestamp - interval '1' hour and current_timestamp",
        "where getdate() - 1/24 < e.ts and n > 0",
        "where e.ts > cast(date_add('hour', -1, now()) as timestamp)",
        "where e.ts >= current_date - 1 or e.ts < trunc(sysdate)::timestamp",
        "where n > 0 or e.ts > getdate() - 1",
        "where n > 0",
        "",
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_windows_give_every_row_once(bounds: str, wrapped: bool) -> None:
    """Executed: whatever the clock was compared with, consecutive windows share and lose no row."""
    query = f"select e.ts as \"timestamp\", 'it''s' as who, n from events e {bounds}"
    if wrapped:
        escaped = query.replace("'", "''")
        query = f"unload ('{escaped};') to 's3://amzn-s3-demo-bucket/x' iam_role 'arn' header CSV;"
    rewritten = windowed(query)
    times = [START + timedelta(minutes=minutes) for minutes in (0, 1, 59, 60, 61, 119, 120, 180)]
    with duckdb.connect() as connection:
        connection.execute("create table events (ts timestamp, n bigint)")
        rows = [(time.replace(tzinfo=None), number + 1) for number, time in enumerate(times)]
        connection.executemany("insert into events values (?, ?)", rows)
        seen = []
        for hour in range(4):
            window = Window(START + hour * HOUR, START + (hour + 1) * HOUR)
            text = render(rewritten, window, "query.sql")
            seen.append(connection.execute(text).fetchall())
    assert [len(part) for part in seen] == [3, 3, 1, 1]
    assert sorted(row for part in seen for row in part) == [(t, "it's", n) for t, n in rows]


@pytest.mark.parametrize("before", ["\n" * 5_000, "-- x\n" * 1_000, "/* unload */ ", "\ufeff"])
@pytest.mark.parametrize(
    "after", [("unload ($$", "$$) to 'x' header"), ("", ";\n;"), ("", " -- x")]
)
def test_what_stands_around_a_query_does_not_matter(before: str, after: tuple[str, str]) -> None:
    query = "select cast(n as timestamp) as x, ts as timestamp from t where a = 'b' and ts < now()"
    done = windowed(before + after[0] + query + after[1])
    assert "a = 'b' and (ts >= {{ start }} and ts < {{ end }})" in done
    assert "unload (" not in done and ";" not in done


def test_other_columns_and_other_selects_keep_their_clocks_and_are_told() -> None:
    query = (
        "select ts as timestamp from a where ts > getdate() - 1 and expires > getdate()"
        " union all select ts as timestamp from b where not (ts < now())"
        " and id in (select id from c where seen > sysdate)"
    )
    done = over_window(query, "timestamp", "query.sql")
    assert done.query == (
        "select ts as timestamp from a where (ts >= {{ start }} and ts < {{ end }})"
        " and expires > getdate()"
        " union all select ts as timestamp from b where not (ts < now())"
        " and id in (select id from c where (seen >= {{ start }} and seen < {{ end }}))"
    )
    assert done.look_at == (
        "expires > getdate(): left as it is",
        "ts < now(): left as it is",
        "the window is on seen, the time column is ts",
    )


@pytest.fixture
def connectors(tmp_path: Path) -> Path:
    folder = tmp_path / "sql" / "connectors"
    folder.mkdir(parents=True)
    return folder


def test_the_example_runs_and_counts_right(connectors: Path, tmp_path: Path) -> None:
    done = import_connector(EXAMPLE, connectors, "shop")
    connector = load_connector(done.folder)
    assert (connector.frequency, connector.offset) == (HOUR, timedelta(minutes=5))
    assert connector.columns == ("timestamp", "webacl", "country", "requests", "blocked")
    assert connector.alert_threshold == 75

    traffic = [
        {
            "event_time": START + timedelta(minutes=11 * number),
            "webacl": ("shop", "shop-eu", "blog")[number % 3],
            "country": ("DE", "FR")[number % 2],
            "action": "BLOCK" if number % 5 == 0 else "ALLOW",
        }
        for number in range(30)
    ]
    small = SmallLake.open(tmp_path)
    small.land("a", requests=landed("requests", traffic))
    table = load_tables(PROJECT / "include" / "sql")["agg_country_1h"]
    build(small.store, small.lake, small.engine, table)
    expected, blocked = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for row in traffic:
        if row["webacl"] == "blog":
            continue
        key = (f"{row['event_time']:%Y-%m-%d %H}:00:00", str(row["webacl"]), str(row["country"]))
        expected[key] += 1
        blocked[key] += row["action"] == "BLOCK"

    window = Window(START, START + 6 * HOUR)
    live, history = UPath(tmp_path / "live"), UPath(tmp_path / "history")
    crawl(small.engine, connector, live, [window], window.end)
    backfill(small.engine, connector, history, [window])
    for folder, pattern in ((live, "shop/live/*/*/shop.csv"), (history, "shop/backtest/*.csv")):
        rows = [row for f in sorted(folder.glob(pattern)) for row in csv.reader(f.open())]
        found = {tuple(row[:3]): row[3:] for row in rows if row[0] != "timestamp"}
        assert found == {k: [str(n), str(blocked[k])] for k, n in expected.items()}
    assert sum(expected.values()) == 20


def test_it_says_what_it_changed_dropped_and_could_not_decide(connectors: Path) -> None:
    done = import_connector(EXAMPLE, connectors, "shop")
    assert done.changed[:3] == (
        "query.sql: doubled quotes, which the original needed inside its UNLOAD, are single",
        "query.sql: t.bucket > dateadd(hour, -1, getdate())  ->  t.bucket >= {{ start }}",
        "query.sql: t.bucket < dateadd(hour, 0, getdate())  ->  t.bucket < {{ end }}",
    )
    given = json.loads((EXAMPLE / "params.json").read_text())
    kept = {"detector_description", "detector_frequency", "dimension_list", "metrics_set", "offset"}
    kept |= {"alert_threshold", "timestamp_column", "metric_source"}
    source = given["metric_source"]["S3SourceConfig"].keys() - {"FileFormatDescriptor"}
    assert {text.split(" = ")[0] for text in done.dropped} == (given.keys() - kept) | source
    assert len(done.look_at) == 1 and "missing" in done.look_at[0]


def changed(folder: Path, **keys: Any) -> None:
    file = folder / "params.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | keys, indent="\t"))


@pytest.fixture
def original(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "original"))


def replaced(file: str, was: str, now: str) -> Spoil:
    def spoil(folder: Path) -> None:
        text = (folder / file).read_text()
        assert was in text
        (folder / file).write_text(text.replace(was, now))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            replaced(HISTORY, "t.requests", "t.clicks"),
            "live has 'requests' where history has 'clicks'",
        ),
        (
            replaced(LIVE, "t.requests", "nvl(t.requests, 0)"),
            "nvl: of another dialect: coalesce(x, y)",
        ),
        (
            replaced(LIVE, "t.requests", "extract(hour from getdate()) requests"),
            "getdate: a moving",
        ),
        (
            replaced(LIVE, "agg.agg_country_1h t", "shop.visits t, users as u"),
            "engine redshift: say where it is in BARTIZAN_REDSHIFT, redshift://?secret=redshift-sh",
        ),
        (replaced(LIVE, "t.requests", "{{ requests }}"), "{{ requests }}: unknown placeholder"),
        (lambda folder: changed(folder, alert_threshold=1), "alert.threshold 1 is low"),
        (lambda folder: changed(folder, colour={"a": [1]}), "colour = {a: [1]}: unknown key"),
        (
            lambda folder: changed(folder, metric_source={"RDSSourceConfig": {}}),
            "RDSSourceConfig: not",
        ),
    ],
)
def test_a_person_is_told_to_look_at(
    original: Path, connectors: Path, spoil: Spoil, told: str
) -> None:
    spoil(original)
    done = import_connector(original, connectors, "shop")
    assert [text for text in done.look_at if told in text], done.look_at
    assert load_connector(done.folder).name == "shop"


def test_a_query_of_other_tables_runs_on_the_originals_database(
    original: Path, connectors: Path
) -> None:
    replaced(LIVE, "agg.agg_country_1h t", "shop.visits t, users as u")(original)
    done = import_connector(original, connectors, "shop")
    assert load_connector(done.folder).engine == "redshift"
    assert not [text for text in done.dropped if text.startswith(("database_type", "secret_name"))]

    lake = import_connector(original, connectors, "lake", EngineName.DUCKDB)
    assert load_connector(lake.folder).engine == "duckdb"
    assert "tables outside the lake: shop.visits, users" in lake.look_at
    assert "secret_name = redshift-shop: no password is needed" in lake.dropped


def test_without_a_query_the_files_are_read(original: Path, connectors: Path) -> None:
    shutil.rmtree(original / "lambdas")
    replaced("params.json", '"ContainsHeader": true', '"ContainsHeader": false')(original)
    columns = '"HeaderList": ["timestamp", "webacl", "country", "requests", "blocked"], "Delimiter"'
    replaced("params.json", '"Delimiter"', columns)(original)
    replaced("params.json", "yyyy-MM-dd HH:mm:ss", "UNIX")(original)
    done = import_connector(original, connectors, "shop")
    connector = load_connector(done.folder)
    assert connector.source == Source(
        live="s3://amzn-s3-demo-bucket/shop/live/{{yyyyMMdd}}/{{HHmm}}",
        history="s3://amzn-s3-demo-bucket/shop/backtest/",
        format=FileFormat(
            header=False, columns=("timestamp", "webacl", "country", "requests", "blocked")
        ),
        timestamp_format="UNIX",
    )
    assert not (done.folder / "query.sql").exists()
    assert any(text.startswith("source.folder_label: start") for text in done.look_at)
    told = {text.split(" = ")[0] for text in done.dropped}
    assert {"RoleArn", "secret_name", "database_type", "s3_bucket"} < told


def test_the_dataset_filter_is_kept(original: Path, connectors: Path) -> None:
    def equals(*values: str) -> list[dict[str, str]]:
        return [{"DimensionValue": value, "FilterOperation": "EQUALS"} for value in values]

    given = [
        {"Name": "country", "FilterList": equals("DE", "x'; --")},
        {"Name": "webacl", "FilterList": equals("shop")},
        {"Name": "country", "FilterList": equals("FR")},
    ]
    changed(original, DimensionFilterList=given)
    connector = load_connector(import_connector(original, connectors, "shop").folder)
    assert connector.filters == (("country", ("DE", "x'; --", "FR")), ("webacl", ("shop",)))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"Country": [{"Value": "DE", "FilterOperation": "equals"}]},
            "DimensionFilterList: is in the form that Lookout's guide prints and its API refuses"
            " — write [{Name: country",
        ),
        ([{"Name": "c", "FilterList": [{"Value": "DE"}]}], "is no DimensionFilterList — write [{N"),
        (
            [{"Name": "c", "FilterList": [{"DimensionValue": "DE", "FilterOperation": "LIKE"}]}],
            "FilterOperation 'LIKE' is unknown — write EQUALS",
        ),
        ("country", "is no DimensionFilterList"),
        (7, "is no DimensionFilterList"),
    ],
)
def test_a_wrong_dataset_filter_is_one_line(
    original: Path, connectors: Path, given: Any, told: str
) -> None:
    changed(original, DimensionFilterList=given)
    with pytest.raises(ConfigError) as caught:
        import_connector(original, connectors, "shop")
    assert told in str(caught.value) and list(connectors.iterdir()) == []


def test_the_workshops_dialect_has_only_history(original: Path, connectors: Path) -> None:
    """`project` for a name, no offset, no live path, one query without a lower bound."""
    shutil.rmtree((original / LIVE).parent)
    params = json.loads((original / "params.json").read_text())
    for key in (
        "detector_name",
        "database_type",
        "offset",
        "secret_name",
        "s3_path_continuous_root",
    ):
        del params[key]
    del params["metric_source"]["S3SourceConfig"]["TemplatedPathList"]
    params |= {"project": "shop-ws", "alert_lambda_name": "notify", "crawler_role_arn": "arn:x"}
    (original / "params.json").write_text(json.dumps(params))

    done = import_connector(original, connectors, "shop")
    connector = load_connector(done.folder)
    assert (connector.offset, connector.alert_threshold) == (timedelta(0), 75)
    assert "(t.bucket >= {{ start }} and t.bucket < {{ end }})" in connector.query
    told = {text.split(" = ")[0] for text in done.dropped}
    assert {"project", "alert_lambda_name", "crawler_role_arn"} < told


HOSTILE = "x'; drop table t; --\"\n- {a: b}\x1b[31m../../etc"


def test_hostile_texts_stay_texts(original: Path, connectors: Path) -> None:
    changed(original, detector_description=HOSTILE, **{HOSTILE: HOSTILE})
    done: Imported = import_connector(original, connectors, "shop")
    connector = load_connector(done.folder)
    assert connector.description == " ".join(HOSTILE.split())
    assert connector.columns == ("timestamp", "webacl", "country", "requests", "blocked")
    assert "drop table" not in connector.query


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (
            lambda f: changed(f, dimension_list=[HOSTILE]),
            "params.json: dimension_list.0: .* no column",
        ),
        (
            lambda f: changed(f, dimension_list=["requests"]),
            "params.json: .*'requests' has two roles",
        ),
        (
            lambda f: changed(f, detector_frequency="PT7M"),
            "params.json: detector_frequency: .*PT5M",
        ),
        (lambda f: changed(f, offset=432_001), "params.json: offset: .* 432000"),
        (lambda f: changed(f, metrics_set=[]), "params.json: metrics_set: "),
        (lambda f: (f / "params.json").write_text("[]"), "params.json: "),
        (lambda f: (f / "params.json").write_text("{"), "params.json: line 1: not JSON"),
        (lambda f: (f / "params.json").write_text("[" * 100_000), "params.json: "),
        (lambda f: (f / "params.json").write_bytes(b"\xff{}"), "params.json: is not UTF-8"),
        (lambda f: (f / "params.json").unlink(), "one params.json is needed, found none"),
        (
            lambda f: shutil.copy(f / "params.json", f / "lambdas"),
            "found lambdas/params.json, params",
        ),
        (
            lambda f: (shutil.rmtree(f / "lambdas"), changed(f, metric_source={})),
            r"holds no \.sql file and no S3 path",
        ),
        (
            lambda f: (
                shutil.rmtree(f / "lambdas"),
                replaced("params.json", "{{HHmm}}", "{{Q}}")(f),
            ),
            r"params\.json: source\.live: .*'Q' is not known",
        ),
        (
            lambda f: (f / "other.sql").write_text("select 1"),
            "which is history is not clear: .*other",
        ),
        (lambda f: (f / LIVE).write_text("drop table t"), "query.sql: begins with 'drop'"),
        (lambda f: (f / LIVE).write_text("select 1; select 2"), "query.sql: holds several"),
        (
            lambda f: (f / LIVE).write_text("unload (select 1)"),
            "query.sql: its UNLOAD has no quoted",
        ),
        (
            lambda f: (f / LIVE).write_text("select 1 < " + "(" * 9_000),
            "query.sql: has 9000 parentheses inside each other",
        ),
        (lambda f: (f / HISTORY).write_text("select 'x"), "query.sql: ' in line 1 is never closed"),
        (
            lambda f: (f / LIVE).write_text("unload ('select 1') to 's3://x'; drop table t;"),
            "query.sql: holds several statements",
        ),
        (lambda f: (f / LIVE).write_text("select 'x"), "query.sql: ' in line 1 is never closed"),
        (lambda f: (f / LIVE).write_text("--" + "x" * 70_000), "query.sql: has 70,002 bytes"),
    ],
)
def test_a_bad_folder_is_one_line_and_writes_nothing(
    original: Path, connectors: Path, spoil: Spoil, parts: str
) -> None:
    spoil(original)
    with pytest.raises(ConfigError, match=parts) as caught:
        import_connector(original, connectors, "shop")
    assert "\n" not in str(caught.value)
    assert list(connectors.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../shop", "a b", "", ".", "..", "x;y", "x'", "é", "-x", "x" * 64]
)
def test_a_hostile_name_is_refused(connectors: Path, name: str) -> None:
    with pytest.raises(BartizanError, match="is no connector name"):
        import_connector(EXAMPLE, connectors, name)
    assert list(connectors.parent.rglob("*")) == [connectors]


def test_what_is_there_is_never_written_over(connectors: Path) -> None:
    import_connector(EXAMPLE, connectors, "shop")
    before = {path: path.read_bytes() for path in (connectors / "shop").iterdir()}
    with pytest.raises(BartizanError, match="is there already"):
        import_connector(EXAMPLE, connectors, "shop")
    assert {path: path.read_bytes() for path in (connectors / "shop").iterdir()} == before
