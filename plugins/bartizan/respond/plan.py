"""The plan: what is to change in every IP set, as a pure function of what was found and what is.

Candidates are judged by the guard, the strongest first, and chosen within the limits of a run.
Then, set by set: entries that expired or are now protected leave, the chosen enter, and where the
set is full the least evidence goes out first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType

from bartizan.model.intel import (
    Candidate,
    Change,
    Entry,
    IpSetTarget,
    Mode,
    Network,
    Plan,
    Refusal,
    by_place,
)
from bartizan.model.window import Window, aware, format_time
from bartizan.respond.blast import Blast
from bartizan.respond.config import Limits
from bartizan.respond.guard import Guard

_NEVER: Mapping[Network, int] = MappingProxyType({})
_NOBODY: Mapping[str, int] = MappingProxyType({})
_NOTHING: Mapping[Network, str] = MappingProxyType({})


def make_plan(
    candidates: Iterable[Candidate],
    entries: Mapping[str, Sequence[Entry]],
    targets: Sequence[IpSetTarget],
    limits: Limits,
    now: datetime,
    guard: Guard,
    window: Window,
    listed_before: Mapping[Network, int] = _NEVER,
    foreign: Mapping[str, int] = _NOBODY,
    blast: Blast | None = None,
    unfounded: Mapping[Network, str] = _NOTHING,
) -> Plan:
    """The changes of every target that is not off.

    `entries` are ours in each set now, expired or not, by name of the target; `foreign` counts the
    addresses of others there. `listed_before` counts earlier listings of networks that have left.
    `unfounded` entries leave, as nobody stands by them any more; it says why.
    With `blast`, additions that reach too many allowed requests are refused; without it, the plan
    says by a `blast_radius` of None that nobody looked.
    """
    now = aware(now)
    refused: list[Refusal] = []
    sets = [
        _state(
            target, entries.get(target.name, ()), foreign.get(target.name, 0), guard, unfounded, now
        )
        for target in targets
        if target.mode is not Mode.OFF
    ]
    admitted = _admitted(candidates, guard, refused)
    chosen = _chosen(admitted, sets, limits, blast, refused)
    changes = []
    for one in sets:
        wanted = {
            candidate.network: _entry(candidate, one.expired, listed_before, limits, now)
            for candidate in chosen
            if one.lacks(candidate.network)
        }
        _fit(one, wanted, limits.max_entries, refused)
        changes.append(_change(one, wanted, blast))
    added = {network for change in changes for network in change.add}
    radius = blast.share(added) if blast else None
    return Plan.of(window, now, tuple(changes), tuple(dict.fromkeys(refused)), radius)


def time_to_live(times: int, limits: Limits) -> timedelta:
    """How long a listing lasts: `ttl` the first time, `ttl_growth` times longer each time after,
    at most `max_ttl`."""
    lasting = limits.ttl
    for _ in range(times - 1):
        if lasting >= limits.max_ttl or limits.ttl_growth == 1:
            break
        lasting *= limits.ttl_growth
    return min(lasting, limits.max_ttl)


@dataclass(frozen=True)
class _State:
    """Our entries of a set by network: those that stay so far, those that expired, and those that
    leave with the reason. `foreign` counts the addresses of others."""

    target: IpSetTarget
    live: dict[Network, Entry]
    expired: dict[Network, Entry]
    leaving: dict[Network, str]
    foreign: int

    def lacks(self, network: Network) -> bool:
        """Whether the set could hold the network and no entry of ours does, nor a wider one."""
        if network.version != self.target.version:
            return False
        return not any(
            network.supernet(new_prefix=length) in self.live
            for length in self._lengths
            if length <= network.prefixlen
        )

    @cached_property
    def _lengths(self) -> frozenset[int]:
        return frozenset(one.prefixlen for one in self.live)


def _state(
    target: IpSetTarget,
    entries: Sequence[Entry],
    foreign: int,
    guard: Guard,
    unfounded: Mapping[Network, str],
    now: datetime,
) -> _State:
    networks = [entry.network for entry in entries]
    barred = {one: unfounded[one] for one in networks if one in unfounded}
    barred |= {one.network: one.why for one in guard.check(networks)}
    ours = {entry.network: entry for entry in entries if entry.network not in barred}
    live = {network: entry for network, entry in ours.items() if entry.expires_at > now}
    expired = {network: entry for network, entry in ours.items() if network not in live}
    return _State(target, live, expired, barred, foreign)


def _admitted(
    candidates: Iterable[Candidate], guard: Guard, refused: list[Refusal]
) -> list[Candidate]:
    """Candidates that the guard lets through, the strongest first, each network once."""
    admitted: dict[Network, Candidate] = {}
    for candidate in sorted(candidates, key=_strength):
        if candidate.network in admitted:
            continue
        if refusal := guard.judge(candidate):
            refused.append(refusal)
        else:
            admitted[candidate.network] = candidate
    return list(admitted.values())


def _chosen(
    admitted: Iterable[Candidate],
    sets: Sequence[_State],
    limits: Limits,
    blast: Blast | None,
    refused: list[Refusal],
) -> list[Candidate]:
    """The strongest of those that a set lacks, as many as one run may add, and no more than may be
    reached by `blast`."""
    chosen: list[Candidate] = []
    reached = 0
    for candidate in admitted:
        network = candidate.network
        if not any(one.lacks(network) for one in sets):
            continue
        if len(chosen) >= limits.max_new:
            why = f"the limit of {limits.max_new} new entries per run is reached"
            refused.append(Refusal(network, why))
        elif blast and (too_far := blast.too_far(network, reached, limits.max_blast_radius)):
            refused.append(Refusal(network, too_far))
        else:
            chosen.append(candidate)
            reached += blast.reached([network]) if blast else 0
    return _outermost(chosen, refused)


def _outermost(chosen: Sequence[Candidate], refused: list[Refusal]) -> list[Candidate]:
    """Without those that lie in the network of another."""
    networks = {one.network for one in chosen}
    lengths = sorted({network.prefixlen for network in networks})
    kept = []
    for one in chosen:
        wider = (
            one.network.supernet(new_prefix=length)
            for length in lengths
            if length < one.network.prefixlen
        )
        if around := next((network for network in wider if network in networks), None):
            refused.append(Refusal(one.network, f"lies in {around}, which is added"))
        else:
            kept.append(one)
    return kept


def _entry(
    candidate: Candidate,
    expired: Mapping[Network, Entry],
    listed_before: Mapping[Network, int],
    limits: Limits,
    now: datetime,
) -> Entry:
    network = candidate.network
    before = expired[network].times if network in expired else listed_before.get(network, 0)
    times = before + 1
    return Entry(network, now, now + time_to_live(times, limits), times, candidate.score)


def _fit(one: _State, wanted: dict[Network, Entry], most: int, refused: list[Refusal]) -> None:
    """Takes the least evidence out until the set has room; of equals a new entry goes first."""
    room = max(0, most - one.foreign)
    excess = len(wanted) + len(one.live) - room
    if excess <= 0:
        return
    ranked = sorted(
        (*wanted.values(), *one.live.values()),
        key=lambda entry: (
            entry.candidate_score,
            entry.network not in wanted,
            by_place(entry.network),
        ),
    )
    for entry in ranked[:excess]:
        network = entry.network
        if wanted.pop(network, None):
            why = f"{one.target.name} is full of stronger evidence ({room} entries)"
            refused.append(Refusal(network, why))
        else:
            del one.live[network]
            one.leaving[network] = f"least evidence of a full set ({room} entries)"


def _change(one: _State, wanted: Mapping[Network, Entry], blast: Blast | None) -> Change:
    expired = {
        network: f"expired {format_time(entry.expires_at)}"
        for network, entry in one.expired.items()
        if network not in wanted
    }
    remove = one.leaving | expired
    add = sorted(wanted, key=by_place)
    return Change(
        target=one.target.name,
        add=tuple(add),
        remove=tuple(sorted(remove, key=by_place)),
        keep=len(one.live),
        why={network: why_added(wanted[network], blast) for network in add} | remove,
        entries=tuple(wanted[network] for network in add),
    )


def why_added(entry: Entry, blast: Blast | None) -> str:
    """What is said of an entry that a plan adds."""
    why = f"score {entry.candidate_score:.1f}, listing {entry.times}, until"
    until = f"{why} {format_time(entry.expires_at)}"
    return f"{until}, {blast.reached([entry.network])} requests allowed before" if blast else until


def _strength(candidate: Candidate) -> tuple[float, int, str]:
    return -candidate.score, -candidate.evidence.blocked, str(candidate.network)
