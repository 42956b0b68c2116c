"""What other accounts say, brought before our own plan as evidence like any other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bartizan.model.intel import Candidate, Change, Entry, Network, Plan
from bartizan.respond.blast import Blast
from bartizan.respond.plan import why_added
from bartizan.store.database import Store
from bartizan.store.intel_sharing import Said, load_evidence, load_listed, load_said
from bartizan.store.intel_withdrawn import load_withdrawn

MOST = 20  # candidates that one account brings before a plan: none crowds out the others, or us


@dataclass(frozen=True)
class Heard:
    """Candidates that only others named, and until when they mean it."""

    candidates: tuple[Candidate, ...]
    until: Mapping[Network, datetime]

    def bounded(self, plan: Plan, blast: Blast) -> Plan:
        """The plan with every entry that we only heard of ending when its sender says so. `blast`
        is what our own logs say of them."""
        changes = tuple(self._bounded(change, blast) for change in plan.changes)
        return Plan.of(plan.window, plan.at, changes, plan.refused, plan.blast_radius)

    def _bounded(self, change: Change, blast: Blast) -> Change:
        entries = tuple(self._entry(one) for one in change.entries)
        reasons = {one.network: one.evidence.reasons for one in self.candidates}
        why = {
            one.network: f"heard from {', '.join(reasons[one.network])}: {why_added(one, blast)}"
            for one in entries
            if one.network in self.until
        }
        return replace(change, entries=entries, why={**change.why, **why})

    def _entry(self, entry: Entry) -> Entry:
        until = self.until.get(entry.network, entry.expires_at)
        return replace(entry, expires_at=min(entry.expires_at, until))


def hear(store: Store, own: Iterable[Candidate], at: datetime) -> Heard:
    """What others say at a time of networks that neither our own logs name nor a set holds."""
    known = {one.network for one in own} | load_listed(store).keys()
    return heard(load_said(store, at), known)


def taken_back(store: Store, at: datetime) -> dict[Network, str]:
    """Which networks that a set holds only others gave reason for, who took it back since."""
    listed = load_listed(store)
    back = {one: who for one, who in load_withdrawn(store, at).items() if one in listed}
    stand = load_evidence(store, back).keys() | {
        one.candidate.network for one in load_said(store, at)
    }
    return {
        network: f"account {', '.join(who)} took it back"
        for network, who in back.items()
        if network not in stand
    }


def heard(said: Iterable[Said], known: Collection[Network]) -> Heard:
    """The strongest of what each account says of networks that are not known. Of one that several
    name the strongest evidence counts, each of them is a reason, and the last end holds."""
    by_network: dict[Network, list[Said]] = defaultdict(list)
    brought: Counter[str] = Counter()
    for one in sorted(said, key=lambda one: (-one.candidate.score, str(one.candidate.network))):
        if one.candidate.network in known or brought[one.account] == MOST:
            continue
        brought[one.account] += 1
        by_network[one.candidate.network].append(one)
    return Heard(
        tuple(_merged(found) for found in by_network.values()),
        {network: max(one.until for one in found) for network, found in by_network.items()},
    )


def _merged(found: list[Said]) -> Candidate:
    strongest = found[0].candidate
    reasons = tuple(sorted({reason for one in found for reason in one.candidate.evidence.reasons}))
    return replace(strongest, evidence=replace(strongest.evidence, reasons=reasons))
