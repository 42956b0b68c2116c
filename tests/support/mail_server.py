"""An SMTP server on loopback, with as much of RFC 5321 as a client uses, that keeps the mail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


@dataclass
class MailServer:
    """`refusals` answers a command (MAIL, RCPT, DATA, .) with another line; "" hangs up."""

    refusals: dict[str, str] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def receiving(**refusals: str) -> Iterator[MailServer]:
    house = MailServer({name.replace("dot", "."): text for name, text in refusals.items()})

    class Session(StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                command = line.split(":", maxsplit=1)[0].split()[0].upper()
                if command in house.refusals:
                    if not house.refusals[command]:
                        return
                    self._say(house.refusals[command])
                elif command == "DATA":
                    self._say("354 go on")
                    if not self._take():
                        return
                elif command == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    if command == "RCPT":
                        house.recipients.append(line.split("<")[1].split(">")[0])
                    self._say("250 ok")

        def _take(self) -> bool:
            lines = iter(self.rfile.readline, b".\r\n")
            mail = b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
            if not house.refusals.get(".", "250 ok"):
                house.mails.append(mail)  # taken, but nobody hears of it
                return False
            if "." not in house.refusals:
                house.mails.append(mail)
            self._say(house.refusals.get(".", "250 ok"))
            return True

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = ThreadingTCPServer(("127.0.0.1", 0), Session)
    server.daemon_threads = True
    house.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield house
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
