"""Detection over files alone: no lake, no store, no settings."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.model.connector import NAME, Connector
from bartizan.model.text import inert
from bartizan.model.window import Window, format_time

if TYPE_CHECKING:
    import pandas as pd

    from bartizan.detect.listing import Found
    from bartizan.detect.metrics import MetricFrame
    from bartizan.detect.standalone import Backtest


def detect_alone(
    path: str,
    out: Path,
    connector: Path | None = None,
    window: Window | None = None,
    train_until: datetime | None = None,
    train_share: float = 0.7,
) -> dict[str, Any]:
    """Learn from the first part of metric files and score the rest; see docs/detection.md.

    `path` is a file, a folder or a path template. Writes scores.csv, scores.parquet,
    incidents.json, report.html and connector.yaml into `out`, replacing what is there. Without a
    `connector` it is inferred. Raises what is wrong with the files as SourceError or UsageError.
    """
    from bartizan.detect.standalone import backtest, find_files, read_rows

    if not 0 < train_share < 1:
        raise UsageError("--train-share", f"{train_share} is not between 0 and 1", "write 0.7")
    described = _described(connector) if connector else None
    _make(out, path)
    files = find_files(path, described, window)
    made, notes = _over(described, files, path)
    metrics = read_rows(files, made)
    result = backtest(metrics, made, train_until, train_share)
    result = replace(result, incidents=tuple(_explained(result, made)))
    written = _write(out, made, result)
    if described is None:
        written.append(_write_description(out, made, notes))
    return _summary(made, metrics, result) | {
        "files": len(files),
        "notes": list(notes),
        "written": written,
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


def _explained(result: Backtest, connector: Connector) -> list[Any]:
    from bartizan.explain.contributions import contributions
    from bartizan.explain.explanation import explanation
    from bartizan.explain.leaves import in_window

    return [
        replace(
            one,
            contributions=contributions(one.anomalies, connector.dimensions),
            explanation=explanation(in_window(result.scores, one), one, connector),
        )
        for one in result.incidents
    ]


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


def _write(out: Path, connector: Connector, result: Backtest) -> list[str]:
    from bartizan.dispatch.report import write_report
    from bartizan.dispatch.report_data import ReportData
    from bartizan.dispatch.shapes.lookout_groups import shape
    from bartizan.model.landing import BatchCounts

    names = ["scores.parquet", "scores.csv", "incidents.json", "report.html"]
    result.scores.to_parquet(out / names[0], compression="zstd", index=False)
    _inert(result.scores, connector).to_csv(
        out / names[1], index=False, date_format="%Y-%m-%d %H:%M:%S", lineterminator="\n"
    )
    groups = shape(result.incidents, result.scored)
    text = json.dumps(groups, indent=2, ensure_ascii=False, allow_nan=False)
    (out / names[2]).write_text(text + "\n", encoding="utf-8")
    worst = sorted(result.incidents, key=lambda one: (-one.severity, one.window, one.id))
    report = ReportData(
        title=f"Anomalies of {connector.name}",
        period=result.scored,
        objects=0,
        counts=BatchCounts(),
        incidents=tuple(worst),
        scores={connector.name: result.scores},
    )
    write_report(out / names[3], report)
    return names


def _write_description(out: Path, connector: Connector, notes: tuple[str, ...]) -> str:
    from bartizan.crawl.over_files import connector_yaml

    assert connector.source is not None
    text = connector_yaml(connector, connector.source, notes)
    (out / "connector.yaml").write_text(text, encoding="utf-8")
    return "connector.yaml"


def _inert(scores: pd.DataFrame, connector: Connector) -> pd.DataFrame:
    """Dimension values come from attackers: a record stays on its line."""
    texts = {name: scores[name].map(lambda text: inert(str(text))) for name in connector.dimensions}
    return scores.assign(**texts)


def _summary(connector: Connector, metrics: MetricFrame, result: Backtest) -> dict[str, Any]:
    from bartizan.detect.learn import points_needed
    from bartizan.model.story import headline

    series = result.state.series
    needed = points_needed(connector.frequency)
    return {
        "connector": connector.name,
        "state": "ACTIVE" if result.state.ready else "LEARNING",
        "reason": f"{result.state.points} of {needed} intervals seen",
        "learned": str(result.learned),
        "scored": str(result.scored),
        "rows": metrics.rows,
        "rejected": {reason: count for reason, count in metrics.rejected.items() if count},
        "examples": [asdict(one) for one in metrics.examples],
        "series": len(series),
        "series_ready": int((series["status"] == "ACTIVE").sum()) if result.state.ready else 0,
        "scores": len(result.scores),
        "incidents": [
            {
                "id": one.id,
                "start": format_time(one.window.start),
                "end": format_time(one.window.end),
                "severity": one.severity,
                "measure": one.measure,
                "direction": one.direction.value,
                "value": one.value,
                "expected": one.expected,
                "headline": headline(one),
            }
            for one in result.incidents
        ],
    }
