"""How much may be sent: bodies are read before it is known who sends them."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 16 * 2**10  # a form of ours has less than one KiB


class SmallBodies:
    """ASGI middleware that stops to read what is larger."""

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
