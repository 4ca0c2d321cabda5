"""`workspace/executeCommand`, for editors that can only send commands."""

from __future__ import annotations

from typing import Any

import pytest

from support.editors import Editor, ResponseError

SPAN = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 16}}
EMPTY = {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 3}}
DOCUMENT = {"uri": "file:///work/a.py"}


async def execute(window: Editor, command: str, *arguments: Any) -> Any:
    return await window.request(
        "workspace/executeCommand", {"command": command, "arguments": list(arguments)}
    )


async def test_ask(window: Editor) -> None:
    answer = await execute(window, "phial.ask", {"question": "What is the capital of France?"})
    assert set(answer) == {"text"}
    assert "Paris" in answer["text"]


async def test_ask_about_a_selection(window: Editor) -> None:
    window.open("def add(a, b):\n    return a + b\n")
    answer = await execute(
        window, "phial.ask", {"question": "What is this?", "textDocument": DOCUMENT, "range": SPAN}
    )
    assert answer["text"].strip()


async def test_explain_selection(window: Editor) -> None:
    window.open("def add(a, b):\n    return a + b\n")
    answer = await execute(window, "phial.explainSelection", {"textDocument": DOCUMENT, "range": SPAN})
    assert set(answer) == {"text"}
    assert answer["text"].strip()


@pytest.mark.parametrize("command", ["phial.ask", "phial.explainSelection"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], -32602),
        ([{}], -32803),
        ([{}, {}], -32602),
        ([1], -32602),
        ([None], -32602),
        (["What is a list?"], -32803),
        ([{"question": "?", "textDocument": 5}], -32602),
        ([{"question": "?", "textDocument": DOCUMENT, "range": "all"}], -32602),
        ([{"question": "?", "textDocument": {"uri": "file:///never/opened.py"}}], -32803),
        ([{"question": "?", "textDocument": DOCUMENT, "range": EMPTY}], -32803),
    ],
)
async def test_wrong_arguments(window: Editor, command: str, arguments: list[Any], code: int) -> None:
    window.open("x = 1\n")
    with pytest.raises(ResponseError) as caught:
        await execute(window, command, *arguments)
    assert caught.value.code == code
    assert caught.value.message
    assert "traceback" not in (caught.value.data or {})
    assert (await window.request("phial/status", None))["state"] == "ready"
    assert "Traceback" not in window.stderr


@pytest.mark.parametrize("command", ["phial.ask", "phial.explainSelection"])
async def test_no_arguments(window: Editor, command: str) -> None:
    with pytest.raises(ResponseError, match="There is nothing to answer") as caught:
        await window.request("workspace/executeCommand", {"command": command})
    assert caught.value.code == -32803


async def test_unknown_command(window: Editor) -> None:
    with pytest.raises(ResponseError, match=r"phial\.dance"):
        await execute(window, "phial.dance", {})


async def test_unknown_method(window: Editor) -> None:
    with pytest.raises(ResponseError) as caught:
        await window.request("phial/dance", {"textDocument": DOCUMENT})
    assert caught.value.code == -32601
