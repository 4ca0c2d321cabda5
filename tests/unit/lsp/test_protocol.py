from __future__ import annotations

import gc
import json
from concurrent.futures import Future
from typing import Any

import attrs
import cattrs
import pytest
from lsprotocol import types

from phial.lsp import protocol
from phial.lsp.endpoint import PhialProtocol
from phial.lsp.protocol import (
    Attachment,
    ChatParams,
    ChatPiece,
    ChatRequest,
    ChatResponse,
    ChatResult,
    ChatUsage,
    CommandArguments,
    CompletionCost,
    CompletionsResponse,
    CompletionsResult,
    ModelEntry,
    ModelsResponse,
    ModelsResult,
    PullParams,
    PullRequest,
    PullResponse,
    StatusNotification,
    StatusResponse,
    StatusResult,
    Turn,
    create_converter,
)
from phial.lsp.server import create_server

DOCUMENT = types.TextDocumentIdentifier("file:///a.py")
SPAN = types.Range(types.Position(1, 0), types.Position(2, 4))
SPAN_ON_THE_WIRE = {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 4}}

MESSAGES = [
    (Turn("user", "Hi"), {"role": "user", "content": "Hi"}),
    (ChatParams(), {}),
    (
        ChatParams(
            *("Why?", "fix", DOCUMENT, SPAN, [Attachment(DOCUMENT, SPAN), Attachment(DOCUMENT)]),
            *([Turn("assistant", "Hi")], "token"),
        ),
        {
            "question": "Why?",
            "task": "fix",
            "textDocument": {"uri": "file:///a.py"},
            "range": SPAN_ON_THE_WIRE,
            "attachments": [
                {"textDocument": {"uri": "file:///a.py"}, "range": SPAN_ON_THE_WIRE},
                {"textDocument": {"uri": "file:///a.py"}},
            ],
            "conversation": [{"role": "assistant", "content": "Hi"}],
            "partialResultToken": "token",
        },
    ),
    (ChatParams("Why?", partial_result_token=7), {"question": "Why?", "partialResultToken": 7}),
    (PullParams("starter", 3), {"model": "starter", "workDoneToken": 3}),
    (ChatPiece("é\n"), {"text": "é\n"}),
    (
        CompletionCost(7, "typed-through", 0.002, whole=True),
        {"number": 7, "how": "typed-through", "seconds": 0.002, "whole": True},
    ),
    (CompletionsResult([]), {"completions": []}),
    (
        CompletionsResponse(3, CompletionsResult([])),
        {"id": 3, "result": {"completions": []}, "jsonrpc": "2.0"},
    ),
    (ChatUsage(3, 2, 1), {"promptTokens": 3, "cachedTokens": 2, "completionTokens": 1}),
    (
        ChatResult("Yes.", "stop", ChatUsage(3, 2, 1)),
        {
            "text": "Yes.",
            "finishReason": "stop",
            "usage": {"promptTokens": 3, "cachedTokens": 2, "completionTokens": 1},
        },
    ),
    (StatusResult("starting", "Wait."), {"state": "starting", "message": "Wait."}),
    (
        StatusResult(
            *("ready", "Go.", 0.5, "Phi-3", "CPU"),
            starter=True,
            device_reason="There is no GPU.",
            tokens_per_second=5.5,
            context_length=4096,
            code="no_model",
        ),
        {
            "state": "ready",
            "message": "Go.",
            "fraction": 0.5,
            "model": "Phi-3",
            "device": "CPU",
            "starter": True,
            "deviceReason": "There is no GPU.",
            "tokensPerSecond": 5.5,
            "contextLength": 4096,
            "code": "no_model",
        },
    ),
    (ModelEntry("x", "X", "installed"), {"id": "x", "title": "X", "obtain": "installed"}),
    (
        ModelEntry(
            *("x", "X", "pull", "phial models pull x"),
            in_use=True,
            starter=True,
            fits=False,
            memory_bytes=3,
            download_bytes=2,
            device="CPU",
            licence="MIT",
            note="Slow.",
        ),
        {
            "id": "x",
            "title": "X",
            "obtain": "pull",
            "command": "phial models pull x",
            "inUse": True,
            "starter": True,
            "fits": False,
            "memoryBytes": 3,
            "downloadBytes": 2,
            "device": "CPU",
            "licence": "MIT",
            "note": "Slow.",
        },
    ),
    (
        ModelsResult([ModelEntry("x", "X", "export")]),
        {"models": [{"id": "x", "title": "X", "obtain": "export"}]},
    ),
    (ModelsResponse(3, ModelsResult([])), {"jsonrpc": "2.0", "id": 3, "result": {"models": []}}),
    (
        CommandArguments("Why?", DOCUMENT, SPAN),
        {"question": "Why?", "textDocument": {"uri": "file:///a.py"}, "range": SPAN_ON_THE_WIRE},
    ),
    (
        ChatRequest(1, ChatParams("Why?")),
        {"jsonrpc": "2.0", "id": 1, "method": "phial/chat", "params": {"question": "Why?"}},
    ),
    (
        ChatResponse("a", ChatResult("Yes.", "length", ChatUsage(3, 2, 1))),
        {
            "jsonrpc": "2.0",
            "id": "a",
            "result": {
                "text": "Yes.",
                "finishReason": "length",
                "usage": {"promptTokens": 3, "cachedTokens": 2, "completionTokens": 1},
            },
        },
    ),
    (
        StatusResponse(2, StatusResult("off", "Bye.")),
        {"jsonrpc": "2.0", "id": 2, "result": {"state": "off", "message": "Bye."}},
    ),
    (
        ModelEntry("starter", "SmolLM2", "installed", in_use=True, starter=True, fits=True, memory_bytes=9),
        {
            "id": "starter",
            "title": "SmolLM2",
            "obtain": "installed",
            "inUse": True,
            "starter": True,
            "fits": True,
            "memoryBytes": 9,
        },
    ),
    (Attachment(DOCUMENT), {"textDocument": {"uri": "file:///a.py"}}),
    (
        PullRequest(1, PullParams("starter")),
        {"jsonrpc": "2.0", "id": 1, "method": "phial/pull", "params": {"model": "starter"}},
    ),
    (PullResponse(1), {"jsonrpc": "2.0", "id": 1, "result": None}),
    (ModelsResult([]), {"models": []}),
    (ModelsResponse(7, ModelsResult([])), {"jsonrpc": "2.0", "id": 7, "result": {"models": []}}),
    (
        StatusNotification(StatusResult("off", "Bye.")),
        {"jsonrpc": "2.0", "method": "phial/status", "params": {"state": "off", "message": "Bye."}},
    ),
]

each_message = pytest.mark.parametrize(
    ("message", "wire"), MESSAGES, ids=[type(message).__name__ for message, _ in MESSAGES]
)


@each_message
def test_a_message_is_camel_case_on_the_wire(message: Any, wire: dict[str, Any]) -> None:
    assert json.loads(json.dumps(create_converter().unstructure(message))) == wire


@each_message
def test_a_message_comes_back_as_it_was_sent(message: Any, wire: dict[str, Any]) -> None:
    assert create_converter().structure(wire, type(message)) == message


def test_every_message_has_an_example() -> None:
    ours = {
        kind for kind in vars(protocol).values() if attrs.has(kind) and kind.__module__ == protocol.__name__
    }
    assert ours == {type(message) for message, _ in MESSAGES}


@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        (ChatParams, {"task": "dance"}),
        (ChatParams, {"range": {"start": 1}}),
        (ChatParams, {"textDocument": {}}),
        (ChatParams, {"conversation": [{"role": "system", "content": ""}]}),
        (StatusResult, {"state": "ready"}),
        (ChatPiece, {}),
    ],
)
def test_what_does_not_fit_is_refused(kind: type[Any], wire: dict[str, Any]) -> None:
    with pytest.raises(cattrs.ClassValidationError):
        create_converter().structure(wire, kind)


def test_what_is_not_known_is_ignored() -> None:
    wire = {"question": "Why?", "workDoneToken": 1, "colour": "red"}
    assert create_converter().structure(wire, ChatParams) == ChatParams("Why?")


def test_the_messages_of_lsp_are_still_known() -> None:
    params = types.InlineCompletionParams(
        context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
        text_document=DOCUMENT,
        position=types.Position(1, 2),
    )
    wire = create_converter().unstructure(params)
    assert wire["textDocument"] == {"uri": "file:///a.py"}
    assert create_converter().structure(wire, types.InlineCompletionParams) == params


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"id": 1, "method": "phial/chat", "params": {"question": "Why?"}}, ChatRequest),
        ({"id": 1, "method": "shutdown"}, types.ShutdownRequest),
        ({"method": "initialized", "params": {}}, types.InitializedNotification),
    ],
)
def test_a_method_means_its_message(message: dict[str, Any], kind: type[Any]) -> None:
    rules = create_server().protocol
    assert isinstance(rules, PhialProtocol)
    assert type(rules.structure_message({"jsonrpc": "2.0", **message})) is kind


def test_notifications_leave_nothing_behind() -> None:
    rules = create_server().protocol
    assert isinstance(rules, PhialProtocol)
    item = types.TextDocumentItem(DOCUMENT.uri, "python", 0, "")
    rules.handle_message(types.DidOpenTextDocumentNotification(types.DidOpenTextDocumentParams(item)))
    before = _futures()
    for version in range(1, 51):
        params = types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version, DOCUMENT.uri),
            [types.TextDocumentContentChangeWholeDocument(str(version))],
        )
        rules.handle_message(types.DidChangeTextDocumentNotification(params))
    document = rules.documents.get(DOCUMENT.uri)
    assert document
    assert document.text == "50"
    assert _futures() == before


def _futures() -> int:
    gc.collect()
    # By `type`, for `isinstance` asks each object for its class, and a lazy module loads itself for that.
    return sum(type(thing) is Future for thing in gc.get_objects())


def test_a_response_means_its_message() -> None:
    rules = create_server().protocol
    assert rules.get_result_type("phial/chat") is ChatResponse
    assert rules.get_result_type("phial/status") is StatusResponse
    assert rules.get_result_type("phial/models") is ModelsResponse
    assert rules.get_result_type("phial/completions") is CompletionsResponse
    assert rules.get_result_type("shutdown") is types.ShutdownResponse
