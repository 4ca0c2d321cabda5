"""An editor for tests: speaks LSP over stdio with a real `phial serve` and keeps all that it hears."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from support.processes import PHIAL

Json = dict[str, Any]

PATIENCE = 60.0
"""Seconds to wait for any message: a host starts and loads in that time on a busy machine."""


class ResponseError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


@dataclass
class Editor:
    """One window. `heard` holds every message of the server; `configuration` is told to one who asks."""

    process: Process
    log: Path
    configuration: Any = None
    refuses: frozenset[str] = frozenset()
    """Methods of requests of the server that this window answers with an error."""
    chooses: str | None = None
    """What the user of this window clicks in a message that asks."""
    heard: list[Json] = field(default_factory=list)
    over: str = ""
    """Why no more messages come, once none do."""
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _changed: anyio.Event = field(default_factory=anyio.Event)

    async def initialize(self, settings: Any = None, capabilities: Json | None = None) -> Json:
        """Shake hands and return the server's capabilities."""
        params = {
            "processId": os.getpid(),
            "rootUri": None,
            "capabilities": capabilities or {},
            "initializationOptions": settings,
        }
        result = await self.request("initialize", params)
        self.notify("initialized", {})
        return dict(result["capabilities"])

    def open(self, text: str, uri: str = "file:///work/a.py", language: str = "python") -> str:
        """Open a document and return its URI."""
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    async def complete(self, uri: str, line: int, character: int, *, unasked: bool = False) -> str | None:
        """Return the ghost text at a position, or None."""
        params = completion_params(uri, line, character, unasked=unasked)
        found = await self.request("textDocument/inlineCompletion", params)
        return str(found["items"][0]["insertText"]) if found else None

    async def chat(self, question: str = "", **params: Any) -> Json:
        """Answer a question."""
        return dict(await self.request("phial/chat", {"question": question, **params}))

    async def until_ready(self) -> Json:
        """Wait for the model and return the status."""
        status = await self.status("ready", "failed")
        assert status["state"] == "ready", status
        return status

    async def status(self, *states: str, since: int = 0) -> Json:
        """Wait until a status with one of these states has been told, after message number `since`."""
        told = await self.until(
            lambda message: message.get("method") == "phial/status" and message["params"]["state"] in states,
            since=since,
        )
        return dict(told["params"])

    async def request(self, method: str, params: Any) -> Any:
        """Send a request and return its result. Raises `ResponseError`."""
        return await self.result(self.ask(method, params))

    def ask(self, method: str, params: Any) -> int:
        """Send a request and return its id, without waiting."""
        number = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    async def result(self, number: int) -> Any:
        """Wait for the response to a request and return its result. Raises `ResponseError`."""
        response = await self.until(lambda message: message.get("id") == number and "method" not in message)
        if "error" in response:
            raise ResponseError(response["error"])
        return response["result"]

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, message: Any) -> None:
        """Send any JSON as a message."""
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def send_bytes(self, data: bytes) -> None:
        """Send what need not even be a message."""
        assert self.process.stdin
        self.process.stdin.write(data)

    async def until(self, fits: Callable[[Json], object], since: int = 0) -> Json:
        """Return the first message that fits, from message number `since` on, waiting for it to come."""
        with anyio.fail_after(PATIENCE):
            while True:
                found = next((message for message in self.heard[since:] if fits(message)), None)
                if found is not None:
                    return found
                assert not self.over, f"{self.over}; it wrote: {self.stderr}"
                since = max(since, len(self.heard))
                await self._changed.wait()

    async def until_pieces(self, token: int | str, count: int) -> None:
        """Wait until a chat has brought so many partial results."""
        await self.until(lambda _: len(self.pieces(token)) >= count)

    def told(self, method: str, since: int = 0) -> list[Any]:
        """Return the params of all notifications and requests of a method heard from message `since` on."""
        return [message["params"] for message in self.heard[since:] if message.get("method") == method]

    def pieces(self, token: int | str) -> list[str]:
        """Return the partial results of a chat heard so far."""
        return [told["value"]["text"] for told in self.told("$/progress") if told["token"] == token]

    @property
    def stderr(self) -> str:
        """What the server has written to stderr."""
        return self.log.read_text("utf-8", errors="replace")

    async def leave(self) -> int:
        """Shut the server down and return its exit code."""
        await self.request("shutdown", None)
        self.notify("exit", None)
        with anyio.fail_after(PATIENCE):
            return await self.process.wait()

    async def listen(self) -> None:
        """Keep what the server says until its stdout ends; whatever is no message ends it at once."""
        assert self.process.stdout
        try:
            while header := await self.process.stdout.readline():
                length = re.fullmatch(rb"Content-Length: (\d+)\r\n", header)
                if not length:
                    self.over = f"stdout carries what is no message: {header!r}"
                    return
                while (await self.process.stdout.readline()).strip():
                    pass
                self._hear(json.loads(await self.process.stdout.readexactly(int(length[1]))))
            self.over = "the server has ended"
        finally:
            self._wake()

    def _hear(self, message: Json) -> None:
        self.heard.append(message)
        if "id" in message and "method" in message:
            self.send({"jsonrpc": "2.0", "id": message["id"], **self._answer(message["method"])})
        self._wake()

    def _answer(self, method: str) -> Json:
        if method in self.refuses:
            return {"error": {"code": -32603, "message": "No."}}
        if method == "window/showMessageRequest" and self.chooses:
            return {"result": {"title": self.chooses}}
        return {"result": [self.configuration] if method == "workspace/configuration" else None}

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@asynccontextmanager
async def started(
    *, environment: Mapping[str, str] | None = None, command: Sequence[str] = (*PHIAL, "serve")
) -> AsyncIterator[Editor]:
    """Start a server and nothing more; leaving the context shuts it down, and it must end well."""
    log = Path(os.environ["PHIAL_HOME"]) / f"server-{uuid.uuid4().hex}.log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=stderr,
            env={**os.environ, **(environment or {})},
            cwd=Path(sys.executable).parent,
        )
    window = Editor(process, log)
    listening = asyncio.create_task(window.listen())
    try:
        yield window
        if process.returncode is None:
            assert await window.leave() == 0
        await listening
        assert window.over == "the server has ended"
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.wait()
            await listening


@asynccontextmanager
async def editor(
    settings: Any = None,
    *,
    capabilities: Json | None = None,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = (*PHIAL, "serve"),
) -> AsyncIterator[Editor]:
    """Start a server and shake hands with it."""
    async with started(environment=environment, command=command) as window:
        await window.initialize(settings, capabilities)
        yield window


def completion_params(uri: str, line: int, character: int, *, unasked: bool = False) -> Json:
    """Return the params of a completion that the user asked for by hand, which waits for no pause, or did not."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2 if unasked else 1},
    }
