"""Brings one record that is not as AWS documents it into the documented shape.

Names in another case and known variants are renamed, lists that forwarders turned into maps become
lists again, numbers written as text become numbers. Whatever has no place in the shape moves to
`extra`, as dotted path -> JSON text. Nothing is lost, and a bad value never costs the record.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from bartizan.land.identity import compact
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
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_LONGEST_INTEGER = 4300  # digits that Python converts; longer ones stay text
_PLAIN_KEY = re.compile(r'[^.\[\]"]+')
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

Extra = dict[str, str]


def parse(raw: bytes) -> dict[str, Any]:
    """The record as a Python dict. Raises ValueError, saying why, if it is not one JSON object.

    Control characters in strings are accepted. What no column or no JSON can hold becomes text:
    lone surrogates that of their escape; NaN, Infinity and numbers out of all bounds as written.
    """
    try:
        value = _load(raw.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__}, not an object")
    return value


def normalise(record: dict[str, Any]) -> tuple[dict[str, Any], Extra]:
    """The record in the documented shape, and what had no place in it."""
    extra: Extra = {}
    record = dict(record)
    for key in record:
        instant = milliseconds(record[key]) if key.lower() == "timestamp" else None
        if instant is not None:
            record[key] = instant
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
        extra[path] = compact(value)
    return fitted


def _object(shape: dict[str, Shape], value: dict[str, Any], path: str, extra: Extra) -> Any:
    names = {name.lower(): name for name in shape}
    clean: dict[str, Any] = {}
    # Exact names first: a variant displaces the documented member only where that is null.
    for key in sorted(value, key=lambda key: (value[key] is None, key not in shape)):
        inner = _below(path, key)
        name = names.get(_VARIANTS.get(key.lower(), key.lower()))
        if name is not None and name not in clean:
            clean[name] = _fit(shape[name], value[key], inner, extra)
        elif name is None or value[key] is not None:
            extra[inner] = compact(value[key])
    return clean


def _below(path: str, key: str) -> str:
    """The dotted path of a member; quoted where the key itself could be read as a path."""
    step = key if _PLAIN_KEY.fullmatch(key) else compact(key)
    return f"{path}.{step}" if path else step


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
    unlike = members.get(key, name) != name
    return {"key of the map" if unlike else key: name} | members


def _parsed(text: str) -> Any:
    try:
        return _load(text)
    except ValueError:
        return None


def _load(text: str) -> Any:
    """The value of a JSON text, fit for any column. Raises ValueError if it is not JSON."""
    try:
        value = json.loads(
            text, strict=False, parse_int=_int, parse_float=_float, parse_constant=str
        )
        dumped = compact(value)
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at")
        raise ValueError(f"not JSON: {reason} at character {error.pos}") from error
    except RecursionError:
        raise ValueError("not JSON that can be read: nested too deeply") from None
    if not _LONE_SURROGATE.search(dumped):
        return value
    return json.loads(_LONE_SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", dumped))


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return compact(value) if isinstance(value, int | float) else None


def _integer(value: Any, low: int, high: int) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    return value if isinstance(value, int) and low <= value <= high else None
