"""The S3 source of a params.json, as the `source:` block of a connector that reads its files."""

from __future__ import annotations

from typing import Any

from bartizan.crawl.folder import flow
from bartizan.crawl.lookout.params import Params

_CSV_KEYS = {
    "Charset": "charset",
    "ContainsHeader": "header",
    "Delimiter": "delimiter",
    "HeaderList": "columns",
    "QuoteSymbol": "quote",
}


def source_block(params: Params) -> dict[str, Any] | None:
    """Paths and format of the files, None when the file names no path."""
    given = params.metric_source.get("S3SourceConfig")
    if not isinstance(given, dict):
        return None
    paths = {"live": _first(given, "TemplatedPathList")}
    paths["history"] = _first(given, "HistoricalDataPathList")
    found = {key: path for key, path in paths.items() if path}
    return {**found, "format": _format(given.get("FileFormatDescriptor"))} if found else None


def dropped(params: Params) -> list[str]:
    """Keys of the source that have no place."""
    role = params.metric_source["S3SourceConfig"].get("RoleArn")
    return [f"RoleArn = {flow(role)}: files are read with the environment's role"] if role else []


def look_at(block: dict[str, Any]) -> list[str]:
    """What a person must decide."""
    if "live" not in block:
        return []
    return ["source.folder_label: start; the original's connector sample named folders by the end"]


def _first(given: dict[str, Any], key: str) -> str | None:
    paths = given.get(key)
    return str(paths[0]) if isinstance(paths, list) and paths and paths[0] else None


def _format(given: Any) -> dict[str, Any]:
    """Gzip is told by the bytes of a file, so compression has no key."""
    given = given if isinstance(given, dict) else {}
    if isinstance(form := given.get("JsonFormatDescriptor"), dict):
        return {"kind": "json", **({"charset": form["Charset"]} if "Charset" in form else {})}
    form = given.get("CsvFormatDescriptor") or {}
    known = {ours: form[theirs] for theirs, ours in _CSV_KEYS.items() if theirs in form}
    return {key: value for key, value in known.items() if key != "columns" or value}
