"""A web server on loopback that answers as the test says and keeps what it was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Event, Thread


@dataclass(frozen=True)
class Reply:
    """`status` 0 hangs up without an answer; `hangs` never answers; `twice` answers again."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    twice: bool = False


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]
    body: bytes


class WebServer:
    """Gives `replies` in order, then 200."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.asked: list[Asked] = []
        self._replies = list(replies)
        self.over = Event()
        self.port = 0

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self._replies.pop(0) if self._replies else Reply()

    def url(self, host: str = "127.0.0.1", path: str = "/hook") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(*replies: Reply, tls: SSLContext | None = None) -> Iterator[WebServer]:
    server = WebServer(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = server.reply(Asked(self.path, dict(self.headers), body))
            if reply.hangs:
                server.over.wait(10)
            if reply.hangs or not reply.status:
                self.close_connection = True
                return
            for _ in range(1 + reply.twice):
                self.answer(reply)

        def answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server.port = http.server_address[1]
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        http.shutdown()
        http.server_close()
        thread.join()
