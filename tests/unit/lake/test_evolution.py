"""A lake of an earlier release: its columns are added to, its files are read with the new ones."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_upkeep import DAY_OF_ALL
from landing_house import START, House
from landing_worker import accept
from upath import UPath
from waf_logs import lines, record, write_object

from bartizan.engines import DuckDBEngine
from bartizan.errors import UsageError
from bartizan.jobs.upkeep import ledger
from bartizan.lake import Lake
from bartizan.lake.compact import compact, small_files
from bartizan.lake.schemas import LANDED, REQUESTS, TableSpec
from bartizan.lake.staged import staged_files
from bartizan.land.plan import plan
from bartizan.land.publish import publish
from bartizan.land.stage import stage
from bartizan.model.landing import BatchState
from bartizan.store.landing import load_batch
from bartizan.validate.run import validate

NAME = "waf.requests"
QUERY = """
select client_ip, fragment, captcha_response.failure_reason as why, count(*) as n from waf.requests
where event_time >= {{ start }} and event_time < {{ end }} group by all order by n
"""


def earlier(schema: pa.Schema) -> pa.Schema:
    """Without the flat column `fragment` and the nested one `captcha_response.failure_reason`."""
    column = schema.field("captcha_response")
    kept = pa.struct([member for member in column.type if member.name != "failure_reason"])
    schema = schema.set(schema.get_field_index(column.name), pa.field(column.name, kept))
    return schema.remove(schema.get_field_index("fragment"))


def staged_by_the_earlier_release(house: House, name: str, numbers: range) -> str:
    """A staged batch of these records whose files have the earlier columns."""
    write_object(house.source, name, lines(seen(number) for number in numbers), START)
    [batch_id] = plan(house.store, UPath(house.source)).batch_ids
    stage(house.store, house.lake, batch_id)
    files = staged_files(house.lake, NAME, batch_id)
    assert files
    for file in files:
        rows = pq.read_table(file, partitioning=None)
        kept = [record | {"captcha_response": None} for record in rows.to_pylist()]
        pq.write_table(pa.Table.from_pylist(kept, schema=earlier(rows.schema)), file)
    return batch_id


def seen(number: int, **http: str) -> dict[str, object]:
    return record(number, httpRequest={"clientIp": "192.0.2.7", "uri": f"/{number}", **http})


def test_old_and_new_files_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        old = TableSpec(NAME, earlier(REQUESTS), LANDED[NAME].partition)
        before.setitem(LANDED, NAME, old)
        Lake.open(tmp_path / "lake")  # a new one of that release, no copy of one of this
        house = House(tmp_path)
        first = staged_by_the_earlier_release(house, "first", range(10))
        accept(house.store, house.lake, [first])
        publish(house.store, house.lake, [first])
        waiting = staged_by_the_earlier_release(house, "waiting", range(10, 15))
        columns = house.lake.table(NAME).schema().column_names
        assert "fragment" not in columns
        assert "captcha_response.failure_reason" not in columns

    lake = Lake.open(house.lake.root)
    assert lake.table(NAME).schema().fields[-1].name == "fragment"
    assert "captcha_response.failure_reason" in lake.table(NAME).schema().column_names
    [verdict] = validate(house.store, lake, [waiting])
    assert verdict.passed, verdict.reason
    publish(house.store, lake, [waiting])
    assert load_batch(house.store, waiting).state is BatchState.PUBLISHED

    captcha = {"responseCode": 405, "failureReason": "TOKEN_MISSING"}
    new = [seen(n, fragment="top") | {"captchaResponse": captcha} for n in range(15, 17)]
    write_object(house.source, "new", lines([*new, seen(3)]), START)
    counts = house.land().counts
    assert (counts.requests, counts.duplicates) == (2, 1)

    expected = [
        {"client_ip": "192.0.2.7", "fragment": "top", "why": "TOKEN_MISSING", "n": 2},
        {"client_ip": "192.0.2.7", "fragment": None, "why": None, "n": 15},
    ]
    engine = DuckDBEngine(lake)
    assert engine.query(QUERY, DAY_OF_ALL).to_pylist() == expected
    scanned = lake.table(NAME).scan(selected_fields=("uri", "fragment")).to_arrow().to_pylist()
    assert sorted((row["uri"], row["fragment"]) for row in scanned) == sorted(
        (f"/{n}", "top" if n > 14 else None) for n in range(17)
    )
    [small] = small_files(lake, NAME, most_files=1)
    compact(lake, small, ledger(house.store))
    assert engine.query(QUERY, DAY_OF_ALL).to_pylist() == expected


def test_rows_of_an_old_lake_are_read_before_anything_new_lands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setitem(LANDED, NAME, TableSpec(NAME, earlier(REQUESTS), LANDED[NAME].partition))
        Lake.open(tmp_path / "lake")  # a new one of that release, no copy of one of this
        house = House(tmp_path)
        batch_id = staged_by_the_earlier_release(house, "first", range(10))
        accept(house.store, house.lake, [batch_id])
        publish(house.store, house.lake, [batch_id])
    lake = Lake.open(house.lake.root)
    [row] = DuckDBEngine(lake).query(QUERY, DAY_OF_ALL).to_pylist()
    assert row == {"client_ip": "192.0.2.7", "fragment": None, "why": None, "n": 10}
    location = lake.table(NAME).metadata_location
    assert Lake.open(lake.root).table(NAME).metadata_location == location  # nothing left to add


@pytest.mark.parametrize(
    ("column", "type_", "problem"),
    [("action", None, "is string in the lake, but is not known here"),
     ("event_hour", pa.string(), "is int in the lake, but string here")],
)  # fmt: skip
def test_a_column_taken_away_or_of_another_type_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, type_: object, problem: str
) -> None:
    Lake.open(tmp_path)
    position = REQUESTS.get_field_index(column)
    other = REQUESTS.remove(position)
    if type_ is not None:
        other = other.insert(position, pa.field(column, type_))
    monkeypatch.setitem(LANDED, NAME, TableSpec(NAME, other, LANDED[NAME].partition))
    with pytest.raises(UsageError, match=f"{NAME}: column {column}: {problem} — .*BARTIZAN_LAKE"):
        Lake.open(tmp_path)
