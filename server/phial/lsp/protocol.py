"""Our own messages beside those of the Language Server Protocol: attrs classes, camelCase on the wire.

`client-vscode/src/protocol.ts` mirrors this file.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from lsprotocol import converters, types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method

from phial.lsp.documents import Documents
from phial.models.overview import ModelRow
from phial.settings import camel_case

_log = logging.getLogger(__name__)

CHAT = "phial/chat"
STATUS = "phial/status"
MODELS = "phial/models"
PULL = "phial/pull"
ASK = "phial.ask"
EXPLAIN_SELECTION = "phial.explainSelection"


@attrs.frozen
class Turn:
    """An earlier message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@attrs.frozen
class Attachment:
    """A document, or a range of it, that a question is about."""

    text_document: types.TextDocumentIdentifier
    range: types.Range | None = None


@attrs.frozen
class ChatParams:
    """`phial/chat`: a question, or one of the tasks, about some code or about nothing.

    `text_document` and `range` are short for the first of the `attachments`.
    """

    question: str = ""
    task: Literal["ask", "explain", "fix", "document", "test"] = "ask"
    text_document: types.TextDocumentIdentifier | None = None
    range: types.Range | None = None
    attachments: list[Attachment] = attrs.field(factory=list)
    conversation: list[Turn] = attrs.field(factory=list)
    partial_result_token: int | str | None = None


@attrs.frozen
class ChatPiece:
    """A partial result of `phial/chat`: the next piece of the answer."""

    text: str


@attrs.frozen
class ChatUsage:
    """What an answer took, in tokens."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


@attrs.frozen
class ChatResult:
    """The whole answer, the pieces included."""

    text: str
    finish_reason: Literal["stop", "length"]
    usage: ChatUsage


@attrs.frozen
class StatusResult:
    """`phial/status`: how the engine is. `fraction` of the load is from 0 to 1, `context_length` in tokens."""

    state: Literal["starting", "loading", "ready", "failed", "off"]
    message: str
    fraction: float | None = None
    model: str | None = None
    device: str | None = None
    starter: bool = False
    device_reason: str = ""
    tokens_per_second: float | None = None
    context_length: int | None = None


@attrs.frozen
class ModelEntry:
    """A model as a picker shows it; sizes in bytes. `command` brings it here where it is not installed."""

    id: str
    title: str
    obtain: Literal["installed", "pull", "export"]
    command: str = ""
    in_use: bool = False
    starter: bool = False
    fits: bool | None = None
    memory_bytes: int | None = None
    download_bytes: int | None = None
    device: str | None = None
    licence: str | None = None
    note: str = ""


@attrs.frozen
class ModelsResult:
    """`phial/models`: the models of the catalog, and what else is installed."""

    models: list[ModelEntry]


@attrs.frozen
class PullParams:
    """`phial/pull`: fetch a model, telling how far it is where there is a token for it."""

    model: str
    work_done_token: int | str | None = None


@attrs.frozen
class CommandArguments:
    """The one argument of our commands."""

    question: str = ""
    text_document: types.TextDocumentIdentifier | None = None
    range: types.Range | None = None


@attrs.define
class ChatRequest:
    """The request `phial/chat`."""

    id: int | str
    params: ChatParams
    method: str = CHAT
    jsonrpc: str = "2.0"


@attrs.define
class ChatResponse:
    """The response to `phial/chat`."""

    id: int | str
    result: ChatResult
    jsonrpc: str = "2.0"


@attrs.define
class PullRequest:
    """The request `phial/pull`."""

    id: int | str
    params: PullParams
    method: str = PULL
    jsonrpc: str = "2.0"


@attrs.define
class PullResponse:
    """The response to `phial/pull`."""

    id: int | str
    result: None = None
    jsonrpc: str = "2.0"


@attrs.define
class StatusResponse:
    """The response to `phial/status`."""

    id: int | str
    result: StatusResult
    jsonrpc: str = "2.0"


@attrs.define
class ModelsResponse:
    """The response to `phial/models`."""

    id: int | str
    result: ModelsResult
    jsonrpc: str = "2.0"


@attrs.define
class StatusNotification:
    """The notification `phial/status`, sent whenever the status changes."""

    params: StatusResult
    method: str = STATUS
    jsonrpc: str = "2.0"


_PAYLOADS = (
    *(Turn, Attachment, ChatParams, ChatPiece, ChatUsage, ChatResult, StatusResult),
    *(ModelEntry, ModelsResult, PullParams, CommandArguments),
)
_MESSAGES = (
    *(ChatRequest, ChatResponse, PullRequest, PullResponse),
    *(StatusResponse, ModelsResponse, StatusNotification),
)


@attrs.frozen
class Unreadable:
    """A message that does not fit its method. A request has an id, and gets an answer."""

    method: str
    id: int | str | None
    problem: str


class PhialProtocol(LanguageServerProtocol):
    """LSP with our messages, and with documents whose lines end where LSP says they do."""

    def __init__(self, server: Any, converter: cattrs.Converter) -> None:
        super().__init__(server, converter)
        self.documents = Documents()

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override] # pygls caches it
        """Return the class of a request or notification."""
        return _REQUESTS.get(method) or super().get_message_type(method)

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override] # pygls caches it
        """Return the class of a response."""
        return _RESPONSES.get(method) or super().get_result_type(method)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return the object that a message means, or `Unreadable` where pygls would leave it unanswered."""
        if "jsonrpc" in data and "method" in data:
            data = {"params": None, **data}  # JSON-RPC lets a message go without, pygls does not
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            return Unreadable(str(data.get("method")), _request_id(data), _problem(error))

    def handle_message(self, message: Any) -> None:
        """Pass a message to its handler."""
        if not isinstance(message, Unreadable):
            super().handle_message(message)
            return
        _log.warning("%s cannot be understood: %s", message.method, message.problem)
        if message.id is not None:
            error = JsonRpcInvalidParams(f"{message.method} cannot be understood: {message.problem}.")
            self._send_response(message.id, error=error.to_response_error())

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Take over a document."""
        self.documents.open(params.text_document)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Change a document."""
        self.documents.change(params.text_document, params.content_changes)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Forget a document."""
        self.documents.close(params.text_document.uri)


def _request_id(data: dict[str, Any]) -> int | str | None:
    number = data.get("id")
    return number if "method" in data and isinstance(number, int | str) else None


def _problem(error: JsonRpcException) -> str:
    """Name the first fields that do not fit, without their values: they may be the user's text."""
    cause = error.__cause__
    if not isinstance(cause, cattrs.ClassValidationError):
        return "it has another form"
    fields = [problem.rpartition(" @ ")[2] for problem in cattrs.transform_error(cause, path="message")]
    return f"look at {', '.join(fields[:3])}"


_REQUESTS: dict[str, type[Any]] = {CHAT: ChatRequest, PULL: PullRequest}
_RESPONSES: dict[str, type[Any]] = {
    CHAT: ChatResponse,
    STATUS: StatusResponse,
    MODELS: ModelsResponse,
    PULL: PullResponse,
}


def model_entry(row: ModelRow) -> ModelEntry:
    """Return a row of the list of models as it goes over the wire."""
    return ModelEntry(**{field.name: getattr(row, field.name) for field in attrs.fields(ModelEntry)})


def create_converter() -> cattrs.Converter:
    """Return lsprotocol's converter, which knows our messages too."""
    converter = converters.get_converter()
    for kind in (*_PAYLOADS, *_MESSAGES):
        names: dict[str, Any] = {
            field.name: override(rename=camel_case(field.name)) for field in attrs.fields(kind)
        }
        # What has its default need not be sent, but for the version and the method of a message.
        write = make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=kind in _PAYLOADS, **names)
        converter.register_structure_hook(kind, make_dict_structure_fn(kind, converter, **names))
        converter.register_unstructure_hook(kind, write)
    return converter
