"""Brings one record that is not as AWS documents it into the documented shape.

Names in another case and known variants are renamed, lists that forwarders turned into maps become
lists again, numbers written as text become numbers. Whatever has no place in the shape moves to
`extra`, as dotted path -> JSON text. Nothing is lost, and a bad value never costs the record.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from bartizan.land.shape import BOUNDS, JSON_TEXT, RECORD, TEXT, Shape

_VARIANTS = {"myvalue": "value"}  # by lower-case name
_MAP_KEY = {  # the member that the keys of a map stand for, by the list's name
    "labels": "name",
    "headers": "name",
    "requestHeadersInserted": "name",
    "ruleGroupList": "ruleGroupId",
    "rateBasedRuleList": "rateBasedRuleName",
    "nonTerminatingMatchingRules": "ruleId",
    "excludedRules": "ruleId",
}
_INTEGER = re.compile(r"[+-]?\d{1,19}")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

Extra = dict[str, str]


def parse(raw: bytes) -> dict[str, Any] | None:
    """The record as a Python dict, or None if it is not one JSON object.

    Control characters in strings are accepted; lone surrogates, which no column can hold, become
    the text of their escape.
    """
    try:
        value = json.loads(raw.decode(), strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    text = json.dumps(value, ensure_ascii=False)
    if _LONE_SURROGATE.search(text):
        escaped = _LONE_SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text)
        value = json.loads(escaped)
    return dict(value)


def normalise(record: dict[str, Any]) -> tuple[dict[str, Any], Extra]:
    """The record in the documented shape, and what had no place in it."""
    extra: Extra = {}
    record = dict(record)
    time_key = next((key for key in record if key.lower() == "timestamp"), "timestamp")
    instant = milliseconds(record.get(time_key))
    if instant is not None:
        record[time_key] = instant
    clean = _object(RECORD, record, "", extra)
    return clean, extra


def milliseconds(value: Any) -> int | None:
    """Epoch milliseconds of a number, digits or an ISO-8601 text; None if it is none of them."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            return None
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return round(instant.timestamp() * 1000)
    return _integer(value, *BOUNDS["BIGINT"])


def _fit(shape: Shape, value: Any, path: str, extra: Extra) -> Any:
    if value is None:
        return None
    if isinstance(shape, dict):
        fitted = _object(shape, value, path, extra) if isinstance(value, dict) else None
    elif isinstance(shape, list):
        fitted = _list(shape[0], value, path, extra)
    elif shape == JSON_TEXT:
        return value
    elif shape == TEXT:
        fitted = _text(value)
    else:
        fitted = _integer(value, *BOUNDS[shape])
    if fitted is None:
        extra[path] = _dump(value)
    return fitted


def _object(shape: dict[str, Shape], value: dict[str, Any], path: str, extra: Extra) -> Any:
    names = {name.lower(): name for name in shape}
    clean: dict[str, Any] = {}
    # Exact names first: a variant never displaces the documented member.
    for key in sorted(value, key=lambda key: key not in shape):
        inner = f"{path}.{key}" if path else key
        name = names.get(_VARIANTS.get(key.lower(), key.lower()))
        if name is None or name in clean:
            extra[inner] = _dump(value[key])
        else:
            clean[name] = _fit(shape[name], value[key], inner, extra)
    return clean


def _list(shape: Shape, value: Any, path: str, extra: Extra) -> list[Any] | None:
    if isinstance(value, str):
        value = _parsed(value)
    key = _MAP_KEY.get(path.rpartition(".")[2])
    if isinstance(value, dict) and isinstance(shape, dict) and key:
        value = [_of_pair(key, *pair) for pair in value.items()]
    if not isinstance(value, list):
        return None
    fitted = [_fit(shape, item, f"{path}[{index}]", extra) for index, item in enumerate(value)]
    return [item for item in fitted if item is not None]


def _of_pair(key: str, name: str, inner: Any) -> dict[str, Any]:
    """A list's item from a map's pair: {"a": {...}}, {"a": "text"} or {"a": null}."""
    members = inner if isinstance(inner, dict) else {} if inner is None else {"value": inner}
    return {key: name} | members


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return _dump(value) if isinstance(value, int | float) else None


def _integer(value: Any, low: int, high: int) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    return value if isinstance(value, int) and low <= value <= high else None


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
