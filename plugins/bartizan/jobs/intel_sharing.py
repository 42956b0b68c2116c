"""Jobs around sharing: telling others whom we list, and hearing whom they do."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.config import PROJECT
from bartizan.errors import BartizanError, UsageError
from bartizan.jobs.here import open_store
from bartizan.model.window import format_time

if TYPE_CHECKING:
    from bartizan.model.indicator import Format, Indicator
    from bartizan.respond.share.config import Bounds, Receive, Send, SharingConfig
    from bartizan.respond.share.event import Statement
    from bartizan.respond.share.receive import Verdict
    from bartizan.store import Store
    from bartizan.store.intel_sharing import Said

_USUAL = PROJECT / "include" / "sharing.yaml"


def sharing_parts() -> list[str]:
    """Which of `receive` and `send` there is something said about in sharing.yaml."""
    config = _config()
    return [name for name in ("receive", "send") if getattr(config, name) is not None]


def export_intel(formats: Sequence[Format], out: str) -> dict[str, Any]:
    """Write whom we list now as feeds below a folder or s3:// prefix. Raises UsageError where
    that cannot be written."""
    from upath import UPath

    from bartizan.respond.share.feeds import write_feed

    config, (found, untold) = _config(), _indicators(open_store())
    files: dict[str, int] = {}
    for one in formats:
        files |= write_feed(UPath(out), one, found, config.organisation, config.mark)
    return {"out": out, "networks": len(found), "untold": untold, "files": files}


def send_intel(at: datetime, dry_run: bool) -> dict[str, Any]:
    """Tell every bus of `send` what it was not told yet, and take back what we list no more. A bus
    that fails holds up no other and is named under `failed`. While respond is stopped, it is only
    taken back. A dry run asks AWS nothing."""
    from bartizan.respond.switch import is_off

    config, store = _config(), open_store()
    send = config.send
    if send is None:
        raise _lacks("send", "name the buses of the receivers")
    stopped = is_off(store)
    buses, failed = [], {}
    for bus in send.buses:
        try:
            buses.append(_send(store, config, send, bus, at, stopped, dry_run))
        except BartizanError as error:
            failed[bus] = str(error)
    return {"stopped": stopped, "buses": buses, "failed": failed}


def receive_intel(at: datetime, dry_run: bool, file: Path | None = None) -> dict[str, Any]:
    """Take in the events of the queue of `receive`, or those of a file, one a line. What is not
    taken in is set aside with its reason; a dry run only tells and leaves the queue as it is."""
    receive = _config().receive
    if receive is None:
        raise _lacks("receive", "name the queue and the accounts")
    store = open_store()
    if file is not None:
        return _told(_from_file(store, file, receive.bounds(), at, dry_run))
    return _told(_from_queue(store, receive, at, dry_run))


def heard_intel(at: datetime, most: int = 20) -> dict[str, Any]:
    """What other accounts say and still mean, and the events that were set aside last."""
    from bartizan.store.intel_sharing import load_rejected, load_said

    store = open_store()
    return {
        "said": [_said(one) for one in load_said(store, at)],
        "set_aside": load_rejected(store, most),
    }


def _said(one: Said) -> dict[str, Any]:
    seen = one.candidate.evidence
    return {
        "account": one.account,
        "network": str(one.candidate.network),
        "score": one.candidate.score,
        "requests": seen.requests,
        "blocked": seen.blocked,
        "families": list(seen.rules),
        "at": format_time(one.at),
        "until": format_time(one.until),
    }


def _send(
    store: Store,
    config: SharingConfig,
    send: Send,
    bus: str,
    at: datetime,
    stopped: bool,
    dry_run: bool,
) -> dict[str, Any]:
    from bartizan.respond.share.aws import Aws, region_of
    from bartizan.respond.share.event import details, event_count, withdrawals
    from bartizan.respond.share.send import due, put, taken_back
    from bartizan.store.intel_sharing import load_listed, load_sent

    found, untold = _indicators(store)
    sent = load_sent(store, bus)
    wanted = [] if stopped else due(found, sent, at)
    gone = taken_back(sent, load_listed(store), at)
    told = {
        "bus": bus,
        "networks": len(wanted),
        "withdrawn": len(gone),
        "events": event_count(len(wanted), len(gone)),
        "untold": untold,
    }
    if dry_run or not told["events"]:
        return told
    aws = Aws(region_of(bus), send.role_arn, send.external_id)
    said, client = (aws.account(), at, config.mark), aws.client("events")
    refused = ""
    # Apart: a receiver that does not know what is taken back refuses a whole call.
    for events in (list(details(wanted, *said)), list(withdrawals(gone, *said))):
        for outcome in put(client, bus, events, at):
            if outcome.receipt:
                _note(store, bus, outcome.detail, at)
            refused = refused or outcome.why
    if refused:
        raise BartizanError(bus, f"refused an event: {refused}", "send again: the rest is noted")
    return told


def _note(store: Store, bus: str, detail: Statement, at: datetime) -> None:
    """What a bus took."""
    from bartizan.respond.share.event import Detail, Withdrawal
    from bartizan.store.intel_sharing import save_sent
    from bartizan.store.intel_withdrawn import forget_sent

    match detail:
        case Detail():
            ends = {one.network: one.expiresAt for one in detail.entries}
            save_sent(store, bus, detail.eventId, ends, at)
        case Withdrawal():
            forget_sent(store, bus, detail.networks)


def _indicators(store: Store) -> tuple[list[Indicator], int]:
    """What can be told, and how many entries cannot: others told us, or nobody kept why."""
    from bartizan.respond.share.send import indicators
    from bartizan.store.intel_sharing import load_evidence, load_listed

    listed = load_listed(store)
    found = indicators(listed, load_evidence(store))
    return found, len(listed) - len(found)


def _from_file(
    store: Store, file: Path, bounds: Bounds, at: datetime, dry_run: bool
) -> Iterator[Verdict]:
    from bartizan.respond.share.receive import judge, take

    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(str(file), f"cannot be read: {error.strerror}", "name another") from error
    for line in filter(None, lines):
        yield (judge if dry_run else take)(store, line, bounds, at)


def _from_queue(store: Store, receive: Receive, at: datetime, dry_run: bool) -> Iterator[Verdict]:
    from bartizan.respond.share.aws import Aws, region_of
    from bartizan.respond.share.queue import Queue
    from bartizan.respond.share.receive import judge, take

    aws = Aws(region_of(receive.queue), receive.role_arn, receive.external_id)
    queue, bounds = Queue(aws.client("sqs"), receive.queue), receive.bounds()
    seen = []
    for message in queue.messages():
        if dry_run:
            seen.append(message)
            yield judge(store, message.body, bounds, at)
        else:
            yield take(store, message.body, bounds, at)
            queue.take_out(message)
    for message in seen:
        queue.put_back(message)


def _told(verdicts: Iterable[Verdict]) -> dict[str, Any]:
    events: Counter[str] = Counter()
    networks: Counter[str] = Counter()
    withdrawn: Counter[str] = Counter()
    set_aside = []
    for one in verdicts:
        events[one.fault or "taken in"] += 1
        networks[one.account] += len(one.said)
        withdrawn[one.account] += len(one.withdrawn.networks) if one.withdrawn else 0
        if one.fault:
            set_aside.append({"fault": one.fault.value, "why": one.why})
    return {
        "events": dict(events),
        "networks": dict(+networks),
        "withdrawn": dict(+withdrawn),
        "set_aside": set_aside,
    }


def _config() -> SharingConfig:
    """The file named, or the usual one, or without it what stands for itself."""
    from bartizan.respond.share.config import SharingConfig, read_sharing

    named = os.environ.get("BARTIZAN_SHARING")
    if not named and not _USUAL.is_file():
        return SharingConfig()
    return read_sharing(_file())


def _file() -> Path:
    return Path(os.environ.get("BARTIZAN_SHARING") or _USUAL)


def _lacks(part: str, remedy: str) -> UsageError:
    if not _file().is_file():
        copy = "copy examples/sharing.yaml to it, or name another file by BARTIZAN_SHARING"
        return UsageError(str(_file()), "no such file, so nobody is told or heard", copy)
    return UsageError(str(_file()), f"has no `{part}`", remedy)
