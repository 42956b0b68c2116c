"""A STIX 2.1 bundle: who says it, to whom it may be told, an indicator and a sighting for each
network. Ids are version-5 UUIDs of what they name, so the same entry always has the same.

Source: OASIS STIX Version 2.1; the markings are those it defines itself (7.2.1.4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bartizan.model.ids import stable_uuid
from bartizan.model.indicator import Indicator, Tlp
from bartizan.model.window import aware

_MARKINGS = {
    Tlp.CLEAR: ("white", "613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    Tlp.GREEN: ("green", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    Tlp.AMBER: ("amber", "f88d31f6-486f-44da-b317-01333bde0b82"),
}
_BEGINNING = "2017-01-20T00:00:00.000Z"  # when STIX defined its markings; our identity has no other


def stix_files(indicators: Sequence[Indicator], organisation: str, tlp: Tlp) -> Mapping[str, bytes]:
    objects = [_marking(tlp), _identity(organisation)]
    common = {
        "spec_version": "2.1",
        "created_by_ref": objects[1]["id"],
        "object_marking_refs": [objects[0]["id"]],
    }
    for one in indicators:
        number = stable_uuid("stix", organisation, one.network, one.added_at, one.expires_at)
        objects += [_indicator(one, number, common), _sighting(one, number, common)]
    bundle = {
        "type": "bundle",
        "id": f"bundle--{stable_uuid('stix bundle', *(one['id'] for one in objects))}",
        "objects": objects,
    }
    return {"bundle.stix.json": (json.dumps(bundle, indent=2) + "\n").encode()}


def _marking(tlp: Tlp) -> dict[str, Any]:
    name, number = _MARKINGS[tlp]
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{number}",
        "created": _BEGINNING,
        "definition_type": "tlp",
        "name": f"TLP:{name.upper()}",
        "definition": {"tlp": name},
    }


def _identity(organisation: str) -> dict[str, Any]:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": f"identity--{stable_uuid('stix identity', organisation)}",
        "created": _BEGINNING,
        "modified": _BEGINNING,
        "name": organisation,
        "identity_class": "organization",
    }


def _indicator(one: Indicator, number: str, common: dict[str, Any]) -> dict[str, Any]:
    """An entry that is renewed has another end and so is another indicator."""
    begin, end = _time(one.added_at), _time(one.expires_at)
    return {
        **common,
        "type": "indicator",
        "id": f"indicator--{number}",
        "created": begin,
        "modified": begin,
        "name": f"Blocked by AWS WAF: {one.network}",
        "indicator_types": ["malicious-activity"],
        "pattern": f"[ipv{one.network.version}-addr:value = '{one.network}']",
        "pattern_type": "stix",
        "valid_from": begin,
        "valid_until": end,
        "confidence": round(one.score),
        "labels": list(one.families) or ["other"],
    }


def _sighting(one: Indicator, number: str, common: dict[str, Any]) -> dict[str, Any]:
    """How often AWS WAF stopped it."""
    return {
        **common,
        "type": "sighting",
        "id": f"sighting--{number}",
        "created": _time(one.added_at),
        "modified": _time(one.added_at),
        "first_seen": _time(one.first_seen),
        "last_seen": _time(one.last_seen),
        "count": min(one.blocked, 999_999_999),
        "sighting_of_ref": f"indicator--{number}",
        "where_sighted_refs": [common["created_by_ref"]],
    }


def _time(instant: datetime) -> str:
    return aware(instant).strftime("%Y-%m-%dT%H:%M:%S.000Z")
