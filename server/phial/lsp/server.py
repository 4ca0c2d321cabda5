"""The language server: a handler reads, calls and wraps; what to ask and what to keep is decided in `assist`."""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict
from typing import Any, BinaryIO

import anyio
import anyio.to_thread
from lsprotocol import types
from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async
from pygls.lsp.server import LanguageServer

from phial import __version__, settings
from phial.assist.chat import answer
from phial.engine.base import Engine, Status
from phial.engine.create import create_engine
from phial.errors import NoModel, PhialError
from phial.lsp import costs, protocol
from phial.lsp.documents import Document, Documents
from phial.lsp.endpoint import PhialProtocol
from phial.lsp.failures import failing_clearly, keep_text_out_of_logs
from phial.lsp.ghost_text import GhostText
from phial.lsp.neighbours import Neighbours, neighbours
from phial.lsp.progress import work_done_progress
from phial.lsp.protocol import ChatParams, ChatResult, CommandArguments, PullParams, StatusResult
from phial.lsp.pulls import pull as pull_model
from phial.lsp.questions import read_question
from phial.lsp.starter import offer_starter
from phial.models.overview import overview
from phial.settings import Settings

_log = logging.getLogger(__name__)


class PhialServer(LanguageServer):
    """The state of one editor window: its documents, its settings and its engine."""

    def __init__(self) -> None:
        super().__init__(
            "phial", __version__, protocol_cls=PhialProtocol, converter_factory=protocol.create_converter
        )
        self.settings = Settings()
        self.ghost_text = GhostText()
        self.engine: Engine = create_engine(self.settings, self.tell)
        self._connected = anyio.Event()
        self._engine_outdated = anyio.Event()
        self._status_changed = anyio.Event()

    @property
    def documents(self) -> Documents:
        """The open documents."""
        assert isinstance(self.protocol, PhialProtocol)  # noqa: S101 - made with it above
        return self.protocol.documents

    async def run(self) -> None:
        """Keep an engine as the settings want it, from the moment the editor is there."""
        await self._connected.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.ghost_text.suggestions.run)
            tasks.start_soon(self._show_progress)
            tasks.start_soon(self._offer_starter)
            while True:
                self._engine_outdated = anyio.Event()
                self.engine = engine = create_engine(self.settings, self.tell)
                self.ghost_text.suggestions.forget()
                async with anyio.create_task_group() as engine_tasks:
                    engine_tasks.start_soon(engine.run)
                    await self._engine_outdated.wait()
                    engine_tasks.cancel_scope.cancel()
                tasks.start_soon(engine.release)

    def connect(self) -> None:
        """Begin: the editor has been told what the server can do."""
        self._connected.set()

    def use(self, raw: object) -> None:
        """Take over settings as the editor sends them, and say what is wrong with them."""
        before = self.settings
        self.settings, problems = settings.parse(raw)
        if _engine_part(before) != _engine_part(self.settings):
            self._engine_outdated.set()
        if problems:
            message = f"Phial's settings: {' '.join(problems)}"
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))

    def tell(self, status: Status) -> None:
        """Tell the editor how the engine is."""
        self.protocol.notify(protocol.STATUS, StatusResult(**asdict(status)))
        if status.state == "failed" and status.code != NoModel.code:
            self.window_show_message(
                types.ShowMessageParams(types.MessageType.Error, f"Phial: {status.message}")
            )
        self._status_changed.set()
        self._status_changed = anyio.Event()

    def retry(self) -> None:
        """Begin anew with an engine that has failed: what it lacked may be there now."""
        if self.engine.status.state == "failed":
            self._engine_outdated.set()

    def prefill(self, uri: str) -> None:
        """Have the model read a document while nothing else is to be done."""
        document, wanted = self.documents.get(uri), self.settings.completion
        if document:
            around = self.around(document)
            self.ghost_text.prefill(document, around=around, engine=self.engine, wanted=wanted)

    def around(self, document: Document) -> Neighbours:
        """Return what the model is told of a document beside its text."""
        reading = self.settings.completion.context
        return neighbours(document, self.documents, self.workspace.folders, reading=reading)

    async def _offer_starter(self) -> None:
        """Offer the starter model, once, where there is no model."""
        while self.engine.status.code != NoModel.code:
            await self._status_changed.wait()
        if await offer_starter(self, self.engine.status.message):
            self.retry()

    async def _show_progress(self) -> None:
        """Show the load of a model as progress; then have it read the document that was changed last."""
        while True:
            while self.engine.status.state != "loading":
                await self._status_changed.wait()
            async with work_done_progress(self, "Phial") as report:
                while (status := self.engine.status).state == "loading":
                    report(status.message, status.fraction)
                    await self._status_changed.wait()
            self.prefill(next((document.uri for document in self.documents), ""))


def create_server() -> PhialServer:
    """Make a server with all handlers."""
    server = PhialServer()
    server.feature(types.INITIALIZE)(initialize)
    server.feature(types.INITIALIZED)(initialized)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(did_change_configuration)
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(inline_completion)
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(did_open)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(did_save)
    server.feature(protocol.CHAT)(chat)
    server.feature(protocol.STATUS)(status)
    server.feature(protocol.MODELS)(models)
    server.feature(protocol.PULL)(pull)
    server.feature(protocol.COMPLETIONS)(costs.telling(server.ghost_text.suggestions.counters))
    server.command(protocol.ASK)(ask)
    server.command(protocol.EXPLAIN_SELECTION)(explain_selection)
    return server


async def run(stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Serve one editor over two streams; return the exit code that LSP wants."""
    keep_text_out_of_logs()
    server = create_server()
    server.protocol.set_writer(StdoutWriter(stdout))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        exit_code = await _read_messages(server, stdin)
        tasks.cancel_scope.cancel()
    return exit_code


def initialize(server: PhialServer, params: types.InitializeParams) -> None:
    """Take over the settings and how the editor counts columns."""
    server.documents.encoding = types.PositionEncodingKind(server.workspace.position_encoding)
    server.use(params.initialization_options)


def initialized(server: PhialServer, _: types.InitializedParams) -> None:
    """Begin to look for a model."""
    server.connect()


async def did_change_configuration(server: PhialServer, params: types.DidChangeConfigurationParams) -> None:
    """Take over changed settings, asking for them where the editor only says that they changed."""
    changed = params.settings
    workspace = server.client_capabilities.workspace
    if not changed and workspace and workspace.configuration:
        section = types.ConfigurationItem(section="phial")
        changed, *_ = await server.workspace_configuration_async(types.ConfigurationParams([section]))
    server.use(changed)


async def inline_completion(
    server: PhialServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    """Return ghost text for the cursor, or None: while the model loads, too."""
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return None
    around, wanted = server.around(document), server.settings.completion
    try:
        found = await server.ghost_text.at(
            document, params, around=around, engine=server.engine, wanted=wanted
        )
    except PhialError as error:  # told by the status; a message at each keystroke would be a nuisance
        _log.warning("No completion: %s", error)
        return None
    if advice := server.ghost_text.advice():
        server.window_show_message(types.ShowMessageParams(types.MessageType.Info, advice))
    return found


def did_open(server: PhialServer, params: types.DidOpenTextDocumentParams) -> None:
    """Have the model read a document that was opened; it has been taken over already."""
    server.ghost_text.suggestions.opened(params.text_document.uri)
    server.prefill(params.text_document.uri)


def did_change(server: PhialServer, params: types.DidChangeTextDocumentParams) -> None:
    """Take note of a keystroke; the document has been changed already."""
    server.ghost_text.suggestions.typed(params.text_document.uri)


def did_save(server: PhialServer, params: types.DidSaveTextDocumentParams) -> None:
    """Have the model read a document that was saved, where the cursor was last."""
    server.prefill(params.text_document.uri)


@failing_clearly
async def chat(server: PhialServer, params: ChatParams) -> ChatResult:
    """Answer a question, streaming where the client gave a token for it."""
    wanted = server.settings.chat
    server.ghost_text.suggestions.make_way()
    token = params.partial_result_token

    def told(text: str) -> None:
        if token is not None:
            piece = protocol.ChatPiece(text)
            server.protocol.notify(types.PROGRESS, types.ProgressParams(token=token, value=piece))

    whole = await answer(
        server.engine,
        await read_question(params, server.documents, server.workspace.folders),
        told,
        max_tokens=wanted.max_tokens,
        temperature=wanted.temperature,
    )
    return ChatResult(whole.text, whole.finish_reason, protocol.ChatUsage(**asdict(whole.usage)))


_NOTHING = CommandArguments()


@failing_clearly
async def ask(server: PhialServer, arguments: CommandArguments = _NOTHING) -> protocol.ChatPiece:
    """Answer a question, for editors that can only send commands."""
    params = ChatParams(arguments.question, "ask", arguments.text_document, arguments.range)
    return protocol.ChatPiece((await chat(server, params)).text)


@failing_clearly
async def explain_selection(
    server: PhialServer, arguments: CommandArguments = _NOTHING
) -> protocol.ChatPiece:
    """Explain a range of a document, for editors that can only send commands."""
    params = ChatParams("", "explain", arguments.text_document, arguments.range)
    return protocol.ChatPiece((await chat(server, params)).text)


def status(server: PhialServer, _: Any) -> StatusResult:
    """Tell how the engine is."""
    return StatusResult(**asdict(server.engine.status))


async def models(_: PhialServer, __: Any) -> protocol.ModelsResult:
    """List the models for a picker."""
    rows = await anyio.to_thread.run_sync(overview)
    return protocol.ModelsResult([protocol.model_entry(row) for row in rows])


@failing_clearly
async def pull(server: PhialServer, params: PullParams) -> None:
    """Fetch a model, showing how far it is."""
    async with work_done_progress(server, f"Fetching {params.model}", params.work_done_token) as report:
        await pull_model(params.model, report)
    server.retry()


async def _read_messages(server: PhialServer, stdin: BinaryIO) -> int:
    """Handle messages until the editor says `exit`, which pygls turns into SystemExit, or goes away."""
    try:
        await run_async(
            stop_event=threading.Event(),
            reader=StdinAsyncReader(stdin, server.thread_pool),
            protocol=server.protocol,
            error_handler=server.report_server_error,
        )
    except SystemExit as end:
        return int(end.code or 0)
    return 1


def _engine_part(wanted: Settings) -> tuple[object, ...]:
    return wanted.model, wanted.device, wanted.keep_alive, wanted.engine
