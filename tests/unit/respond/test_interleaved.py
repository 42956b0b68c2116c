"""Two installations and a person at work on one IP set, in every order: nobody loses an entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from respond_house import HOUR, NOON, Meddled, RespondHouse, plan_of

from bartizan.store import Store
from bartizan.store.intel import ChangeState, held, load_changes

POOL = [f"198.51.100.{n}/32" for n in range(3)]  # both installations block these
THEIRS = [f"192.0.2.{n}/32" for n in range(4)]  # only the person does
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Step:
    """What one of the two does, and what comes between its read and its write."""

    who: int
    does: str  # apply, expire, undo, edit
    networks: frozenset[str]
    between: Step | None = None


networks = st.frozensets(st.sampled_from(POOL), min_size=1)
edits = st.builds(Step, st.just(0), st.just("edit"), st.frozensets(st.sampled_from(THEIRS)))
single = st.builds(
    Step, st.integers(0, 1), st.sampled_from(["apply", "apply", "expire", "undo"]), networks
)
steps = st.builds(
    lambda one, between: Step(one.who, one.does, one.networks, between),
    single,
    st.one_of(st.none(), edits, single),
)


class Meeting:
    """One IP set, the stores of two installations, and what the person wants in it."""

    def __init__(self, folder: Path) -> None:
        self.house = RespondHouse(folder)
        self.stores = [self.house.store, Store.open(f"sqlite:///{folder / 'other.db'}")]
        self.now, self.theirs = NOON, set[str]()

    def take(self, step: Step) -> None:
        self.now += MINUTE
        if step.does == "edit":
            self._edit(step.networks)
        else:
            self._change(step, self.now)

    def _edit(self, wanted: frozenset[str]) -> None:
        self.house.foreign(add=wanted - self.theirs, remove=self.theirs - wanted)
        self.theirs = set(wanted)

    def _change(self, step: Step, at: datetime) -> None:
        """Another installation, or the same one after the other has let its set go."""
        between = step.between
        later: list[Callable[[], None]] = []
        if between and (between.does == "edit" or between.who != step.who):
            later = [lambda: self.take(between)]
        ip_set = Meddled(self.house.target, *later)
        self.house.store = self.stores[step.who]
        if step.does == "apply":
            self.house.apply(plan_of(sorted(step.networks), hours=1, at=at), at, ip_set)
        elif step.does == "expire":
            self.house.expire(at + HOUR, ip_set)
        else:
            self._undo(step.who, at)

    def _undo(self, who: int, at: datetime) -> None:
        done = [
            one
            for one in load_changes(self.stores[who], 99)
            if one.kind == "apply" and one.state is ChangeState.DONE
        ]
        if done:
            self.house.undo(done[0], at)

    def held(self) -> list[set[str]]:
        return [{str(one) for one in held(store, "shop")} for store in self.stores]


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(taken=st.lists(st.one_of(steps, steps, edits), min_size=2, max_size=6))
def test_set_and_ledgers_agree_whatever_comes_between(endpoint: str, taken: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        meeting = Meeting(Path(folder))
        for step in taken:
            meeting.take(step)
        one, other = meeting.held()
        found = meeting.house.addresses()
        assert one & other == set()  # each entry has one owner
        assert set(found) == one | other | meeting.theirs
        assert len(found) == len(set(found))
        for store in meeting.stores:
            meeting.house.store = store
            meeting.house.expire(meeting.now + 9 * HOUR)
        assert set(meeting.house.addresses()) == meeting.theirs
