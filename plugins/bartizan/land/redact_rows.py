"""Takes credentials out of the columns of waf.requests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.land.redact import REDACTED, WITH_URL, Redaction

_NESTED = (
    "terminating_rule_match_details",
    "rule_groups",
    "rate_based_rules",
    "non_terminating_matching_rules",
    "request_headers_inserted",
    "headers",
)
_WITH_ARGUMENTS = ("uri", "args", "fragment")


def redact_rows(requests: pa.Table, redaction: Redaction) -> pa.Table:
    """The same rows without secret values. Each column must be one chunk."""
    columns = {name: requests.column(name).chunk(0) for name in (*_NESTED, *_WITH_ARGUMENTS)}
    columns |= {name: _nested(columns[name], redaction) for name in _NESTED}
    columns |= {name: _arguments(columns[name], redaction) for name in _WITH_ARGUMENTS}
    for name, column in columns.items():
        position = requests.schema.get_field_index(name)
        requests = requests.set_column(position, requests.field(name), column)
    return requests


def redact_extra(
    entries: tuple[tuple[str, str], ...], redaction: Redaction
) -> tuple[tuple[str, str], ...]:
    """Path and JSON text of what has no column, without secret values."""
    return tuple(
        (path, f'"{redaction.replaced(text)}"')
        if _is_secret(path, redaction)
        else (path, redaction.record_text(text))
        for path, text in entries
    )


def _is_secret(path: str, redaction: Redaction) -> bool:
    """Whether a path names something secret, or a header's value whose name is elsewhere."""
    steps = path.lower().split(".")
    of_header = "headers" in path.lower() and steps[-1].startswith("value")
    return of_header or steps[-1] in redaction.headers or steps[-1] in redaction.arguments


def _nested(array: pa.Array, redaction: Redaction) -> pa.Array:
    """The array with the same structure; itself where nothing in it is secret."""
    if pa.types.is_list(array.type):
        inner = _nested(array.values, redaction)
        return array if inner is array.values else _with_children(array, 2, [inner])
    if not pa.types.is_struct(array.type):
        return array
    children = [array.field(index) for index in range(array.type.num_fields)]
    redacted = [_nested(child, redaction) for child in children]
    members = [array.type.field(index).name for index in range(array.type.num_fields)]
    fields = dict(zip(members, redacted, strict=True))
    if "matched_data" in fields:
        fields["matched_data"] = _matched_data(fields, redaction)
    elif "name" in fields and "value" in fields:
        fields["value"] = _values(fields["name"], fields["value"], redaction)
    return _with_children(array, 1, list(fields.values()))


def _values(names: pa.Array, values: pa.Array, redaction: Redaction) -> pa.Array:
    """Values of headers, cookies or arguments, by their names."""
    names = pc.utf8_lower(names)
    values = _replaced(values, _is_in(names, redaction.headers), redaction)
    partly = pc.or_(_is_in(names, WITH_URL), pc.match_substring(values, "eyJ"))
    partly = pc.fill_null(partly, False)
    if not pc.any(partly).as_py():
        return values
    return pc.replace_with_mask(values, partly, _arguments(values.filter(partly), redaction))


def _matched_data(details: dict[str, pa.Array], redaction: Redaction) -> pa.Array:
    """What matched, where it was part of something secret: a cookie of unknown name included."""
    matched = details["matched_data"]
    names = pc.utf8_lower(details["matched_field_name"])
    secret = pc.or_(
        pc.and_(pc.equal(pc.fill_null(details["location"], ""), "COOKIE"), pc.is_null(names)),
        _is_in(names, (*redaction.headers, *redaction.arguments)),
    )
    if not pc.any(secret).as_py():
        return matched
    of_detail = np.repeat(secret.to_numpy(zero_copy_only=False), np.diff(matched.offsets))
    return _with_children(matched, 2, [_replaced(matched.values, pa.array(of_detail), redaction)])


def _arguments(texts: pa.Array, redaction: Redaction) -> pa.Array:
    """Query strings, fragments or URLs without secret values."""
    if not redaction.key:
        return pc.replace_substring_regex(texts, redaction.argument_pattern, rf"\1{REDACTED}")
    secret = pc.fill_null(pc.match_substring_regex(texts, redaction.argument_pattern), False)
    hashed = [redaction.argument_text(text) for text in texts.filter(secret).to_pylist()]
    return pc.replace_with_mask(texts, secret, pa.array(hashed, texts.type))


def _replaced(values: pa.Array, secret: pa.Array, redaction: Redaction) -> pa.Array:
    """The values, those that are secret replaced; empty ones stay empty."""
    secret = pc.fill_null(pc.and_(secret, pc.not_equal(values, "")), False)
    if not redaction.key:
        return pc.if_else(secret, pa.scalar(REDACTED, values.type), values)
    chosen = values.filter(secret).dictionary_encode()
    hashed = pa.array(map(redaction.replaced, chosen.dictionary.to_pylist()), values.type)
    return pc.replace_with_mask(values, secret, hashed.take(chosen.indices))


def _is_in(names: pa.Array, secret: tuple[str, ...]) -> pa.Array:
    return pc.is_in(names, pa.array(secret, names.type))


def _with_children(array: pa.Array, own: int, children: list[pa.Array]) -> pa.Array:
    """The array with other children, its `own` buffers and nulls kept."""
    assert array.offset == 0, "a slice shares its children with others"
    return pa.Array.from_buffers(
        array.type, len(array), array.buffers()[:own], array.null_count, 0, children
    )
