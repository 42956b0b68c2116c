"""Whether a network may be blocked: every refusal says why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bartizan.model.intel import Candidate, Network, Refusal
from bartizan.respond.config import Limits
from bartizan.respond.never_block import NeverBlock


@dataclass(frozen=True)
class Guard:
    """`judge` is asked when planning, `check` again when applying."""

    never_block: NeverBlock
    limits: Limits

    def judge(self, candidate: Candidate) -> Refusal | None:
        """Why the candidate may not be blocked: its evidence first, the never-block list last."""
        why = next(self._lacking(candidate), None) or self._barred(candidate.network)
        return Refusal(candidate.network, why) if why else None

    def check(self, networks: Iterable[Network]) -> list[Refusal]:
        """Those that may not be blocked whatever the evidence: too wide, or on the list."""
        return [Refusal(network, why) for network in networks if (why := self._barred(network))]

    def _lacking(self, candidate: Candidate) -> Iterator[str]:
        evidence, limits = candidate.evidence, self.limits
        breadth = max(len(evidence.rules), evidence.uris)
        if evidence.blocked < limits.min_blocked:
            yield f"{evidence.blocked} blocked requests are fewer than {limits.min_blocked}"
        if evidence.hours < limits.min_hours:
            yield f"blocked in {evidence.hours} hours, fewer than {limits.min_hours}"
        if breadth < limits.min_breadth:
            yield f"{breadth} rules or paths are fewer than {limits.min_breadth}"
        if evidence.blocked_share < limits.min_blocked_share:
            yield (
                f"only {evidence.blocked_share:.1%} of its requests were blocked, real users may "
                f"share it (at least {limits.min_blocked_share:.1%})"
            )
        if 0 < evidence.addresses < limits.min_addresses:
            yield f"{evidence.addresses} stopped addresses are fewer than {limits.min_addresses}"
        if candidate.score < limits.min_score:
            yield f"score {candidate.score:.1f} is below {limits.min_score:g}"

    def _barred(self, network: Network) -> str | None:
        widest = self.limits.widest_ipv4 if network.version == 4 else self.limits.widest_ipv6
        if network.prefixlen < widest:
            return f"/{network.prefixlen} is wider than /{widest}"
        return self.never_block.why(network)
