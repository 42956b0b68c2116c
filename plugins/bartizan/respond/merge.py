"""What a task comes to for an IP set as it was read: a pure function of set, ledger and decision.

What others wrote stays, as they wrote it and in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_interface

from bartizan.model.ids import digest
from bartizan.model.intel import Network, Refusal, by_place
from bartizan.model.window import format_time
from bartizan.respond.ip_sets import MOST, Contents
from bartizan.store.intel import ChangeState, IpSetChange, Row, Rows


@dataclass(frozen=True)
class Decision:
    """The ledger rows wanted (listed: to be in the set), and what was left out, with the reason."""

    rows: Rows
    left_out: Mapping[Network, str]


Decide = Callable[[Mapping[Network, Row]], Decision]  # from what is held
Guard = Callable[[Sequence[Network]], Sequence[Refusal]]


@dataclass(frozen=True)
class Task:
    """One change to make: the same again has the same id. `guard` is asked about whatever is new to
    the set, at the last moment; the set is to hold at most `most` addresses."""

    id: str
    kind: str  # apply, expire, undo
    subject: str
    at: datetime
    by: str
    decide: Decide
    guard: Guard
    most: int = MOST


def change_id(kind: str, subject: str, target: str, at: datetime) -> str:
    return digest((kind, subject, target, format_time(at)))


def merged(
    task: Task,
    target: str,
    read: Contents,
    ours: Mapping[Network, Row],
    tried: Sequence[Network],
) -> IpSetChange:
    """The change that makes a decision true of the set as it was read. What was `tried` before,
    without an answer, is there by our doing."""
    decision = task.decide(ours)
    rows, left_out = dict(decision.rows), dict(decision.left_out)
    known = ours.keys() | set(tried)
    for network in [n for n, row in rows.items() if row and row.listed]:
        if network in read.networks and network not in known:
            del rows[network]
            left_out[network] = "is in the set already, put there by others"
    _make_room(task, rows, left_out, read, ours)
    listed = {network for network, row in rows.items() if row is not None and row.listed}
    added = listed - (read.networks - (set(tried) - ours.keys()))
    removed = {n for n in rows.keys() - listed if n in read.networks and n in known}
    kept = [text for text in read.addresses if _as_ours(text) not in removed]
    new = sorted(listed - read.networks, key=by_place)
    return IpSetChange(
        id=task.id,
        kind=task.kind,
        target=target,
        subject=task.subject,
        at=task.at,
        by=task.by,
        state=ChangeState.INTENDED,
        added=tuple(sorted(added, key=by_place)),
        removed=tuple(sorted(removed, key=by_place)),
        left_out=left_out,
        before=read.addresses,
        after=(*kept, *map(str, new)),
        rows=rows,
        former={},
        receipt="",
    )


def _make_room(
    task: Task,
    rows: dict[Network, Row | None],
    left_out: dict[Network, str],
    read: Contents,
    ours: Mapping[Network, Row],
) -> None:
    """Beyond what the set is to hold, the entries of ours with the lowest score give way."""
    wanted = {n: row for n, row in rows.items() if row is not None and row.listed}
    gone = {n for n in rows.keys() - wanted.keys() if n in ours}
    over = len((read.networks - gone) | wanted.keys()) - task.most
    if over <= 0:
        return
    standing = {n: row for n, row in ours.items() if n in read.networks and n not in rows}
    candidates = standing | wanted
    weakest = sorted(candidates, key=lambda n: (candidates[n].entry.candidate_score, by_place(n)))
    for network in weakest[:over]:
        left_out[network] = f"the set is full at {task.most:,}; its score is among the lowest"
        if network in read.networks:
            rows[network] = replace(candidates[network], listed=False, change_id=task.id)
        else:
            del rows[network]


def _as_ours(text: str) -> Network | None:
    """The network of an address in a set; None with host bits set, which we never write."""
    one = ip_interface(text)
    return one.network if one.ip == one.network.network_address else None
