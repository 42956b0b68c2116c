"""One rule or quiet time of alerts.yaml changed in its text, so that all else stays: comments,
order, and the way it is written.

The parser says where each key and value stands; only the values that differ are written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import yaml

from bartizan.errors import ConfigError

Section = Literal["rules", "quiet"]
Entry = Mapping[str, Any]


def entries(text: str, section: Section) -> list[dict[str, Any]]:
    """The rules or quiet times of a file, as they are written."""
    return list((yaml.safe_load(text) or {}).get(section) or [])


def with_entry(text: str, section: Section, place: int, entry: Entry | None) -> str:
    """The text with another entry at a place: a new one after the last, None to remove it.

    Raises ConfigError where the text cannot be changed in place, as with anchors and aliases.
    """
    wanted = entries(text, section)
    if not 0 <= place <= len(wanted) - (entry is None):
        raise ConfigError(f"{section}[{place}]", "is not there", "look at the rules again")
    if wanted[place : place + 1] == [entry]:
        return text
    wanted[place : place + 1] = [] if entry is None else [dict(entry)]
    changed = _changed(text, section, place, entry)
    try:
        held = yaml.safe_load(changed)
    except yaml.YAMLError:
        held = None
    if held != (yaml.safe_load(text) or {}) | {section: wanted}:
        raise ConfigError(f"{section}[{place}]", "cannot be changed in place", "edit it by hand")
    return changed


def _changed(text: str, section: Section, place: int, entry: Entry | None) -> str:
    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    found = next(((key, value) for key, value in root.value if key.value == section), None)
    if found is None:
        return f"{text.rstrip()}\n\n{section}:\n  - {_block(entry or {}, 4)}\n"
    key, items = found
    if not isinstance(items, yaml.SequenceNode) or items.flow_style or not items.value:
        wanted = entries(text, section)
        wanted[place : place + 1] = [] if entry is None else [dict(entry)]
        rest = text[max(_end(items), key.end_mark.index + 1) :]
        return f"{text[: key.end_mark.index]}: {_flow(wanted)}{rest}"
    column = items.start_mark.column
    if place == len(items.value):
        at = _line_end(text, _end(items))
        return f"{text[:at]}\n{' ' * column}- {_block(entry or {}, column + 2)}{text[at:]}"
    node = items.value[place]
    end = _line_end(text, _end(node))
    if entry is not None:
        return text[: node.start_mark.index] + _edited(text, node, entry) + text[end:]
    if len(items.value) == 1:
        return f"{text[: key.end_mark.index]}: []{text[end:]}"
    dash = text.rindex("-", 0, node.start_mark.index)
    return text[: text.rfind("\n", 0, dash) + 1] + text[end + 1 :]


def _edited(text: str, node: yaml.MappingNode, entry: Entry) -> str:
    """The text of an entry, to the end of its last line, with what differs in it."""
    end = _line_end(text, _end(node))
    if node.flow_style or not entry:
        return _flow(dict(entry)) + text[_end(node) : end]
    old = yaml.safe_load(yaml.serialize(node))
    starts = [key.start_mark.index for key, _ in node.value]
    parts = []
    for (key, value), start, stop in zip(node.value, starts, [*starts[1:], end], strict=True):
        if key.value in entry:
            same = entry[key.value] == old[key.value]
            new = f"{key.value}: {_flow(entry[key.value])}{text[_end(value) : stop]}"
            parts.append(text[start:stop] if same else new)
    indent = " " * node.start_mark.column
    added = {name: value for name, value in entry.items() if name not in old}
    lines = [*(["".join(parts).rstrip()] if parts else []), *_lines(added)]
    return f"\n{indent}".join(lines)


def _block(entry: Entry, column: int) -> str:
    """A new entry, a line for each key."""
    return f"\n{' ' * column}".join(_lines(entry)) or "{}"


def _lines(entry: Entry) -> Iterator[str]:
    return (f"{name}: {_flow(value)}" for name, value in entry.items())


def _flow(value: object) -> str:
    """A value on one line."""
    options: Any = {"sort_keys": False, "allow_unicode": True, "width": float("inf")}
    written: str = yaml.safe_dump([value], default_flow_style=True, **options)
    return written.strip()[1:-1]


def _end(node: yaml.Node) -> int:
    """Where the text of a node ends; the parser's own mark is where the next one begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found
