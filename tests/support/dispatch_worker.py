"""Workers that dispatch and are killed, importable by the processes that tests start."""

from __future__ import annotations

import os
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

from dispatch_house import DispatchHouse
from landing_worker import Kill

from bartizan.dispatch.channels.webhook import Webhook, WebhookOptions


def processes() -> ForkServerContext:
    """Starts processes of their own that have everything imported: in milliseconds."""
    support = Path(__file__).parent
    paths = [str(support), str(support.parents[1] / "plugins")]
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    context = get_context("forkserver")
    context.set_forkserver_preload(["dispatch_worker"])
    return context


def dispatch_to(root: Path, url: str, minutes: int) -> None:
    """Dispatch the house in `root` to webhooks at a URL, some minutes after its start."""
    house = DispatchHouse(root)
    house.clock.turn(minutes=minutes)
    options = WebhookOptions(kind="webhook", url=url, secret="hook", allow=["127.0.0.1"])
    house.dispatch({"hook": Webhook(options, house.site(hook="key"))})


def dispatch_killed(root: Path, url: str, kill: Kill) -> None:
    """Dispatch until killed."""
    kill.arm()
    dispatch_to(root, url, 0)


def dispatch_together(root: Path, url: str, barrier: object) -> None:
    """Dispatch at the same moment as another worker."""
    barrier.wait(30)  # type: ignore[attr-defined]
    dispatch_to(root, url, 0)
