"""An editor without a screen: drives `phial serve` over stdio, as the command line and the demo do."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import attrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.io_ import run_async
from pygls.lsp.client import LanguageClient

from phial import __version__, errors
from phial.errors import EngineError, PhialError
from phial.lsp import protocol
from phial.lsp.endpoint import PhialProtocol
from phial.lsp.languages import language_of
from phial.lsp.protocol import ChatParams, ChatResult, StatusResult

_LINE_END = 2**31 - 1
"""A column past any line's end, which LSP takes for the end."""

SERVE = (sys.executable, "-m", "phial", "serve")

Place = tuple[int, int]
"""A line and a column, both from 0; columns count code points."""


@dataclass(frozen=True)
class GhostText:
    """What may be inserted at the cursor, in place of so many characters right of it."""

    text: str
    replaces: int


class Session:
    """A running language server and one editor window's worth of requests to it. Raises `PhialError`."""

    def __init__(self, client: LanguageClient, pid: int) -> None:
        self.pid = pid
        self._client = client
        self._tokens = itertools.count(1)
        self._listeners: dict[int | str, Callable[[str], None]] = {}
        self.status: StatusResult | None = None
        self._status_changed = anyio.Event()
        # pygls notes its registration on the function, which a bound method does not allow
        client.feature(types.PROGRESS)(partial(self._take_piece))
        client.feature(protocol.STATUS)(partial(self._take_status))
        client.feature(types.WINDOW_SHOW_MESSAGE)(lambda _: None)  # what it says comes as an error, too

    async def initialize(self, settings: dict[str, Any], folder: Path) -> types.InitializeResult:
        """Shake hands."""
        result: types.InitializeResult = await self.request(
            types.INITIALIZE,
            types.InitializeParams(
                capabilities=types.ClientCapabilities(
                    general=types.GeneralClientCapabilities(
                        position_encodings=[types.PositionEncodingKind.Utf32]
                    )
                ),
                client_info=types.ClientInfo(name="phial", version=__version__),
                initialization_options=settings,
                workspace_folders=[types.WorkspaceFolder(folder.as_uri(), folder.name)],
            ),
        )
        self._client.protocol.notify(types.INITIALIZED, types.InitializedParams())
        return result

    async def until_ready(self, told: Callable[[StatusResult], None] = lambda _: None) -> StatusResult:
        """Wait for the model, telling each status on the way."""
        shown = None
        while True:
            now = self.status
            if now and now.state == "failed":
                raise EngineError(now.message, advice="")
            if now and now != shown:
                shown = now
                told(now)
            if now and now.state == "ready":
                return now
            await self._status_changed.wait()

    def open(self, path: Path, text: str) -> str:
        """Open a document and return its URI."""
        uri = path.absolute().as_uri()
        item = types.TextDocumentItem(uri, language_of(path), 1, text)
        self._client.protocol.notify(types.TEXT_DOCUMENT_DID_OPEN, types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, version: int, start: Place, end: Place, text: str) -> None:
        """Replace a range of an open document."""
        part = types.TextDocumentContentChangePartial(
            range=types.Range(types.Position(*start), types.Position(*end)), text=text
        )
        document = types.VersionedTextDocumentIdentifier(version, uri)
        params = types.DidChangeTextDocumentParams(document, [part])
        self._client.protocol.notify(types.TEXT_DOCUMENT_DID_CHANGE, params)

    def close(self, uri: str) -> None:
        """Close a document."""
        params = types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        self._client.protocol.notify(types.TEXT_DOCUMENT_DID_CLOSE, params)

    async def complete(self, uri: str, line: int, column: int) -> str | None:
        """Return the ghost text at a line and a column, both from 0, or None."""
        found: types.InlineCompletionList | None = await self.request(
            types.TEXT_DOCUMENT_INLINE_COMPLETION,
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
                text_document=types.TextDocumentIdentifier(uri),
                position=types.Position(line, column),
            ),
        )
        return str(found.items[0].insert_text) if found and found.items else None

    async def suggest(self, uri: str, line: int, column: int) -> GhostText | None:
        """Return the ghost text that comes unasked, or None. Leaving this cancels the request."""
        found: types.InlineCompletionList | None = await self._request_that_ends(
            types.TEXT_DOCUMENT_INLINE_COMPLETION,
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
                text_document=types.TextDocumentIdentifier(uri),
                position=types.Position(line, column),
            ),
        )
        if not found or not found.items:
            return None
        item = found.items[0]
        replaces = item.range.end.character - column if item.range else 0
        return GhostText(str(item.insert_text), replaces)

    async def costs(self) -> list[protocol.CompletionCost]:
        """Return what the requests for ghost text have cost since the last time."""
        result: protocol.CompletionsResult = await self.request(protocol.COMPLETIONS, None)
        return result.completions

    async def ask(self, question: str, told: Callable[[str], None]) -> ChatResult:
        """Answer a question, telling the text as it comes."""
        return await self._chat(ChatParams(question=question), told)

    async def explain(self, uri: str, first: int, last: int, told: Callable[[str], None]) -> ChatResult:
        """Explain some lines of an open document, the first and the last counted from 0."""
        span = types.Range(types.Position(first, 0), types.Position(last, _LINE_END))
        params = ChatParams(task="explain", text_document=types.TextDocumentIdentifier(uri), range=span)
        return await self._chat(params, told)

    async def _chat(self, params: ChatParams, told: Callable[[str], None]) -> ChatResult:
        token = next(self._tokens)
        self._listeners[token] = told
        try:
            request = attrs.evolve(params, partial_result_token=token)
            result: ChatResult = await self._request_that_ends(protocol.CHAT, request)
        finally:
            del self._listeners[token]
        return result

    async def request(self, method: str, params: object) -> Any:
        """Send a request and return its result; an error response becomes the error that it tells."""
        try:
            return await self._client.protocol.send_request_async(method, params)
        except JsonRpcException as error:
            raise _told_error(error) from error

    async def _request_that_ends(self, method: str, params: object) -> Any:
        """Send a request, and cancel it if this is left before it is answered."""
        number = f"{method} {next(self._tokens)}"
        answered = anyio.Event()
        response = self._client.protocol.send_request(method, params, msg_id=number)
        response.add_done_callback(lambda _: answered.set())
        try:
            await answered.wait()
            return response.result()
        except JsonRpcException as error:
            raise _told_error(error) from error
        finally:
            if not response.done():
                self._client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams(number))

    async def end(self) -> None:
        """Shut the server down."""
        await self.request(types.SHUTDOWN, None)
        self._client.protocol.notify(types.EXIT, None)

    def _take_piece(self, params: Any) -> None:
        if listener := self._listeners.get(params.token):
            listener(params.value["text"])

    def _take_status(self, params: StatusResult) -> None:
        self.status = params
        self._status_changed.set()
        self._status_changed = anyio.Event()


class _EditorProtocol(PhialProtocol):
    """The protocol from the editor's side, where `phial/status` comes as a notification."""

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override] # pygls caches it
        return protocol.StatusNotification if method == protocol.STATUS else super().get_message_type(method)


@asynccontextmanager
async def editor_session(
    *, settings: dict[str, Any], folder: Path, command: Sequence[str] = SERVE
) -> AsyncIterator[Session]:
    """Start a language server and shake hands with it; leaving the context shuts it down."""
    client = LanguageClient("phial", __version__, _EditorProtocol, protocol.create_converter)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(sys.executable).parent,  # `python -m` would import from the user's folder first
    )
    assert process.stdin  # noqa: S101 - asked for above
    assert process.stdout  # noqa: S101 - asked for above
    session = Session(client, process.pid)
    client.protocol.set_writer(process.stdin)
    reading = asyncio.create_task(run_async(threading.Event(), process.stdout, client.protocol))
    try:
        await session.initialize(settings, folder)
        yield session
        await session.end()
    finally:
        with anyio.CancelScope(shield=True):
            process.stdin.close()
            await process.wait()
            await reading


def _told_error(error: JsonRpcException) -> PhialError:
    code = error.data.get("code") if isinstance(error.data, dict) else None
    return errors.from_wire(code, str(error.message))
