"""Where a batch's files wait until they are published, and where they stay afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bartizan.lake.catalog import Lake


def staged_file(lake: Lake, name: str, batch_id: str, hour: datetime | None = None) -> Path:
    """Path of the file of a batch in a table; `hour` for tables partitioned by hour."""
    folder = lake.data_path(name)
    if hour is not None:
        folder = folder / f"event_date={hour:%Y-%m-%d}" / f"event_hour={hour:%H}"
    return folder / f"{batch_id}.parquet"


def staged_files(lake: Lake, name: str, batch_id: str) -> list[Path]:
    """The files of a batch in a table, in order of their hours."""
    folder = lake.data_path(name)
    return sorted([*folder.glob(f"{batch_id}.parquet"), *folder.glob(f"*/*/{batch_id}.parquet")])


def hour_of(file: Path) -> datetime:
    """The hour a file of an hourly table holds, from its folders."""
    day = file.parent.parent.name.removeprefix("event_date=")
    hour = file.parent.name.removeprefix("event_hour=")
    return datetime.strptime(f"{day} {hour}", "%Y-%m-%d %H").replace(tzinfo=UTC)
