"""A small HTTP server on loopback that serves bytes and ranges of them, and misbehaves on demand."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote

Fault = (
    int  # answer with this status
    | Literal[
        "cut",  # promise all, close the connection after half of it
        "short",  # promise nothing, close the connection after half
        "stall",  # promise all, send half, then nothing until the client hangs up
        "no range",  # answer a range request with everything
        "wrong range",  # answer a range request with another range
        "wrong content",  # send other bytes of the same length
    ]
)


@dataclass(frozen=True)
class Page:
    """What is served at a path; with a `location`, a redirect."""

    body: bytes = b""
    content_type: str = "application/octet-stream"
    location: str = ""


@dataclass(frozen=True)
class SeenRequest:
    path: str
    headers: dict[str, str]


@dataclass
class FileServer:
    """The running server: `faults` are used up one per request; `requests` came in this order."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[SeenRequest] = field(default_factory=list)


@contextmanager
def serve() -> Iterator[FileServer]:
    """Serve until the block is left."""
    with _QuietServer(("127.0.0.1", 0), _Handler) as http:
        http.files = FileServer(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield http.files
        finally:
            http.shutdown()
            thread.join()


class _QuietServer(ThreadingHTTPServer):
    files: FileServer
    daemon_threads = False  # leaving the server waits for each answer: no socket is left open

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: _QuietServer

    def do_GET(self) -> None:
        files = self.server.files
        files.requests.append(SeenRequest(self.path, dict(self.headers)))
        fault = files.faults.pop(0) if files.faults else None
        page = files.pages.get(unquote(self.path))
        if isinstance(fault, int):
            self._answer(fault, b"")
        elif page is None:
            self._answer(404, b"")
        elif page.location:
            self._answer(302, b"", {"Location": page.location})
        else:
            self._send(page, fault)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""

    def _send(self, page: Page, fault: Fault | None) -> None:
        body = bytes(byte ^ 1 for byte in page.body) if fault == "wrong content" else page.body
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted is None or fault == "no range":
            self._answer(200, body, {"Content-Type": page.content_type}, fault)
            return
        start = 0 if fault == "wrong range" else int(wanted[1])
        if start >= len(body):
            self._answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            return
        content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self._answer(
            206, body[start:], {"Content-Type": page.content_type, "Content-Range": content_range}, fault
        )

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, fault: Fault | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if fault != "short":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2 if fault in {"cut", "short", "stall"} else len(body)
        self.wfile.write(body[:half])
        if fault == "stall":
            self.connection.recv(1)
