"""An SMTP server on loopback, with as much of RFC 5321 as a client uses, that keeps the mail.

With a context it offers STARTTLS (RFC 3207), with an account AUTH PLAIN (RFC 4954), after TLS only.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from ssl import SSLContext
from threading import Thread


@dataclass
class MailServer:
    """`refusals` answers a command (MAIL, RCPT, DATA, .) with another line; "" hangs up. `account`
    is a name and its password, `clear` are commands that came without TLS."""

    refusals: dict[str, str] = field(default_factory=dict)
    tls: SSLContext | None = None
    account: tuple[str, str] | None = None
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    clear: list[str] = field(default_factory=list)
    port: int = 0

    def takes(self, proof: str) -> bool:
        """Whether an AUTH PLAIN is of the account."""
        plain = "\0".join(("", *self.account)) if self.account else ""
        return bool(plain) and proof == b64encode(plain.encode()).decode()


@contextmanager
def receiving(
    tls: SSLContext | None = None, account: tuple[str, str] | None = None, **refusals: str
) -> Iterator[MailServer]:
    answers = {name.replace("dot", "."): text for name, text in refusals.items()}
    house = MailServer(answers, tls, account)

    class Session(StreamRequestHandler):
        def handle(self) -> None:
            self.is_safe = False
            self._say("220 here")
            try:
                self._talk()
            except OSError:  # the client left, as from a certificate that it does not trust
                return

        def _talk(self) -> None:
            while line := self.rfile.readline().decode().strip():
                command = line.split(":", maxsplit=1)[0].split()[0].upper()
                if not self.is_safe:
                    house.clear.append(command)
                if command in house.refusals:
                    if not house.refusals[command]:
                        return
                    self._say(house.refusals[command])
                elif command == "EHLO":
                    self._say("250-here", *(f"250-{name}" for name in self._offers()), "250 HELP")
                elif command == "STARTTLS" and house.tls is not None:
                    self._say("220 go on")
                    self._secure(house.tls)
                elif command == "AUTH":
                    taken = house.takes(line.split()[-1])
                    self._say("235 ok" if taken else f"535 no: {line}")
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

        def _offers(self) -> list[str]:
            if house.tls is not None and not self.is_safe:
                return ["STARTTLS"]
            return ["AUTH PLAIN"] if house.account else []

        def _secure(self, tls: SSLContext) -> None:
            self.connection = tls.wrap_socket(self.request, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
            self.is_safe = True

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

        def _say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
            self.wfile.flush()

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
