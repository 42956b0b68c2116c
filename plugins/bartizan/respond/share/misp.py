"""A MISP feed: a manifest, and an event for each day on which entries were added.

UUIDs are of version 5, an event's of its organisation and day, so MISP updates what it has. An
attribute keeps its UUID while the entry stays.
Source: the MISP core format (draft-dulaunoy-misp-core-format) and MISP's own feeds.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bartizan.model.ids import stable_uuid
from bartizan.model.indicator import Indicator, Tlp
from bartizan.model.window import format_time

_COLOURS = {Tlp.CLEAR: "#ffffff", Tlp.GREEN: "#339900", Tlp.AMBER: "#ffc000"}
_MEDIUM, _COMPLETED = "2", "2"  # threat level, analysis


def misp_files(indicators: Sequence[Indicator], organisation: str, tlp: Tlp) -> Mapping[str, bytes]:
    by_day: dict[str, list[Indicator]] = defaultdict(list)
    for one in indicators:
        by_day[f"{one.added_at:%Y-%m-%d}"].append(one)
    manifest, files = {}, {}
    for day, added in sorted(by_day.items()):
        event = _event(day, added, organisation, tlp)
        kept = ("Orgc", "Tag", "info", "date", "analysis", "threat_level_id", "timestamp")
        manifest[event["uuid"]] = {key: event[key] for key in kept}
        files[f"misp/{event['uuid']}.json"] = _json({"Event": event})
    return {**files, "misp/manifest.json": _json(manifest)}


def _event(day: str, added: Sequence[Indicator], organisation: str, tlp: Tlp) -> dict[str, Any]:
    newest = _timestamp(max(one.added_at for one in added))
    return {
        "uuid": stable_uuid("misp event", organisation, day),
        "info": f"Addresses blocked by AWS WAF, added {day}",
        "date": day,
        "threat_level_id": _MEDIUM,
        "analysis": _COMPLETED,
        "published": True,
        "timestamp": newest,
        "publish_timestamp": newest,
        "Orgc": {"name": organisation, "uuid": stable_uuid("misp organisation", organisation)},
        "Tag": [{"name": f"tlp:{tlp}", "colour": _COLOURS[tlp]}],
        "Attribute": [_attribute(one, organisation) for one in added],
    }


def _attribute(one: Indicator, organisation: str) -> dict[str, Any]:
    return {
        "uuid": stable_uuid("misp attribute", organisation, one.network, one.added_at),
        "type": "ip-src",
        "category": "Network activity",
        "to_ids": True,
        "value": str(one.network).removesuffix("/32").removesuffix("/128"),
        "comment": (
            f"until {format_time(one.expires_at)}; {one.blocked} of {one.requests} requests "
            f"blocked, {one.paths} paths, {one.hours} hours; {', '.join(one.families)}"
        ),
        "first_seen": format_time(one.first_seen),
        "last_seen": format_time(one.last_seen),
        "timestamp": _timestamp(one.added_at),
    }


def _timestamp(instant: datetime) -> str:
    return str(int(instant.timestamp()))


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
