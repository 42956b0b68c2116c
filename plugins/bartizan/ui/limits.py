"""How much may be sent, and asked for at once."""

from __future__ import annotations

from asyncio import Semaphore
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 16 * 2**10  # a form of ours has less than one KiB
MOST_AT_ONCE = 8  # requests of one visitor; a browser sends six, one behind HTTP/2 any number
MOST_WAITING = 50


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
    nobody shall hold them all. Who asks for more waits, holding no thread: a browser that opens
    its tabs again may ask for many at once. For one event loop."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._free: dict[str, Semaphore] = {}

    @asynccontextmanager
    async def taken(self, name: str) -> AsyncIterator[None]:
        """Waits for a turn. Raises HTTPException 429 for somebody of whom MOST_WAITING wait."""
        if self._asked[name] >= MOST_AT_ONCE + MOST_WAITING:
            raise HTTPException(429, f"{MOST_WAITING} of your requests wait already.")
        self._asked[name] += 1
        try:
            async with self._free.setdefault(name, Semaphore(MOST_AT_ONCE)):
                yield
        finally:
            self._asked[name] -= 1
            if not self._asked[name]:
                del self._asked[name], self._free[name]
