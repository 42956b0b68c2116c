"""Takes credentials out of the columns of waf.requests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.land.containing import containing
from bartizan.land.nested import with_children
from bartizan.land.redact import JWT_START, REDACTED, WITH_URL, Redaction

_NESTED = (
    "terminating_rule_match_details",
    "rule_groups",
    "rate_based_rules",
    "non_terminating_matching_rules",
    "request_headers_inserted",
    "headers",
)
_WITH_ARGUMENTS = ("uri", "args", "fragment")
_MOST_KNOWN = 10_000  # names; clients choose them
_TOKEN = JWT_START.encode()


def redacted(columns: Mapping[str, pa.Array], redaction: Redaction) -> dict[str, pa.Array]:
    """Of the columns of waf.requests those that may hold secrets, without them."""
    nested = {name: _nested(columns[name], redaction) for name in _NESTED}
    return nested | {name: _arguments(columns[name], redaction) for name in _WITH_ARGUMENTS}


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
    last = path.rpartition(".")[2]
    of_header = "headers" in path.lower() and last.lower().startswith("value")
    return of_header or redaction.is_secret(last)


def _nested(array: pa.Array, redaction: Redaction) -> pa.Array:
    """The array with the same structure, without secret values."""
    if array.null_count == len(array) or not pa.types.is_nested(array.type):
        return array
    if pa.types.is_list(array.type):
        return with_children(array, array.type, [_nested(array.values, redaction)])
    members = [field.name for field in array.type]
    fields = {name: _nested(array.field(name), redaction) for name in members}
    if "matched_data" in fields:
        fields["matched_data"] = _matched_data(fields, redaction)
    elif "name" in fields and "value" in fields:
        fields["value"] = _values(fields["name"], fields["value"], redaction)
    return with_children(array, array.type, list(fields.values()))


def _values(names: pa.Array, values: pa.Array, redaction: Redaction) -> pa.Array:
    """Values of headers, cookies or arguments, by their names."""
    different = names.dictionary_encode()
    values = _replaced(values, _are_secret(different, redaction), redaction)
    named = pc.is_in(pc.utf8_lower(different.dictionary), pa.array(WITH_URL, names.type))
    with_url = pc.fill_null(named.take(different.indices), False)
    partly = pc.or_(with_url, containing(values, _TOKEN))
    if not pc.any(partly).as_py():
        return values
    return pc.replace_with_mask(values, partly, _arguments(values.filter(partly), redaction))


def _matched_data(details: dict[str, pa.Array], redaction: Redaction) -> pa.Array:
    """What matched, where it was part of something secret: a cookie of unknown name included."""
    matched, names = details["matched_data"], details["matched_field_name"]
    cookie = pc.equal(pc.fill_null(details["location"], ""), "COOKIE")
    secret = pc.or_(
        pc.and_(cookie, pc.is_null(names)), _are_secret(names.dictionary_encode(), redaction)
    )
    of_detail = np.repeat(secret.to_numpy(zero_copy_only=False), np.diff(matched.offsets))
    values = _replaced(matched.values, pa.array(of_detail), redaction)
    return with_children(matched, matched.type, [values])


def _are_secret(names: pa.DictionaryArray, redaction: Redaction) -> pa.Array:
    """Which of the names are of something secret."""
    known = redaction.known  # the pattern is not even compiled where all are
    if len(known) > _MOST_KNOWN:
        known.clear()
    different = names.dictionary.to_pylist()
    if new := [name for name in different if name not in known]:
        found = pc.match_substring_regex(
            pa.array(new, names.dictionary.type), redaction.name_pattern
        )
        known.update(zip(new, found.to_pylist(), strict=True))
    secret = pa.array([known[name] for name in different], pa.bool_())
    return pc.fill_null(secret.take(names.indices), False)


def _arguments(texts: pa.Array, redaction: Redaction) -> pa.Array:
    """Query strings, fragments or URLs without secret values."""
    # What has neither cannot match, and most paths have neither: looking is cheaper than matching.
    possible = pc.or_(containing(texts, b"="), containing(texts, _TOKEN))
    if not pc.any(possible).as_py():
        return texts
    found = texts.filter(possible)
    if not redaction.key:
        clean = pc.replace_substring_regex(found, redaction.argument_pattern, rf"\1{REDACTED}")
        return pc.replace_with_mask(texts, possible, clean)
    secret = pc.match_substring_regex(found, redaction.argument_pattern)
    hashed = [redaction.argument_text(text) for text in found.filter(secret).to_pylist()]
    clean = pc.replace_with_mask(found, secret, pa.array(hashed, texts.type))
    return pc.replace_with_mask(texts, possible, clean)


def _replaced(values: pa.Array, secret: pa.Array, redaction: Redaction) -> pa.Array:
    """The values, those that are secret replaced; empty ones stay empty."""
    secret = pc.fill_null(pc.and_(secret, pc.not_equal(values, "")), False)
    if not redaction.key:
        return pc.if_else(secret, pa.scalar(REDACTED, values.type), values)
    chosen = values.filter(secret).dictionary_encode()
    hashed = pa.array(map(redaction.replaced, chosen.dictionary.to_pylist()), values.type)
    return pc.replace_with_mask(values, secret, hashed.take(chosen.indices))
