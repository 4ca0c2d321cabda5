from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import anyio
import attrs
import pytest
from lsprotocol import types

from phial.engine.base import CHAT_PRIORITY, PREFILL_PRIORITY, Abilities, Message, Request, State, Status
from phial.engine.client import OpenAIEngine
from phial.errors import HostLost, ModelNotFound, PhialError
from phial.lsp.failures import RequestFailed
from phial.lsp.protocol import ChatParams, ChatResult, ChatUsage, CommandArguments, StatusResult, Turn
from phial.lsp.server import (
    PhialServer,
    ask,
    chat,
    create_server,
    did_change_configuration,
    explain_selection,
    inline_completion,
    status,
)
from phial.settings import ChatSettings, CompletionSettings, Settings
from support.fake_engine import FakeEngine

FOLDER = "file:///work/project"
URI = f"{FOLDER}/src/a.py"
INVOKED, AUTOMATIC = types.InlineCompletionTriggerKind.Invoked, types.InlineCompletionTriggerKind.Automatic


class Editor:
    """What a server sends, as an editor reads it."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._received = anyio.Event()

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data))
        self._received.set()
        self._received = anyio.Event()

    def close(self) -> None:
        pass

    def params_of(self, method: str) -> list[Any]:
        """Return the parameters of all messages with this method so far."""
        return [message["params"] for message in self.messages if message.get("method") == method]

    async def until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            await self._received.wait()


def served(
    engine: FakeEngine,
    *,
    text: str = "",
    uri: str = URI,
    settings: Settings | None = None,
    **capabilities: Any,
) -> tuple[PhialServer, Editor]:
    """Make a server that an editor has shaken hands with and opened a document in."""
    server, editor = create_server(), Editor()
    server.protocol.set_writer(editor, include_headers=False)
    params = {
        "processId": None,
        "rootUri": None,
        "capabilities": capabilities,
        "workspaceFolders": [{"uri": FOLDER, "name": "project"}],
    }
    receive(server, {"id": 0, "method": "initialize", "params": params})
    assert editor.messages.pop()["id"] == 0
    server.engine = engine
    server.settings = settings or Settings(completion=CompletionSettings(debounce=0))
    server.documents.open(types.TextDocumentItem(uri, "python", 1, text))
    return server, editor


def receive(server: PhialServer, message: dict[str, Any]) -> None:
    server.protocol.handle_message(server.protocol.structure_message({"jsonrpc": "2.0", **message}))


def asked_of(engine: FakeEngine) -> Request:
    [request] = engine.requests
    assert isinstance(request, Request)
    return request


def said_by(engine: FakeEngine) -> str:
    """Return what the user says in the one request."""
    return [message.content for message in asked_of(engine).messages if message.role == "user"][-1]


# Inline completion


async def complete(
    server: PhialServer,
    line: int,
    character: int,
    *,
    uri: str = URI,
    kind: types.InlineCompletionTriggerKind = AUTOMATIC,
) -> types.InlineCompletionList | None:
    params = types.InlineCompletionParams(
        context=types.InlineCompletionContext(kind),
        text_document=types.TextDocumentIdentifier(uri),
        position=types.Position(line, character),
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.ghost_text.suggestions.run)
        found = await inline_completion(server, params)
        tasks.cancel_scope.cancel()
    return found


def ghost_text(found: types.InlineCompletionList | None) -> str:
    assert found
    [item] = found.items
    assert isinstance(item.insert_text, str)
    return item.insert_text


async def test_ghost_text_may_take_the_place_of_a_closed_bracket() -> None:
    server, _ = served(FakeEngine("(a, b)", "\n"), text='s = "😀", foo()\n')
    found = await complete(server, 0, 14)
    span = types.Range(types.Position(0, 14), types.Position(0, 15))
    assert found == types.InlineCompletionList([types.InlineCompletionItem("a, b)", range=span)])


@pytest.mark.parametrize(
    ("uri", "text", "character", "kind"),
    [
        pytest.param("file:///.env", "KEY=", 4, INVOKED, id="among secrets"),
        pytest.param(URI, "foobar", 3, AUTOMATIC, id="inside a word"),
    ],
)
async def test_no_ghost_text_where_none_is_wanted(
    uri: str, text: str, character: int, kind: types.InlineCompletionTriggerKind
) -> None:
    engine = FakeEngine("x")
    server, _ = served(engine, text=text, uri=uri)
    assert await complete(server, 0, character, uri=uri, kind=kind) is None
    assert engine.requests == []


async def test_ghost_text_stands_at_the_cursor() -> None:
    server, _ = served(FakeEngine(" 1", " + 2", "\n"), text="a = 0\nx = \n")
    found = await complete(server, 1, 4)
    at = types.Position(1, 4)
    assert found == types.InlineCompletionList(
        [types.InlineCompletionItem("1 + 2", range=types.Range(at, at))]
    )


@pytest.mark.parametrize("kind", [INVOKED, AUTOMATIC])
async def test_ghost_text_comes_unasked_too(kind: types.InlineCompletionTriggerKind) -> None:
    server, _ = served(FakeEngine(" 1"), text="x = ")
    assert ghost_text(await complete(server, 0, 4, kind=kind)) == "1"


@pytest.mark.parametrize(
    ("uri", "settings", "status"),
    [
        pytest.param(f"{FOLDER}/b.py", None, None, id="a document that is not open"),
        pytest.param(URI, Settings(completion=CompletionSettings(enable=False)), None, id="switched off"),
        pytest.param(URI, None, Status("starting", ""), id="starting"),
        pytest.param(URI, None, Status("loading", "", fraction=0.5), id="loading"),
        pytest.param(URI, None, Status("failed", ""), id="failed"),
        pytest.param(URI, None, Status("off", ""), id="off"),
    ],
)
async def test_no_ghost_text_and_the_model_is_not_asked(
    uri: str, settings: Settings | None, status: Status | None
) -> None:
    engine = FakeEngine(" 1")
    server, _ = served(engine, text="x = ", settings=settings)
    engine.status = status or engine.status
    assert await complete(server, 0, 4, uri=uri) is None
    assert engine.requests == []


@pytest.mark.parametrize("pieces", [[], [" "], [" ", "  \n"], ["y"]])
async def test_nothing_worth_showing_is_null(pieces: list[str]) -> None:
    engine = FakeEngine(*pieces)
    server, _ = served(engine, text="x = ")
    assert await complete(server, 0, 4) is None
    assert len(engine.requests) == 1


async def test_an_error_is_no_ghost_text_and_no_message() -> None:
    server, editor = served(FakeEngine(error=HostLost("It went away.")), text="x = ")
    assert await complete(server, 0, 4) is None
    assert editor.messages == []


@pytest.mark.parametrize(
    ("text", "line", "character", "prefix"),
    [
        pytest.param("x.\ny.\n", 0, 2, "x", id="the end of a line"),
        pytest.param("x.\ny.", 0, 99, "x", id="past the end of a line"),
        pytest.param("x.\ny.", 99, 0, "x.\ny", id="past the last line"),
        pytest.param("'😀'.y", 0, 5, "'😀", id="behind a character of two code units"),
        pytest.param("x.\r\ny.", 1, 2, "x.\ny", id="behind another line end"),
    ],
)
async def test_the_position_counts_as_lsp_wants(text: str, line: int, character: int, prefix: str) -> None:
    engine = FakeEngine("'.z" if "'" in text else ".z")
    server, _ = served(engine, text=text)
    assert ghost_text(await complete(server, line, character)) == "z"
    assert asked_of(engine).messages[-1] == Message("assistant", f"```python\n# src/a.py\n{prefix}")


async def test_the_model_hears_of_the_files_path_and_what_follows() -> None:
    engine = FakeEngine(" 1")
    server, _ = served(engine, text="x = \nprint(x)\n")
    await complete(server, 0, 4)
    assert said_by(engine) == "Write the file `src/a.py`. It ends with:\n```python\nprint(x)\n\n```"


async def test_the_settings_are_asked_for() -> None:
    wanted = Settings(completion=CompletionSettings(debounce=0, max_tokens=7, max_lines=2))
    engine = FakeEngine("    a\n", "    b\n", "    c\n")
    server, _ = served(engine, text="if x:\n    ", settings=wanted)
    assert ghost_text(await complete(server, 1, 4)) == "a\n    b"
    assert asked_of(engine).sampling.max_tokens == 7


OTHER = "def area_of(shape, unit):\n    return shape.width * shape.height * unit.factor\n"


@pytest.mark.parametrize(
    ("context", "language", "name", "read"),
    [
        pytest.param(True, "python", "b.py", True, id="wanted"),
        pytest.param(False, "python", "b.py", False, id="not wanted"),
        pytest.param(True, "markdown", "b.md", False, id="another language"),
        pytest.param(True, "python", ".env", False, id="secrets"),
    ],
)
async def test_what_is_related_in_other_documents_is_read_where_it_is_wanted(
    context: bool, language: str, name: str, read: bool
) -> None:
    wanted = Settings(completion=CompletionSettings(debounce=0, context=context))
    engine = FakeEngine(" 1")
    text = "def volume_of(shape, unit):\n    base = shape.width * shape.height\n    return "
    server, _ = served(engine, text=text, settings=wanted)
    server.documents.open(types.TextDocumentItem(f"{FOLDER}/{name}", language, 1, OTHER))
    await complete(server, 2, 11)
    assert (OTHER in asked_of(engine).messages[1].content) == read


async def test_only_typing_is_waited_for() -> None:
    settings = Settings(completion=CompletionSettings(debounce=3600))
    engine = FakeEngine(" 1")
    server, _ = served(engine, text="x = ", settings=settings)
    with anyio.move_on_after(0.02) as waited:
        await complete(server, 0, 4, kind=AUTOMATIC)
    assert waited.cancelled_caught
    assert engine.requests == []
    assert ghost_text(await complete(server, 0, 4, kind=INVOKED)) == "1"


async def test_what_is_typed_meanwhile_does_not_change_the_question() -> None:
    settings = Settings(completion=CompletionSettings(debounce=0.02))
    engine = FakeEngine(".z")
    server, _ = served(engine, text="x.", settings=settings)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: complete(server, 0, 2, kind=AUTOMATIC))
        await anyio.wait_all_tasks_blocked()
        server.documents.open(types.TextDocumentItem(URI, "python", 2, "something else"))
    assert asked_of(engine).messages[-1].content == "```python\n# src/a.py\nx"


async def test_to_cancel_is_to_leave_the_model() -> None:
    engine = FakeEngine(" 1", hangs=True)
    server, _ = served(engine, text="x = ")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(complete, server, 0, 4)
        await engine.hanging.wait()
        tasks.cancel_scope.cancel()
    assert engine.left_early


# What the editor tells, beside requests


async def prefilled(
    server: PhialServer, engine: FakeEngine, *messages: tuple[str, dict[str, Any]]
) -> list[Any]:
    """Return the requests that these notifications lead to."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.ghost_text.suggestions.run)
        for method, params in messages:
            receive(server, {"method": method, "params": params})
            await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    return [(request.priority, request.sampling.max_tokens) for request in engine.requests]


def opened(uri: str = URI) -> tuple[str, dict[str, Any]]:
    item = {"uri": uri, "languageId": "python", "version": 1, "text": "import os\n"}
    return "textDocument/didOpen", {"textDocument": item}


def saved() -> tuple[str, dict[str, Any]]:
    return "textDocument/didSave", {"textDocument": {"uri": URI}}


async def test_a_document_is_read_when_it_is_opened_and_not_again_when_it_is_saved() -> None:
    engine = FakeEngine()
    server, _ = served(engine)
    engine.abilities = Abilities(regex=True, ahead=True)
    assert await prefilled(server, engine, opened(), saved()) == [(PREFILL_PRIORITY, 0)]


@pytest.mark.parametrize("state", ["ready", "loading"])
async def test_a_server_of_the_users_reads_nothing_ahead_and_neither_does_a_model_that_loads(
    state: State,
) -> None:
    engine = FakeEngine()
    server, _ = served(engine)
    engine.status = Status(state, "")
    engine.abilities = Abilities(regex=True, ahead=state == "loading")
    assert await prefilled(server, engine, opened(), saved()) == []


async def test_reading_ahead_makes_way_for_a_question() -> None:
    engine = FakeEngine("x", hangs=True)
    server, _ = served(engine)
    engine.abilities = Abilities(regex=True, ahead=True)

    async def ask_why() -> None:
        await chat(server, ChatParams("Why?"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.ghost_text.suggestions.run)
        method, params = opened()
        receive(server, {"method": method, "params": params})
        await engine.hanging.wait()
        tasks.start_soon(ask_why)
        await anyio.wait_all_tasks_blocked()
        assert [request.priority for request in engine.requests] == [PREFILL_PRIORITY, CHAT_PRIORITY]
        assert engine.left == 1
        tasks.cancel_scope.cancel()


async def test_a_keystroke_is_told_of_apart_from_a_move() -> None:
    engine = FakeEngine(" 1")
    server, _ = served(engine, text="x = \ny = \n")
    assert ghost_text(await complete(server, 0, 4)) == "1"
    assert await complete(server, 1, 4) is None
    at = {"line": 1, "character": 4}
    change = {"range": {"start": at, "end": at}, "text": " "}
    document = {"uri": URI, "version": 2}
    receive(
        server,
        {
            "method": "textDocument/didChange",
            "params": {"textDocument": document, "contentChanges": [change]},
        },
    )
    await complete(server, 1, 5)
    assert len(engine.requests) == 2


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (f"{FOLDER}/src/a%20b.py", "src/a b.py"),
        ("file:///elsewhere/b.py", "b.py"),
        ("untitled:Untitled-1", "untitled:Untitled-1"),
        ("file:///work/project2/c.py", "c.py"),
    ],
)
async def test_a_path_is_told_below_the_workspace_folder(uri: str, path: str) -> None:
    engine = FakeEngine("z")
    server, _ = served(engine)
    server.documents.open(types.TextDocumentItem(uri, "python", 1, "x."))
    await complete(server, 0, 2, uri=uri)
    assert said_by(engine) == f"Write the file `{path}`."


# Chat


CODE = "def f():\n    return 1\n"
WHOLE = types.TextDocumentIdentifier(URI)
SECOND_LINE = types.Range(types.Position(1, 0), types.Position(1, 12))


async def test_a_question_is_answered() -> None:
    engine = FakeEngine("Be", "cause.", finish_reason="length")
    settings = Settings(chat=ChatSettings(max_tokens=9, temperature=0.5))
    server, editor = served(engine, settings=settings)
    result = await chat(server, ChatParams("Why?"))
    assert result == ChatResult("Because.", "length", ChatUsage(20, 16, 5))
    assert said_by(engine) == "Why?"
    assert (asked_of(engine).sampling.max_tokens, asked_of(engine).sampling.temperature) == (9, 0.5)
    assert editor.messages == []


@pytest.mark.parametrize("token", ["t", 0])
async def test_whoever_gives_a_token_gets_the_pieces(token: int | str) -> None:
    server, editor = served(FakeEngine("Be", "cause", "."))
    result = await chat(server, ChatParams("Why?", partial_result_token=token))
    progress = editor.params_of("$/progress")
    assert {piece["token"] for piece in progress} == {token}
    assert "".join(piece["value"]["text"] for piece in progress) == result.text == "Because."


@pytest.mark.parametrize(
    ("params", "said"),
    [
        pytest.param(
            ChatParams("Why?", text_document=WHOLE),
            f"From `src/a.py`:\n```python\n{CODE}\n```\n\nWhy?",
            id="about a document",
        ),
        pytest.param(
            ChatParams("Why?", "fix", WHOLE, SECOND_LINE),
            "From `src/a.py`:\n```python\n    return 1\n```\n\n"
            "Find what is wrong in this code and give the corrected code. Why?",
            id="a task about a range",
        ),
        pytest.param(ChatParams("Why?"), "Why?", id="about nothing"),
    ],
)
async def test_what_is_asked(params: ChatParams, said: str) -> None:
    engine = FakeEngine("x")
    server, _ = served(engine, text=CODE)
    await chat(server, params)
    assert said_by(engine) == said


async def test_the_conversation_comes_along() -> None:
    engine = FakeEngine("x")
    server, _ = served(engine)
    await chat(server, ChatParams("And?", conversation=[Turn("user", "Hi"), Turn("assistant", "Hello")]))
    assert asked_of(engine).messages[1:3] == (Message("user", "Hi"), Message("assistant", "Hello"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (ChatParams(), "There is nothing to answer. Write a question, or select some code."),
        (ChatParams(" \n"), "There is nothing to answer. Write a question, or select some code."),
        (ChatParams("", "explain"), "There is nothing to answer. Write a question, or select some code."),
        (
            ChatParams("Why?", text_document=types.TextDocumentIdentifier("file:///b.py")),
            "/b.py cannot be read: No such file or directory. Open it in the editor.",
        ),
        (
            ChatParams("", "explain", WHOLE, types.Range(types.Position(1, 0), types.Position(1, 4))),
            "The selection is empty. Select the code that you mean.",
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_advice(params: ChatParams, message: str) -> None:
    engine = FakeEngine("x")
    server, _ = served(engine, text=CODE)
    with pytest.raises(RequestFailed) as caught:
        await chat(server, params)
    assert (caught.value.message, caught.value.data) == (message, {"code": "invalid_request"})
    assert caught.value.code == types.LSPErrorCodes.RequestFailed.value
    assert engine.requests == []


@pytest.mark.parametrize("error", [HostLost("It went away."), ModelNotFound("There is none.")])
async def test_an_error_of_the_engine_is_told_with_its_code_and_advice(error: PhialError) -> None:
    server, _ = served(FakeEngine("a", error=error), text=CODE)
    arguments = CommandArguments("Why?", WHOLE)
    for handle in (
        lambda: chat(server, ChatParams("Why?")),
        lambda: ask(server, arguments),
        lambda: explain_selection(server, arguments),
    ):
        with pytest.raises(RequestFailed) as caught:
            await handle()
        assert (caught.value.message, caught.value.data) == (str(error), {"code": error.code})
        assert error.advice in caught.value.message


async def test_the_commands_ask_and_explain() -> None:
    server, _ = served(FakeEngine("Because."), text=CODE)
    assert (await ask(server, CommandArguments("Why?"))).text == "Because."
    server.engine = engine = FakeEngine("It returns 1.")
    arguments = CommandArguments(text_document=WHOLE, range=SECOND_LINE)
    assert (await explain_selection(server, arguments)).text == "It returns 1."
    assert said_by(engine).startswith(
        "From `src/a.py`:\n```python\n    return 1\n```\n\nExplain what this code does"
    )


# Status


def test_the_status_is_the_engines() -> None:
    engine = FakeEngine()
    engine.status = Status(
        *("loading", "Wait.", 0.5, "Phi-3", "CPU"),
        starter=True,
        device_reason="There is no GPU.",
        tokens_per_second=5.5,
    )
    server, _ = served(engine)
    told = status(server, None)
    assert isinstance(told, StatusResult)
    assert attrs.asdict(told) == asdict(engine.status)


def test_each_change_of_the_status_is_told() -> None:
    server, editor = served(FakeEngine())
    server.tell(Status("loading", "Wait.", fraction=0.5))
    assert editor.messages == [
        {
            "jsonrpc": "2.0",
            "method": "phial/status",
            "params": {"state": "loading", "message": "Wait.", "fraction": 0.5},
        }
    ]


def test_a_failure_is_shown() -> None:
    server, editor = served(FakeEngine())
    server.tell(Status("failed", "No model is installed."))
    [shown] = editor.params_of("window/showMessage")
    assert (shown["type"], shown["message"]) == (1, "Phial: No model is installed.")


# Settings


async def test_changed_settings_are_taken_over() -> None:
    server, editor = served(FakeEngine())
    changed = {"phial": {"completion": {"enable": False}, "chat": {"maxTokens": 9}}}
    await did_change_configuration(server, types.DidChangeConfigurationParams(changed))
    assert server.settings == Settings(
        completion=CompletionSettings(enable=False), chat=ChatSettings(max_tokens=9)
    )
    assert editor.messages == []


async def test_what_is_wrong_with_settings_is_shown_in_one_message() -> None:
    server, editor = served(FakeEngine())
    server.use({"device": 7, "speed": "fast"})
    [shown] = editor.params_of("window/showMessage")
    assert shown["type"] == 2
    assert shown["message"] == (
        "Phial's settings: `phial.device` must be a string, not 7; the default is used."
        " `phial.speed` is not a setting of Phial; it is ignored."
    )


async def test_an_editor_that_only_says_that_they_changed_is_asked() -> None:
    server, editor = served(FakeEngine(), workspace={"configuration": True})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(did_change_configuration, server, types.DidChangeConfigurationParams(None))
        await editor.until(lambda: bool(editor.messages))
        [request] = editor.messages
        assert request["method"] == "workspace/configuration"
        assert request["params"] == {"items": [{"section": "phial"}]}
        receive(server, {"id": request["id"], "result": [{"device": "GPU"}]})
    assert server.settings == Settings(device="GPU")


async def test_an_editor_that_cannot_be_asked_has_the_defaults() -> None:
    server, editor = served(FakeEngine())
    await did_change_configuration(server, types.DidChangeConfigurationParams(None))
    assert server.settings == Settings()
    assert editor.messages == []


async def test_the_engine_changes_with_its_settings_and_only_then() -> None:
    server, editor = served(FakeEngine(), settings=Settings())
    first, second = ({"engine": {"url": f"http://127.0.0.1:{port}"}} for port in (1, 2))

    def told() -> list[str]:
        return [params["message"] for params in editor.params_of("phial/status")]

    server.use(first)
    server.connect()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        await editor.until(lambda: len(told()) == 1)
        engine = server.engine
        assert isinstance(engine, OpenAIEngine)
        server.use({**first, "completion": {"enable": False}})
        await anyio.wait_all_tasks_blocked()
        assert server.engine is engine
        server.use(second)
        await editor.until(lambda: len(told()) == 2)
        assert server.engine is not engine
        tasks.cancel_scope.cancel()
    assert told() == [f"Using the server at http://127.0.0.1:{port}." for port in (1, 2)]


# The handshake


def test_the_server_says_what_it_can_do() -> None:
    server, editor = create_server(), Editor()
    server.protocol.set_writer(editor, include_headers=False)
    params = {
        "processId": None,
        "rootUri": None,
        "capabilities": {"general": {"positionEncodings": ["utf-8", "utf-16"]}},
        "initializationOptions": {"device": "GPU"},
    }
    receive(server, {"id": 0, "method": "initialize", "params": params})
    [response] = editor.messages
    capabilities = response["result"]["capabilities"]
    assert capabilities["inlineCompletionProvider"] == {}
    assert set(capabilities["executeCommandProvider"]["commands"]) == {"phial.ask", "phial.explainSelection"}
    assert capabilities["positionEncoding"] == server.documents.encoding.value
    assert server.settings == replace(Settings(), device="GPU")
