"""What a backtest leaves in a folder, and says of itself.

report.html: alarms at each threshold, what would have fired, plots of the worst. backtest.json: the
same numbers. thresholds.csv: alarms at each threshold. alarms.csv: what would have fired, and
incidents.json the same in the members of Lookout for Metrics. scores.csv, scores.parquet.
"""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.model.connector import Connector
from bartizan.model.text import inert
from bartizan.model.window import format_time

if TYPE_CHECKING:
    import pandas as pd

    from bartizan.detect.backtest import Backtest
    from bartizan.detect.metrics import MetricFrame
    from bartizan.model.anomaly import Incident


def explained(result: Backtest, connector: Connector) -> Backtest:
    """The same with contributions and root causes of its incidents."""
    from bartizan.explain.contributions import contributions
    from bartizan.explain.explanation import explanation
    from bartizan.explain.leaves import in_window

    incidents = [
        replace(
            one,
            contributions=contributions(one.anomalies, connector.dimensions),
            explanation=explanation(in_window(result.scores, one), one, connector),
        )
        for one in result.incidents
    ]
    return replace(result, incidents=tuple(incidents))


def write(
    out: Path, connector: Connector, metrics: MetricFrame, result: Backtest, switch_on: str
) -> list[str]:
    """Write all files into a folder, replacing what is there; returns their names."""
    from bartizan.dispatch.backtest_report import BacktestReport, write_backtest
    from bartizan.dispatch.shapes.lookout_groups import shape

    result.scores.to_parquet(out / "scores.parquet", compression="zstd", index=False)
    _write_csv(out / "scores.csv", _inert(result.scores, connector))
    _write_json(out / "incidents.json", shape(result.incidents, result.scored))
    _write_json(out / "backtest.json", summary(connector, metrics, result))
    _write_csv(out / "thresholds.csv", _frame([asdict(one) for one in result.tally.thresholds]))
    _write_csv(out / "alarms.csv", _frame([_alarm(one) for one in result.incidents], ALARM))
    worst = sorted(result.incidents, key=lambda one: (-one.severity, one.window, one.id))
    report = BacktestReport(
        connector=connector.name,
        threshold=connector.alert_threshold,
        learned=result.learned,
        scored=result.scored,
        ready=result.state.ready,
        rows=metrics.rows,
        rejected=metrics.rejected,
        tally=result.tally,
        incidents=tuple(worst),
        scores=result.scores,
        switch_on=switch_on,
    )
    write_backtest(out / "report.html", report)
    return [
        "report.html", "backtest.json", "thresholds.csv", "alarms.csv", "incidents.json",
        "scores.csv", "scores.parquet",
    ]  # fmt: skip


def summary(connector: Connector, metrics: MetricFrame, result: Backtest) -> dict[str, Any]:
    """The numbers of a backtest as JSON holds them."""
    from bartizan.detect.learn import points_needed

    needed, tally = points_needed(connector.frequency), result.tally
    return {
        "connector": connector.name,
        "state": "ACTIVE" if result.state.ready else "LEARNING",
        "reason": f"{result.state.points} intervals seen by the last learning, {needed} are needed",
        "learned": str(result.learned),
        "scored": str(result.scored),
        "rows": metrics.rows,
        "rejected": {reason: count for reason, count in metrics.rejected.items() if count},
        "examples": [asdict(one) for one in metrics.examples],
        "series": sum(one.ready + one.learning for one in tally.series),
        "series_ready": sum(one.ready for one in tally.series),
        "scores": len(result.scores),
        "threshold": connector.alert_threshold,
        "tally": asdict(tally),
        "incidents": [_alarm(one) for one in result.incidents],
    }


ALARM = (
    "id", "start", "end", "severity", "measure", "direction", "top_series", "value", "expected",
    "headline",
)  # fmt: skip


def _alarm(incident: Incident) -> dict[str, Any]:
    from bartizan.dispatch.series import series_of
    from bartizan.model.story import headline, shown

    top = series_of(incident)[0].dimensions
    return {
        "id": incident.id,
        "start": format_time(incident.window.start),
        "end": format_time(incident.window.end),
        "severity": incident.severity,
        "measure": incident.measure,
        "direction": incident.direction.value,
        "top_series": ", ".join(f"{inert(name)}={shown(value)}" for name, value in top),
        "value": incident.value,
        "expected": incident.expected,
        "headline": headline(incident),
    }


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...] | None = None) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=columns)


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(path, index=False, date_format="%Y-%m-%d %H:%M:%S", lineterminator="\n")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _inert(scores: pd.DataFrame, connector: Connector) -> pd.DataFrame:
    """Dimension values come from attackers: a record stays on its line."""
    texts = {name: scores[name].map(lambda text: inert(str(text))) for name in connector.dimensions}
    return scores.assign(**texts)
