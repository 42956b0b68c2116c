"""Security Hub on loopback, with as much as its user guide says of findings that people work on.

An import with a newer `UpdatedAt` updates a finding, and leaves `Workflow` and `Note` as they are;
archived and active again, NOTIFIED and RESOLVED become NEW. GetFindings filters, joins values of an
attribute by or and attributes by and, and answers in pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

_FIELDS = {"WorkflowStatus": ("Workflow", "Status")}  # of filters that name an inner value
_OF_PEOPLE = {"Note", "UserDefinedFields", "VerificationState", "Workflow"}


@dataclass
class Hub:
    """`refuses` answers every GetFindings with this error code; `page` is the most it returns."""

    url: str = ""
    refuses: str = ""
    page: int = 100
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, body))
        if path == "/findings/import":
            for one in body["Findings"]:
                assert not _OF_PEOPLE & set(one)
                self._import(one)
            return 200, {"FailedCount": 0, "SuccessCount": len(body["Findings"])}
        if path == "/findings/batchupdate":
            for one in body.pop("FindingIdentifiers"):
                self.findings[one["Id"]].update(body)
            return 200, {"ProcessedFindings": [], "UnprocessedFindings": []}
        if self.refuses:
            return 403, {"__type": self.refuses, "Message": "not allowed"}
        return 200, self._page(body)

    def _import(self, one: dict[str, Any]) -> None:
        before = self.findings.setdefault(one["Id"], {"Workflow": {"Status": "NEW"}})
        if before.get("UpdatedAt", "") >= one["UpdatedAt"]:
            return
        opened = (before.get("RecordState"), one["RecordState"]) == ("ARCHIVED", "ACTIVE")
        if opened and before["Workflow"]["Status"] != "SUPPRESSED":
            before["Workflow"] = {"Status": "NEW"}
        before.update(one)

    def _page(self, body: dict[str, Any]) -> dict[str, Any]:
        most, first = min(body["MaxResults"], self.page), int(body.get("NextToken", 0))
        found = [one for one in self.findings.values() if _passes(one, body["Filters"])]
        more = {"NextToken": str(first + most)} if first + most < len(found) else {}
        return {"Findings": found[first : first + most]} | more


def _passes(finding: dict[str, Any], filters: dict[str, list[dict[str, str]]]) -> bool:
    return all(
        any(_fits(_value(finding, name), one["Value"], one["Comparison"]) for one in values)
        for name, values in filters.items()
    )


def _fits(found: str, value: str, comparison: str) -> bool:
    return found.startswith(value) if comparison == "PREFIX" else found == value


def _value(finding: dict[str, Any], name: str) -> str:
    value: Any = finding
    for key in _FIELDS.get(name, (name,)):
        value = value[key]
    return str(value)


@contextmanager
def standing_in() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = hub.answer(self.path, body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_PATCH = do_POST

        def log_message(self, *_args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
