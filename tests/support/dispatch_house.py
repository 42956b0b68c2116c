"""A store with incidents, channels that tests watch, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from copied import store_at
from incidents import anomaly, incident
from sqlalchemy import select
from upath import UPath

from bartizan.dispatch.channels import SHAPES
from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Shape, Site
from bartizan.dispatch.channels.folder import DIGESTS, FolderChannel
from bartizan.dispatch.context import Context
from bartizan.dispatch.delivery import DispatchResult, Plan, dispatch
from bartizan.dispatch.digest import Digest
from bartizan.dispatch.rulebook import EVERYTHING, CatchUp, Flapping, Quiet, Rule, Rulebook
from bartizan.dispatch.shapes import confirmation, digest, lookout_event
from bartizan.model.anomaly import Incident
from bartizan.model.confirmation import Confirmation
from bartizan.model.handling import Handling, HandlingKind
from bartizan.model.period import Period
from bartizan.model.stand import Stand
from bartizan.model.window import Window
from bartizan.store import Store, tables
from bartizan.store.handling import load_handling, save_handling
from bartizan.store.incidents import replace_incidents, save_explanation, unexplained
from bartizan.store.outbox import Message

HIGH = incident([anomaly(3, {"webacl": "shop", "rule": "SQLi"}, severity=93)])
LOW = incident([anomaly(40, {"webacl": "blog", "rule": "Geo"}, severity=65)])
DAY = Window(HIGH.window.start - timedelta(hours=1), HIGH.window.start + timedelta(days=1))
START = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
CONTEXT = Context(account_id="111122223333")


class TurnedClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


class Recorder(Channel):
    """Keeps what is sent; `answer` decides what becomes of it."""

    def __init__(
        self,
        answer: Callable[[Outgoing], Outcome] | None = None,
        shape: Shape = lookout_event.shape,
    ) -> None:
        self.sent: list[Outgoing] = []
        self.answer, self._shape = answer or (lambda one: Outcome.delivered(one.message.key)), shape

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return self._shape(incident, context, change)

    def digest(self, found: Digest, context: Context) -> Payload:
        return digest.webhook(found, context)

    def confirmation(self, found: Confirmation, context: Context) -> Payload:
        return confirmation.slack(found, context)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        self.sent += batch
        return [self.answer(one) for one in batch]

    @property
    def keys(self) -> list[tuple[int, str]]:
        return [(one.message.change, one.message.incident_id) for one in self.sent]


class DispatchHouse:
    """A store, an outbox folder, a clock."""

    def __init__(self, root: Path, store: Store | None = None) -> None:
        self.store = store or store_at(root)
        self.folder = root / "outbox"
        self.clock = TurnedClock()

    def site(self, **secrets: str) -> Site:
        return Site(lambda name: secrets[name], UPath(self.folder), self.clock)

    def found(self, *incidents: Incident, explained: bool = True) -> None:
        """Found, and explained."""
        replace_incidents(self.store, HIGH.detector, DAY, incidents)
        for one in unexplained(self.store) if explained else ():
            save_explanation(self.store, one.incident, one.change)

    def handle(
        self,
        kind: HandlingKind,
        hours: float | None = None,
        one: Incident = HIGH,
        by: str = "Ada",
        why: str = "known scanner",
    ) -> None:
        """Somebody does something about an incident now, a snooze for so many hours."""
        now = self.clock.now
        until = None if hours is None else now + timedelta(hours=hours)
        number = len(load_handling(self.store, one.id)) + 1
        done = Handling(one.id, number, kind, by, why, now, until, Stand.of(one))
        save_handling(self.store, done)

    def folders(self, *names: str) -> dict[str, Channel]:
        chosen = names or tuple(SHAPES)
        folder = UPath(self.folder)
        return {name: FolderChannel(folder, SHAPES[name], DIGESTS.get(name)) for name in chosen}

    def plan(
        self,
        channels: Mapping[str, Channel],
        rules: Sequence[Rule] = EVERYTHING,
        threshold: float = 70,
        context: Context = CONTEXT,
        quiet: Sequence[Quiet] = (),
        digests: Mapping[str, Period] = MappingProxyType({}),
        confirms: Collection[str] = (),
        flapping: Flapping | None = None,
        catch_up: CatchUp | None = None,
    ) -> Plan:
        book = Rulebook(rules, quiet, {HIGH.detector: threshold}, flapping, catch_up)
        return Plan(channels, book, context, digests=digests, confirms=frozenset(confirms))

    def dispatch(self, channels: Mapping[str, Channel], **options: Any) -> DispatchResult:
        return dispatch(self.store, self.plan(channels, **options), self.clock)

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def states(self, channel: str | None = None) -> list[tuple[int, str]]:
        """Change and state of every message (of a channel), in order."""
        query = select(tables.outbox.c["change", "state"]).order_by(*tables.outbox.primary_key)
        if channel is not None:
            query = query.where(tables.outbox.c.channel == channel)
        with self.store.transaction() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        query = select(*(tables.outbox.c[name] for name in columns))
        with self.store.transaction() as connection:
            found = [
                tuple(row) for row in connection.execute(query.order_by(*tables.outbox.primary_key))
            ]
        return found

    def attempts(self) -> list[tuple[str, int, str]]:
        """Channel, number and result of every attempt, in order."""
        table = tables.outbox_attempts
        query = select(table.c["channel", "number", "result"]).order_by(*table.primary_key)
        with self.store.transaction() as connection:
            return [tuple(row) for row in connection.execute(query)]


def outgoing(
    payload: Payload, one: Incident = HIGH, change: int = 1, channel: str = "there", **options: Any
) -> Outgoing:
    return Outgoing(Message(one.id, change, channel), payload, **options)
