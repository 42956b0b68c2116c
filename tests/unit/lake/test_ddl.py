"""Statements for Athena and Redshift: as committed, with the lake's own columns, safe to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot
from engine_redshift import House as RedshiftHouse
from engine_redshift import open_house
from guide_table import RECORDS, STARTS, published
from landing_house import House
from pyiceberg.schema import Schema
from pyiceberg.types import ListType, MapType, StructType
from sqlglot import exp
from typer.testing import CliRunner
from waf_logs import lines, write_object

from bartizan import jobs
from bartizan.aggregate import load_tables
from bartizan.cli import app
from bartizan.config import PROJECT
from bartizan.engines import DuckDBEngine
from bartizan.errors import ConfigError, UsageError
from bartizan.lake import Lake
from bartizan.lake.ddl import athena, redshift
from bartizan.lake.schemas import LANDED, TableSpec
from bartizan.model.window import HOUR, Window

SQL = PROJECT / "include" / "sql"
LOCATION = "s3://amzn-s3-demo-bucket/lake/"
ROLE = "arn:aws:iam::111122223333:role/lake-reader"
SPECS = [*LANDED.values(), *(table.spec for table in load_tables(SQL).values())]
BETWEEN = "where event_time >= {{ start }} and event_time < {{ end }}"


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARTIZAN_SQL", str(SQL))


@pytest.mark.parametrize("engine", ["athena", "redshift"])
def test_what_is_committed_is_what_the_command_writes(engine: str, tmp_path: Path) -> None:
    words = ["lake", "ddl", "--engine", engine, "--location", LOCATION, "--role", ROLE]
    run = CliRunner().invoke
    written = run(app, [*words, "--out", str(tmp_path / "new")], catch_exceptions=False)
    printed = run(app, words, catch_exceptions=False)

    texts = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    committed = {path.name: path.read_text() for path in (SQL / "lake" / engine).glob("*.sql")}
    assert texts == committed, f"bartizan {' '.join(words)} --out include/sql/lake/{engine}"
    assert {Path(line).name for line in written.stdout.splitlines()} == texts.keys()
    statements = jobs.lake_ddl(engine, LOCATION, ROLE)
    assert printed.stdout.split() == "".join(statements.values()).split()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake.open(tmp_path_factory.mktemp("lake"))
    for spec in SPECS:
        lake.create(spec)
    return lake


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_athena_makes_the_table_that_the_lake_has(lake: Lake, spec: TableSpec) -> None:
    made = sqlglot.parse_one(athena(SPECS, LOCATION, SQL)[spec.name], dialect="athena")
    table = lake.table(spec.name)

    columns = {column.name: _plain(column.kind) for column in made.this.expressions}
    assert list(columns.items()) == list(_columns(table.schema()))
    partition = made.find(exp.PartitionedByProperty)
    identity = [table.schema().find_column_name(one.source_id) for one in table.spec().fields]
    assert [one.name for one in (partition.this.expressions if partition else [])] == identity
    location = made.find(exp.LocationProperty)
    assert location and location.this.name == f"{LOCATION}{spec.name.replace('.', '/')}/"


def _columns(schema: Schema) -> Iterator[tuple[str, str]]:
    for field in schema.fields:
        yield field.name, _iceberg(field.field_type)


def _iceberg(kind: object) -> str:
    """An Iceberg type in the words of Athena's guide."""
    if isinstance(kind, ListType):
        return f"array<{_iceberg(kind.element_type)}>"
    if isinstance(kind, MapType):
        return f"map<{_iceberg(kind.key_type)},{_iceberg(kind.value_type)}>"
    if isinstance(kind, StructType):
        return (
            f"struct<{','.join(f'{one.name}:{_iceberg(one.field_type)}' for one in kind.fields)}>"
        )
    return {"long": "bigint"}.get(str(kind), str(kind))


def _plain(kind: exp.DataType) -> str:
    """A type of the statement, without its layout."""
    written = kind.sql(dialect="hive").lower()
    return re.sub(r"\s*([<>,:])\s*", r"\1", written)


@pytest.mark.parametrize(
    "location",
    ["", "s3://", "/lake/", "s3://b'; drop table x; --/", "s3://bucket/a b/", "s3://bucket//x/",
     "s3://bucket/lake/\n", "s3://bucket/la\\ke/", "s3://Bucket/lake/", "https://bucket/lake/"],
)  # fmt: skip
def test_a_location_that_could_say_more_is_refused(location: str) -> None:
    with pytest.raises(UsageError, match="--location"):
        athena(SPECS, location, SQL)


@pytest.mark.parametrize("role", ["", "reader", f"{ROLE}'", f"{ROLE}; drop schema waf", "Default"])
def test_a_role_that_could_say_more_is_refused(role: str) -> None:
    with pytest.raises(UsageError, match="--role"):
        redshift(SPECS, role, SQL)


@pytest.mark.parametrize("name", ["agg.Table", "agg.a-b", "agg.x` (y int) --", "agg.tab\nle"])
def test_a_name_that_glue_does_not_take_is_refused(name: str) -> None:
    column = TableSpec("agg.fine", pa.schema([(name[4:], pa.string())]))
    for spec in (TableSpec(name, pa.schema([("a", pa.string())])), column):
        with pytest.raises(UsageError, match="no name in Glue"):
            athena([spec], LOCATION, SQL)


def test_a_folder_without_the_view_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"athena/waf_logs\.sql: no such file — copy it"):
        athena(SPECS, LOCATION, tmp_path)


def test_a_location_need_not_end_in_a_slash() -> None:
    assert athena(SPECS, LOCATION.rstrip("/"), SQL) == athena(SPECS, LOCATION, SQL)


def test_the_clusters_own_role_is_a_word() -> None:
    assert "iam_role default;" in redshift(SPECS, "default", SQL)["schemas"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedshiftHouse]:
    house = House(tmp_path_factory.mktemp("house"))
    write_object(house.source, "logs", lines(RECORDS), STARTS[0])
    house.land()
    window = Window(STARTS[0], STARTS[-1] + HOUR)
    rows = DuckDBEngine(house.lake).query(f"select * from waf.requests {BETWEEN}", window)
    with open_house({"waf.requests": rows}) as cluster:
        yield cluster


def test_redshifts_view_shows_the_published_values(cluster: RedshiftHouse) -> None:
    """The stand-in has no views: the view's query runs by itself."""
    view = redshift(SPECS, ROLE, SQL)["waf_logs"]
    assert view.endswith("\nwith no schema binding;\n")
    query = view[view.index("\nselect\n") : view.index("with no schema binding")]
    window = Window(STARTS[0], STARTS[-1] + HOUR)

    found = cluster.engine().query(f"{query} {BETWEEN}", window).to_pylist()

    flat = [row["httprequest"] | row for row in map(published, RECORDS)]
    names = [name for name in found[0] if name in flat[0]]
    assert len(names) == 23
    expected = [{name: row[name] for name in names} for row in flat]
    shown = [{name: row[name] for name in names} for row in found]
    assert sorted(shown, key=str) == sorted(expected, key=str)
    assert {row["log_time"][:10] for row in found} == {row["date"] for row in found}
    assert set(found[0]) - set(names) == {"log_time", "date", "region", "event_date", "event_hour"}
