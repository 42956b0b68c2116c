"""The frame of a batch's requests, of files written by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bartizan.validate import frames
from bartizan.validate.frames import COLUMNS, StagedFile

NOON = 1_793_534_400_000  # 2026-11-01T12:00Z
HOUR_MS = 3_600_000
DELIVERED = "s3://logs/2026/11/01/12/00/a.gz"


def written(path: Path, rows: list[dict[str, object]]) -> StagedFile:
    schema = pa.schema(
        [(name, pa.int64() if name == "event_ms" else pa.string()) for name in COLUMNS]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return StagedFile(path, pq.read_metadata(path))


def row(**columns: object) -> dict[str, object]:
    return dict.fromkeys(COLUMNS, "x") | {"event_ms": NOON, "source_object": DELIVERED} | columns


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[StagedFile]]:
    """Two hours that share no client; the second has no text that the first has not."""
    first = [row(client_ip="192.0.2.1"), row(client_ip=None, uri=None), row(client_ip="192.0.2")]
    second = [
        row(client_ip="2001:db8::1", event_ms=NOON - 2 * HOUR_MS),
        row(client_ip="::1\0", event_ms=None),
        row(client_ip="192.0.2.1", source_object="a.gz"),
    ]
    return {
        "waf.requests": [written(tmp_path / "1", first), written(tmp_path / "2", second)],
    }


def values(column: pd.Series) -> list[object]:
    return [None if pd.isna(value) else value for value in column]


def test_rows_of_all_files(files: dict[str, list[StagedFile]]) -> None:
    frame = frames.requests(files)

    clients = ["192.0.2.1", None, "192.0.2", "2001:db8::1", "::1\0", "192.0.2.1"]
    assert values(frame["client_ip"]) == clients
    assert values(frame["client_ip_is_address"]) == [True, None, False, True, False, True]
    assert values(frame["hours_from_delivery"]) == [0, 0, 0, 2, None, None]
    assert values(frame["uri"]) == ["x", None, "x", "x", "x", "x"]
    assert values(frame["event_ms"]) == [NOON, NOON, NOON, NOON - 2 * HOUR_MS, None, NOON]


def test_every_nth_row_of_many(
    files: dict[str, list[StagedFile]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 2)
    assert values(frames.requests(files)["client_ip"]) == ["192.0.2.1", "2001:db8::1"]
