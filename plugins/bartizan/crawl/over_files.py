"""connector.yaml of a connector over files that are there, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bartizan.crawl.folder import flow
from bartizan.model.connector import Connector, Missing
from bartizan.model.source import FileFormat, Source
from bartizan.model.window import DAY, HOUR

_PLAIN = FileFormat()


def connector_yaml(connector: Connector, source: Source, notes: Sequence[str] = ()) -> str:
    """The description, with the notes as comments above it; no value can leave its line."""
    block: dict[str, Any] = {"history": source.history}
    if source.timezone != "UTC":
        block["timezone"] = source.timezone
    if form := _format(source.format):
        block["format"] = form
    measures = "\n".join(
        f"  - {{name: {flow(m.name)}, aggregation: {m.aggregation}, missing: {m.missing}}}"
        for m in connector.measures
        if m.missing is not Missing.CARRY
    )
    comments = "".join(f"# {ascii(note)[1:-1]}\n" for note in notes)
    time = {"column": connector.timestamp, "format": source.timestamp_format}
    return f"""\
{comments}description: {flow(connector.description)}
frequency: {_duration(connector)}
timestamp: {flow(time)}
dimensions: {flow(list(connector.dimensions))}
measures:
{measures}
source: {flow(block)}
alert: {{threshold: {connector.alert_threshold:g}}}
"""


def _format(form: FileFormat) -> dict[str, Any]:
    """What differs from plain CSV."""
    kind = {"kind": form.kind.value} if form.kind is not _PLAIN.kind else {}
    return kind | ({"delimiter": form.delimiter} if form.delimiter != _PLAIN.delimiter else {})


def _duration(connector: Connector) -> str:
    minutes = int(connector.frequency.total_seconds()) // 60
    if connector.frequency % DAY == DAY * 0:
        return f"P{minutes // 1440}D"
    return f"PT{minutes // 60}H" if connector.frequency % HOUR == HOUR * 0 else f"PT{minutes}M"
