"""Detection over files alone: no lake, no store, no settings."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.model.connector import NAME, Connector
from bartizan.model.window import Window

if TYPE_CHECKING:
    from bartizan.detect.listing import Found


def detect_alone(
    path: str,
    out: Path,
    connector: Path | None = None,
    window: Window | None = None,
    train_until: datetime | None = None,
    train_share: float = 0.7,
    relearn: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Learn from the first part of metric files and score the rest; see docs/detection.md.

    `path` is a file, a folder or a path template. Writes what `results.py` names and connector.yaml
    into `out`, replacing what is there. Without a `connector` it is inferred. Raises what is wrong
    with the files as SourceError or UsageError.
    """
    from bartizan.detect.backtest import backtest
    from bartizan.detect.standalone import find_files, read_rows
    from bartizan.jobs.results import explained, summary, write

    if not 0 < train_share < 1:
        raise UsageError("--train-share", f"{train_share} is not between 0 and 1", "write 0.7")
    described = _described(connector) if connector else None
    files = find_files(path, described, window)
    _make(out, path)
    made, notes = _over(described, files, path)
    metrics = read_rows(files, made)
    result = explained(
        backtest(metrics, made, train_until, train_share, relearn=relearn, on_progress=on_progress),
        made,
    )
    switch_on = (
        f"put connector.yaml into include/sql/connectors/{made.name}, then unpause "
        f"crawl_{made.name} and detect_{made.name}"
    )
    written = write(out, made, metrics, result, switch_on)
    if described is None:
        written.append(_write_description(out, made, notes))
    return summary(made, metrics, result) | {
        "files": len(files),
        "notes": list(notes),
        "written": written,
        "switch_on": switch_on,
    }


def _described(file: Path) -> Connector:
    from bartizan.crawl.config import read_description

    path = file / "connector.yaml" if file.is_dir() else file
    return read_description(path, _name(path.resolve().parent.name))


def _over(
    described: Connector | None, files: list[Found], path: str
) -> tuple[Connector, tuple[str, ...]]:
    """The connector over these files, and what is to be said of it."""
    from bartizan.detect.infer import form_of, infer
    from bartizan.model.source import Source

    if not files:
        raise UsageError(f"--input {path}", "has no files in this window", "choose another window")
    if described is None:
        folder = path if files[0].place.fs.isdir(path) else path.rpartition("/")[0] or "."
        inferred = infer(files[0], _name(Path(path).name.partition(".")[0]), folder)
        return inferred.connector, inferred.notes
    if described.source is None:
        form, _ = form_of(files[0])
        return replace(described, source=Source(None, path, form)), ()
    live = path if "{{" in path else None
    return replace(described, source=replace(described.source, live=live, history=path)), ()


def _name(text: str) -> str:
    """A connector's name made of a file's."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in text)[:63]
    return kept if NAME.fullmatch(kept) else "metrics"


def _make(out: Path, path: str) -> None:
    if Path(path).is_dir() and out.resolve().is_relative_to(Path(path).resolve()):
        raise UsageError(
            f"--out {out}", f"lies in --input {path}", "choose a folder that is not read"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {out}", f"cannot be made ({error.strerror})", "choose a folder"
        ) from error


def _write_description(out: Path, connector: Connector, notes: tuple[str, ...]) -> str:
    from bartizan.crawl.over_files import connector_yaml

    assert connector.source is not None
    text = connector_yaml(connector, connector.source, notes)
    (out / "connector.yaml").write_text(text, encoding="utf-8")
    return "connector.yaml"
