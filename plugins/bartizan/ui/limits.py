"""How much may be sent, and asked for at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 16 * 2**10  # a form of ours has less than one KiB
MOST_AT_ONCE = 8  # requests of one visitor; a browser sends six


class SmallBodies:
    """ASGI middleware that stops to read what is larger: bodies are read before it is known who
    sends them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def receive_some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:
                raise HTTPException(413, f"More than {MOST_BYTES} bytes were sent.")
            return message

        await self._app(scope, receive_some, send)


class Turns:
    """Who has how many requests under way: views share the threads of Airflow's own API, and
    nobody shall hold them all. For one event loop."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, name: str) -> Iterator[None]:
        """Raises HTTPException 429 for somebody who has MOST_AT_ONCE."""
        if self._taken[name] >= MOST_AT_ONCE:
            raise HTTPException(429, f"You have {MOST_AT_ONCE} requests under way.")
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]
