"""Anomalies as files: what stands in them, where, and what hostile values become."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dispatch_house import DispatchHouse
from incidents import anomaly, incident
from moto.server import ThreadedMotoServer
from upath import UPath

from bartizan.dispatch.channels.export import Export, ExportOptions
from bartizan.dispatch.shapes.rows import COLUMNS
from bartizan.model.anomaly import IncidentState

NASTY = ["=HYPERLINK(1)", '"; drop table x --', "\u202ea\r\nb,c", "/" + "a" * 100_000, "\ud800"]
ONE = incident([anomaly(at, {"webacl": "shop", "uri": uri}) for at, uri in enumerate(NASTY)])
PLACE = f"detector={ONE.detector}/date=2026-11-16/{ONE.id}"


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


def export(house: DispatchHouse, form: str) -> Export:
    options = {"kind": "export", "path": str(house.folder), "format": form}
    return Export(ExportOptions.model_validate(options))


def test_a_row_for_each_anomaly_and_the_last_change_only(house: DispatchHouse) -> None:
    channels = {"table": export(house, "csv")}
    for one in (ONE, replace(ONE, severity=99.0, state=IncidentState.RESOLVED)):
        house.found(one)
        assert len(house.dispatch(channels).delivered) == 1
    assert list(house.files()) == [f"{PLACE}.csv"]
    text = house.files()[f"{PLACE}.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(NASTY) == len(text.splitlines()) - 1
    assert {(row["change"], row["state"], row["value"]) for row in rows} == {
        ("2", "resolved", "120.0")
    }
    dimensions = [json.loads(row["dimensions"]) for row in rows]
    assert [one["uri"] for one in dimensions] == [
        *[NASTY[0], NASTY[1], "\\u202ea\\u000d\\u000ab,c", NASTY[3], "\\ud800"]
    ]


def test_no_cell_is_a_formula(house: DispatchHouse) -> None:
    evil = replace(ONE, measure="=1+1", detector="-evil")
    channel = export(house, "csv")
    house.found(evil)
    house.dispatch({"table": channel})
    (content,) = house.files().values()
    cells = [cell for row in csv.reader(io.StringIO(content.decode())) for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_parquet_is_typed_and_ocsf_is_a_line(house: DispatchHouse) -> None:
    house.found(ONE)
    done = house.dispatch({"table": export(house, "parquet"), "siem": export(house, "ocsf")})
    assert len(done.delivered) == 2
    table = pq.read_table(house.folder / f"{PLACE}.parquet", partitioning=None)
    assert table.num_rows == len(NASTY)
    assert str(table.schema.field("value").type) == "double"
    (line,) = house.files()[f"{PLACE}.json"].splitlines()
    assert json.loads(line)["finding_info"]["uid"] == ONE.id


@pytest.fixture
def bucket() -> Iterator[UPath]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    options = {"endpoint_url": endpoint, "region_name": "eu-west-1"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        root = UPath("s3://example-anomalies/bartizan", client_kwargs=options)
        root.fs.makedirs("example-anomalies", exist_ok=True)
        yield root
    server.stop()


def test_the_same_on_s3(house: DispatchHouse, bucket: UPath) -> None:
    house.found(ONE)
    options = ExportOptions(kind="export", path="s3://example-anomalies/bartizan")
    missing = ExportOptions(kind="export", path="s3://nobodys-bucket/x")
    done = house.dispatch({"table": Export(options), "lost": Export(missing)})
    assert len(done.delivered) == 1
    ((_, why),) = done.waiting
    assert why.startswith("s3://nobodys-bucket/x: ")
    bucket.fs.invalidate_cache()
    assert bucket.fs.find("example-anomalies") == [f"example-anomalies/bartizan/{PLACE}.csv"]
