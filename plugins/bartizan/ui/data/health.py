"""Data health: what came in on a day, how far each step is, what the checks found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bartizan.model.landing import BatchState
from bartizan.model.window import DAY, floor
from bartizan.store import Store
from bartizan.store.object_days import LandedObject, last_landed, late_of, objects_of
from bartizan.store.reconciliation import Reconciled, reconciled, unbalanced
from bartizan.store.validations import CheckResult, outcomes
from bartizan.ui.data.steps import Step, batch_states, rejected, steps


@dataclass(frozen=True)
class Cell:
    """What was delivered to a place in an hour; `waiting` objects are not published yet."""

    objects: int
    requests: int
    duplicates: int
    quarantined: int
    waiting: int

    @classmethod
    def of(cls, objects: Sequence[LandedObject]) -> Cell:
        return cls(
            len(objects),
            sum(one.requests for one in objects),
            sum(one.duplicates for one in objects),
            sum(one.quarantined for one in objects),
            sum(one.state is not BatchState.PUBLISHED for one in objects),
        )

    @property
    def word(self) -> str:
        """What stands out: quarantined, waiting, duplicates, fine, or nothing at all."""
        if self.quarantined:
            return "quarantined"
        if self.waiting:
            return "waiting"
        if self.duplicates:
            return "duplicates"
        return "fine" if self.objects else "nothing"


@dataclass(frozen=True)
class Place:
    """A web ACL as the paths of its logs name it, hour by hour; `above` are the folders over it."""

    name: str
    above: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Health:
    """`late` are requests too late for their hour, by hour of the day. `unbalanced` batches and
    objects have records that are not accounted for: it must be 0."""

    day: datetime
    last_landed: datetime | None
    places: tuple[Place, ...]
    late: tuple[int, ...]
    steps: tuple[Step, ...]
    batches: dict[str, int]
    rejected: dict[str, str]
    unbalanced: int
    checks: tuple[CheckResult, ...]
    reconciled: Reconciled

    @property
    def before(self) -> datetime:
        return self.day - DAY

    @property
    def after(self) -> datetime | None:
        """The next day, None after the last that has data."""
        is_last = self.last_landed is None or self.day + DAY > self.last_landed
        return None if is_last else self.day + DAY

    @property
    def silent_for(self) -> Counter[str]:
        """Hours of the day up to the last landed one in which a place delivered nothing."""
        found: Counter[str] = Counter()
        for place in self.places:
            for hour, cell in enumerate(place.cells):
                at = self.day + timedelta(hours=hour)
                if self.last_landed and at <= self.last_landed and not cell.objects:
                    found[place.name] += 1
        return found


def health(store: Store, at: datetime, day: datetime | None = None) -> Health:
    """Of the UTC day that holds `day`, else of the last that has data."""
    last = last_landed(store)
    chosen = floor(day or last or at, DAY)
    late = late_of(store, chosen)
    return Health(
        day=chosen,
        last_landed=last,
        places=places(objects_of(store, chosen)),
        late=tuple(late.get(chosen + timedelta(hours=hour), 0) for hour in range(24)),
        steps=steps(store, at),
        batches=batch_states(store),
        rejected=rejected(store),
        unbalanced=unbalanced(store),
        checks=tuple(outcomes(store)),
        reconciled=reconciled(store, worst=10),
    )


def places(objects: Iterable[LandedObject]) -> tuple[Place, ...]:
    """Every place that the objects name, by name."""
    hours: dict[str, list[list[LandedObject]]] = {}
    for one in objects:
        hours.setdefault(one.place, [[] for _ in range(24)])[one.hour.hour].append(one)
    found = []
    for path, delivered in hours.items():
        above, _, name = path.rpartition("/")
        found.append(Place(name, above, tuple(map(Cell.of, delivered))))
    return tuple(sorted(found, key=lambda place: (place.name, place.above)))
