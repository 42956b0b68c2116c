"""HTTP on loopback that speaks the AWS JSON 1.1 protocol, as far as boto3 needs it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any

Operation = Callable[[dict[str, Any]], dict[str, Any]]  # request members to response members
Api = Mapping[str, Operation]  # operations by their AWS name, such as "StartQueryExecution"


class AwsError(Exception):
    """An error of the service: boto3 raises ClientError with this code and message."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(message)
        self.body = {"__type": code, "message": message, "Message": message, **members}


@contextmanager
def serve(apis: Mapping[str, Api]) -> Iterator[str]:
    """The endpoint URL of a server for `apis`, by the prefix of X-Amz-Target.

    The prefixes of interest are `AmazonAthena` and `RedshiftData`. An operation runs in the
    request's own thread; what one raises beside AwsError becomes an InternalServerException.
    """
    server = _Server(("127.0.0.1", 0), _handler(apis))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Closing it ends the connections that clients keep open, and waits for their threads."""

    daemon_threads = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._connections: set[socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):  # its client has gone already
                connection.shutdown(SHUT_RDWR)
        super().server_close()


def _handler(apis: Mapping[str, Api]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            prefix, _, name = self.headers.get("X-Amz-Target", "").partition(".")
            try:
                self._answer(200, _operation(apis, prefix, name)(json.loads(request or b"{}")))
            except AwsError as error:
                self._answer(400, error.body)
            except Exception as error:  # a defect of the stand-in: shown to the test, not hidden
                text = f"{type(error).__name__}: {error}"
                self._answer(500, {"__type": "InternalServerException", "message": text})

        def _answer(self, status: int, members: Mapping[str, Any]) -> None:
            body = json.dumps(members).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: requests are no news."""

    return Handler


def _operation(apis: Mapping[str, Api], prefix: str, name: str) -> Operation:
    try:
        return apis[prefix][name]
    except KeyError:
        raise AwsError("UnknownOperationException", f"{prefix}.{name} is not played") from None
