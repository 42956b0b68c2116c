"""What the jobs around answering back tell: plain values that fit into JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bartizan.model.window import format_time

if TYPE_CHECKING:
    from bartizan.model.intel import Candidate
    from bartizan.store.intel import IpSetChange
    from bartizan.store.intel_audit import Deed


def candidate_json(one: Candidate) -> dict[str, Any]:
    seen = one.evidence
    return {
        "network": str(one.network),
        "score": one.score,
        "requests": seen.requests,
        "blocked": seen.blocked,
        "share": round(seen.blocked_share, 4),
        "hours": seen.hours,
        "addresses": seen.addresses,
        "uris": seen.uris,
        "rules": list(seen.rules),
        "reasons": list(seen.reasons),
        "webacls": list(seen.webacls),
        "first_seen": format_time(seen.first_seen),
        "last_seen": format_time(seen.last_seen),
    }


def change_json(one: IpSetChange) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "target": one.target,
        "at": format_time(one.at),
        "by": one.by,
        "state": one.state.value,
        "added": [str(network) for network in one.added],
        "removed": [str(network) for network in one.removed],
        "left_out": {str(network): why for network, why in one.left_out.items()},
        "size": len(one.after),
        "receipt": one.receipt,
    }


def deed_json(one: Deed) -> dict[str, Any]:
    return {
        "at": format_time(one.at),
        "by": one.by,
        "what": one.what,
        "subject": one.subject,
        "detail": one.detail,
    }
