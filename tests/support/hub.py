"""A small model hub on loopback: what huggingface_hub and a download ask of one, and misbehaviour on demand."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote, urlsplit

INFO = "(info)"
"""What faults call the request for a repository's list of files."""


@dataclass(frozen=True)
class Refusal:
    """An answer without what was asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Fault = (
    Refusal
    | Literal[
        "cut",  # promise all, close the connection after half of it
        "stall",  # promise all, send half, then nothing until the client hangs up
        "silence",  # send nothing until the client hangs up
        "no range",  # answer a range request with everything
        "wrong content",  # send other bytes of the same length
        "wrong size",  # send more bytes than are listed
    ]
)


@dataclass(frozen=True)
class SeenRequest:
    """A request; `port` tells the hub from its download server. Header names are In-Title-Case."""

    method: str
    port: int
    path: str
    headers: dict[str, str]


@dataclass
class Hub:
    """The running hub. `faults` by file name are used up one per request; `requests` came in this order.

    `lies` replaces what is listed of a file.

    Large files (`.bin`) are served from a second port, as a hub does. `stalled` is set when a stall or a
    silence has begun; `asked` is called with the name of each file before it is served.
    """

    url: str
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    lies: dict[str, dict[str, object]] = field(default_factory=dict)
    requests: list[SeenRequest] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    asked: Callable[[str], None] = field(default=lambda _: None)
    _commits: dict[str, dict[str, bytes]] = field(default_factory=dict, repr=False)
    _heads: dict[str, str] = field(default_factory=dict)
    _downloads_url: str = ""

    def publish(self, repository: str, files: Mapping[str, bytes]) -> str:
        """Make these files the newest commit of a repository and return its name."""
        commit = f"{len(self._commits):040x}"
        self._commits[commit] = dict(files)
        self._heads[repository] = commit
        return commit

    def bytes_asked_for(self, name: str) -> list[str | None]:
        """Return the ranges in which a file was asked for, None for all of it."""
        return [
            request.headers.get("Range") for request in self.requests if request.path.endswith(f"/{name}")
        ]

    def commit_of(self, repository: str, revision: str) -> str | None:
        head = self._heads.get(repository)
        return head if revision == "main" else revision if head and revision in self._commits else None


@contextmanager
def serve_hub() -> Iterator[Hub]:
    """Serve until the block is left."""
    with _Server(("127.0.0.1", 0), _Handler) as http, _Server(("127.0.0.1", 0), _Handler) as downloads:
        hub = Hub(
            f"http://127.0.0.1:{http.server_port}", _downloads_url=f"http://127.0.0.1:{downloads.server_port}"
        )
        servers = (http, downloads)
        threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers]
        for server, thread in zip(servers, threads, strict=True):
            server.hub = hub
            thread.start()
        try:
            yield hub
        finally:
            for server, thread in zip(servers, threads, strict=True):
                server.shutdown()
                thread.join()


def is_large(name: str) -> bool:
    """Tell whether a hub keeps a file in its large file storage, where its SHA-256 is known."""
    return name.endswith(".bin")


def git_blob(content: bytes) -> str:
    """Return the name that git gives to a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class _Server(ThreadingHTTPServer):
    hub: Hub
    daemon_threads = False  # leaving the server waits for each answer: no socket is left open

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        hub = self.server.hub
        path = unquote(urlsplit(self.path).path)
        headers = {name.title(): value for name, value in self.headers.items()}
        hub.requests.append(SeenRequest(self.command, self.server.server_port, path, headers))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
            self._tell_info(found[1], found[2])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(found[1], found[2], found[3])
        elif found := re.fullmatch(r"/large/([^/]+)/(.+)", path):
            self._send(found[2], hub._commits[found[1]][found[2]], {})
        else:
            self._answer(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""

    def _tell_info(self, repository: str, revision: str) -> None:
        fault = self._next_fault(INFO)
        commit = self.server.hub.commit_of(repository, revision)
        if isinstance(fault, Refusal):
            self._answer(fault.status, fault.body, fault.headers)
        elif fault == "silence":
            self._wait_for_hang_up()
        elif commit is None:
            code = "RevisionNotFound" if self.server.hub.commit_of(repository, "main") else "RepoNotFound"
            self._answer(404, headers={"X-Error-Code": code})
        else:
            hub = self.server.hub
            listed = [
                {**_sibling(name, content), **hub.lies.get(name, {})}
                for name, content in hub._commits[commit].items()
            ]
            info = {"id": repository, "sha": commit, "siblings": listed}
            self._answer(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _resolve(self, repository: str, revision: str, name: str) -> None:
        hub = self.server.hub
        hub.asked(name)
        commit = hub.commit_of(repository, revision)
        fault = hub.faults.get(name, [None])[:1]
        if fault and isinstance(fault[0], Refusal):
            hub.faults[name].pop(0)
            self._answer(fault[0].status, fault[0].body, fault[0].headers)
        elif commit is None or name not in hub._commits[commit]:
            self._answer(404, headers={"X-Error-Code": "EntryNotFound"})
        elif is_large(name):
            content = hub._commits[commit][name]
            linked = {
                "X-Linked-Size": str(len(content)),
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
            }
            location = f"{hub._downloads_url}/large/{commit}/{name}"
            self._answer(302, headers={"X-Repo-Commit": commit, "Location": location, **linked})
        else:
            content = hub._commits[commit][name]
            headers = {"X-Repo-Commit": commit, "ETag": f'"{git_blob(content)}"'}
            self._send(name, content, headers)

    def _send(self, name: str, content: bytes, headers: Mapping[str, str]) -> None:
        fault = self._next_fault(name) if self.command == "GET" else None
        if fault == "silence":
            self._wait_for_hang_up()
            return
        if fault == "wrong content":
            content = bytes(byte ^ 1 for byte in content)
        elif fault == "wrong size":
            content += b"and more"
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted and fault != "no range" else 0
        if start:
            content_range = f"bytes {start}-{len(content) - 1}/{len(content)}"
            headers = {**headers, "Content-Range": content_range}
        self._answer(206 if start else 200, content[start:], headers, fault)

    def _answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, fault: object = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[: len(body) // 2] if fault in {"cut", "stall"} else body)
        if fault == "stall":
            self.wfile.flush()
            self._wait_for_hang_up()

    def _next_fault(self, name: str) -> Fault | None:
        faults = self.server.hub.faults.get(name)
        return faults.pop(0) if faults else None

    def _wait_for_hang_up(self) -> None:
        self.server.hub.stalled.set()
        self.connection.recv(1)


def _sibling(name: str, content: bytes) -> dict[str, object]:
    sibling: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git_blob(content)}
    if is_large(name):
        sha256 = hashlib.sha256(content).hexdigest()
        sibling["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
    return sibling
