"""Our own messages beside those of the Language Server Protocol: attrs classes, camelCase on the wire.

`client-vscode/src/protocol.ts` mirrors this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from lsprotocol import converters, types

from phial.assist.counters import Answer
from phial.models.overview import ModelRow
from phial.settings import camel_case

CHAT = "phial/chat"
STATUS = "phial/status"
MODELS = "phial/models"
PULL = "phial/pull"
COMPLETIONS = "phial/completions"
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
    """`phial/status`: how the engine is; `code` is that of the error, where it failed.

    `fraction` of the load is from 0 to 1, `context_length` in tokens.
    """

    state: Literal["starting", "loading", "ready", "failed", "off"]
    message: str
    fraction: float | None = None
    model: str | None = None
    device: str | None = None
    starter: bool = False
    device_reason: str = ""
    tokens_per_second: float | None = None
    context_length: int | None = None
    code: str | None = None


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
class CompletionCost:
    """What a request for ghost text cost; `number` counts them from 0, and `whole` is one that was answered."""

    number: int
    how: Literal["declined", "typed-through", "joined", "asked"]
    seconds: float
    whole: bool


@attrs.frozen
class CompletionsResult:
    """`phial/completions`: the latest requests for ghost text that have ended since the last time this was asked."""

    completions: list[CompletionCost]


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
class CompletionsResponse:
    """The response to `phial/completions`."""

    id: int | str
    result: CompletionsResult
    jsonrpc: str = "2.0"


@attrs.define
class StatusNotification:
    """The notification `phial/status`, sent whenever the status changes."""

    params: StatusResult
    method: str = STATUS
    jsonrpc: str = "2.0"


_PAYLOADS = (
    *(Turn, Attachment, ChatParams, ChatPiece, ChatUsage, ChatResult, StatusResult),
    *(ModelEntry, ModelsResult, PullParams, CompletionCost, CompletionsResult, CommandArguments),
)
_MESSAGES = (
    *(ChatRequest, ChatResponse, PullRequest, PullResponse),
    *(StatusResponse, ModelsResponse, CompletionsResponse, StatusNotification),
)


REQUESTS: dict[str, type[Any]] = {CHAT: ChatRequest, PULL: PullRequest}
RESPONSES: dict[str, type[Any]] = {
    CHAT: ChatResponse,
    STATUS: StatusResponse,
    MODELS: ModelsResponse,
    PULL: PullResponse,
    COMPLETIONS: CompletionsResponse,
}


def model_entry(row: ModelRow) -> ModelEntry:
    """Return a row of the list of models as it goes over the wire."""
    return ModelEntry(**{field.name: getattr(row, field.name) for field in attrs.fields(ModelEntry)})


def completions_result(answers: Sequence[Answer]) -> CompletionsResult:
    """Return what requests cost as it goes over the wire."""
    return CompletionsResult(
        [CompletionCost(answer.number, answer.how, answer.seconds, answer.whole) for answer in answers]
    )


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
