"""Jobs that keep a mirror of the lake on S3 and Glue."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.here import open_lake, settings
from bartizan.jobs.upkeep import GRACE_HOURS

if TYPE_CHECKING:
    from bartizan.lake.mirror import Change, Mirror
    from bartizan.lake.mirror_target import Target


def mirror_enabled() -> bool:
    """Whether there is a mirror: BARTIZAN_MIRROR is set."""
    return settings().mirror is not None


def mirror_lake(
    to: str | None = None,
    database_prefix: str | None = None,
    dry_run: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Bring the mirror to what is committed in the lake, or only list what each table lacks.

    Without `to` and `database_prefix` it is the mirror of BARTIZAN_MIRROR. `on_progress` hears
    bytes uploaded, and of how many.
    """
    from bartizan.lake.mirror import plan, update

    mirror = _mirror(to, database_prefix)
    changes = plan(mirror) if dry_run else update(mirror, on_progress)
    return [_row(change, mirror.target) for change in changes if change.needed]


def sweep_mirror(
    at: datetime,
    to: str | None = None,
    database_prefix: str | None = None,
    grace: timedelta = timedelta(hours=GRACE_HOURS),
    dry_run: bool = True,
    list_files: bool = True,
) -> list[dict[str, Any]]:
    """Forget snapshots of the mirror and delete objects unused for `grace` at `at`, or list them.

    A row's `files` are their URIs, or how many there are unless `list_files`.
    """
    from bartizan.lake.mirror_sweep import sweep_mirror as sweep

    found = sweep(_mirror(to, database_prefix), at, grace, dry_run)
    return [asdict(one) | ({} if list_files else {"files": len(one.files)}) for one in found]


def _mirror(to: str | None, database_prefix: str | None) -> Mirror:
    from bartizan.lake.mirror import Mirror
    from bartizan.lake.mirror_target import Target

    here = settings()
    place = here.mirror if to is None else to
    if place is None:
        raise UsageError(
            "BARTIZAN_MIRROR", "is not set", "set it, or give --to s3://bucket/prefix/"
        )
    prefix = here.mirror_prefix if database_prefix is None else database_prefix
    return Mirror.open(open_lake(), Target.parse(place, prefix))


def _row(change: Change, target: Target) -> dict[str, Any]:
    from bartizan.lake.mirror import size

    return {
        "table": change.name,
        "glue": ".".join(target.identifier(change.name)),
        "new_table": change.remote is None,
        "files_added": len(change.added),
        "files_uploaded": len(change.uploads),
        "bytes_uploaded": size(change.uploads),
        "files_removed": len(change.removed),
        "bytes_removed": size(change.removed),
    }
