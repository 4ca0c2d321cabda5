"""`phial/chat`: an answer in pieces, stopped on request."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from phial.address import HostAddress
from support.editors import Editor, ResponseError, editor
from support.hosts import after_many_turns, metrics, relay_to, until_counted

GENERATED = "phial_generated_tokens_total"
STEPS = "phial_step_seconds_count"
STORY = "Tell me a long story about a king and his seven daughters."


async def test_pieces_join_to_the_text(window: Editor) -> None:
    answer = await window.chat("What is a list in Python?", partialResultToken="t")
    pieces = window.pieces("t")
    assert len(pieces) > 1
    assert "".join(pieces) == answer["text"]
    assert answer["finishReason"] in {"stop", "length"}
    assert answer["text"].strip()


async def test_usage(window: Editor) -> None:
    await window.chat(STORY)
    answer = await window.chat(STORY)
    assert answer["finishReason"] == "length"
    assert answer["usage"]["completionTokens"] == 24
    assert (
        answer["usage"]["promptTokens"] - 32
        <= answer["usage"]["cachedTokens"]
        < answer["usage"]["promptTokens"]
    )


async def test_no_pieces_without_a_token(window: Editor) -> None:
    told = len(window.told("$/progress"))
    assert (await window.chat("What is a list in Python?"))["text"]
    assert len(window.told("$/progress")) == told


async def test_model_is_asked_with_code_and_conversation(host: HostAddress) -> None:
    async with (
        relay_to(host) as relay,
        editor({"engine": {"url": relay.url, "key": host.token}, "chat": {"maxTokens": 3}}) as window,
    ):
        uri = window.open("import os\n\n\ndef add(a, b):\n    return a + b\n", "file:///work/sums.py")
        await window.chat(
            "Is it right?",
            task="fix",
            textDocument={"uri": uri},
            range={"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 16}},
            conversation=[
                {"role": "user", "content": "Hello."},
                {"role": "assistant", "content": "Hello!"},
            ],
        )
        asked = relay.questions[-1]
    assert [message["role"] for message in asked["messages"]] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in asked["messages"][1:3]] == ["Hello.", "Hello!"]
    last = asked["messages"][3]["content"]
    assert "From `sums.py`:\n```python\ndef add(a, b):\n    return a + b\n```\n" in last
    assert last.endswith("Is it right?")
    assert "import os" not in last
    assert asked["max_tokens"] == 3


@pytest.mark.parametrize("task", ["explain", "fix", "document", "test"])
async def test_tasks(window: Editor, task: str) -> None:
    uri = window.open("def add(a, b):\n    return a + b\n")
    assert (await window.chat(task=task, textDocument={"uri": uri}))["text"].strip()


async def test_cancelled(settings: dict[str, Any], host: HostAddress) -> None:
    async with editor(settings) as window:
        await window.until_ready()
        before = await metrics(host)
        number = window.ask("phial/chat", {"question": STORY, "partialResultToken": 1})
        await window.until(lambda message: message.get("method") == "$/progress")
        window.notify("$/cancelRequest", {"id": number})
        with pytest.raises(ResponseError) as caught:
            await window.result(number)
        since = await metrics(host)
        assert caught.value.code == -32800
        now = await after_many_turns(host)
        assert now[STEPS] - since[STEPS] <= 2
        assert now[GENERATED] - since[GENERATED] <= 2
        assert now["phial_requests_total{cancelled}"] == before.get("phial_requests_total{cancelled}", 0) + 1
        heard = len(window.pieces(1))
        assert "Paris" in (await window.chat("What is the capital of France?"))["text"]
        assert len(window.pieces(1)) == heard


async def test_cancelled_before_the_first_token(window: Editor, host: HostAddress) -> None:
    uri = window.open("one two three four five six seven eight nine ten\n" * 500)
    before = await metrics(host)
    number = window.ask("phial/chat", {"task": "explain", "textDocument": {"uri": uri}})
    prefilled = "phial_prefilled_tokens_total"
    await until_counted(host, lambda now: now[prefilled] > before[prefilled])
    window.notify("$/cancelRequest", {"id": number})
    with pytest.raises(ResponseError, match="-32800"):
        await window.result(number)
    since = await metrics(host)
    now = await after_many_turns(host)
    assert now[prefilled] - since[prefilled] <= 64
    assert now[GENERATED] == before[GENERATED]


async def test_shutdown_ends_a_chat(settings: dict[str, Any], host: HostAddress) -> None:
    before = await metrics(host)
    async with editor(settings) as window:
        await window.until_ready()
        number = window.ask("phial/chat", {"question": STORY, "partialResultToken": 1})
        await window.until(lambda message: message.get("method") == "$/progress")
        await window.leave()
        with pytest.raises(ResponseError, match="-32800"):
            await window.result(number)
    since = await metrics(host)
    now = await after_many_turns(host)
    assert now[GENERATED] - since[GENERATED] <= 2
    assert now["phial_requests_total{cancelled}"] == before.get("phial_requests_total{cancelled}", 0) + 1


async def test_editor_that_dies_ends_its_chat(settings: dict[str, Any], host: HostAddress) -> None:
    before = await metrics(host)
    async with editor(settings) as window:
        await window.until_ready()
        window.ask("phial/chat", {"question": STORY, "partialResultToken": 1})
        await window.until(lambda message: message.get("method") == "$/progress")
        window.process.kill()
        await window.process.wait()
    since = await metrics(host)
    now = await after_many_turns(host)
    assert now[GENERATED] - since[GENERATED] <= 2
    assert now["phial_requests_total{cancelled}"] == before.get("phial_requests_total{cancelled}", 0) + 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "There is nothing to answer. Write a question, or select some code."),
        ({"question": " "}, "There is nothing to answer. Write a question, or select some code."),
        ({"task": "explain"}, "There is nothing to answer. Write a question, or select some code."),
        (
            {"question": "?", "textDocument": {"uri": "file:///never/opened.py"}},
            "/never/opened.py cannot be read: No such file or directory. Open it in the editor.",
        ),
        (
            {"question": "?", "attachments": [{"textDocument": {"uri": "git:/a.py"}}]},
            "git:/a.py is not open. Open it in the editor and try again.",
        ),
        (
            {
                "task": "explain",
                "textDocument": {"uri": "file:///work/a.py"},
                "range": {"start": {"line": 0, "character": 1}, "end": {"line": 0, "character": 1}},
            },
            "The selection is empty. Select the code that you mean.",
        ),
    ],
)
async def test_nothing_to_answer(window: Editor, params: dict[str, Any], message: str) -> None:
    window.open("x = 1\n")
    with pytest.raises(ResponseError) as caught:
        await window.request("phial/chat", params)
    assert caught.value.message == message
    assert caught.value.code == -32803
    assert caught.value.data == {"code": "invalid_request"}
    assert "Traceback" not in window.stderr


@pytest.mark.parametrize(
    "params",
    [
        None,
        {"task": "sing"},
        {"question": "?", "conversation": "before"},
        {"question": "?", "conversation": [{"role": "robot", "content": "Hello."}]},
        {"question": "?", "textDocument": {"uri": "file:///work/a.py"}, "range": {"start": 1}},
    ],
)
async def test_params_that_cannot_be_understood(window: Editor, params: Any) -> None:
    """They get an answer like any request: pygls leaves them without."""
    with pytest.raises(ResponseError, match=r"phial/chat cannot be understood: look at message\.params"):
        await window.request("phial/chat", params)
    assert (await window.request("phial/status", None))["state"] == "ready"
    assert window.told("window/showMessage") == []
    assert "Traceback" not in window.stderr


async def test_question_that_is_too_long(window: Editor) -> None:
    with pytest.raises(ResponseError) as caught:
        await window.chat("word\n" * 5_000)
    assert caught.value.data == {"code": "context_length_exceeded"}
    assert "Select less code" in caught.value.message
    assert caught.value.message.count("Select less code") == 1


async def test_files_that_are_not_open_are_read(window: Editor, tmp_path: Path) -> None:
    (tmp_path / "capital.md").write_text("The capital of Wonderland is Teapot City.\n", "utf-8")
    (tmp_path / "noise.md").write_text("\n".join(f"Line {number}." for number in range(90)), "utf-8")
    first = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 7}}
    attachments = [
        {"textDocument": {"uri": (tmp_path / "capital.md").as_uri()}},
        {"textDocument": {"uri": (tmp_path / "noise.md").as_uri()}, "range": first},
    ]
    whole = await window.chat("What is the capital of Wonderland?", attachments=attachments)
    assert "Teapot" in whole["text"]
    assert whole["usage"]["promptTokens"] < 150


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is no text in UTF-8. Choose a source file."),
        (b" \n", "a.py is empty. Select the code that you mean."),
        (b"x" * 1_000_001, "is too large to ask about. Open it and select a part of it."),
    ],
)
async def test_files_that_cannot_be_used(
    window: Editor, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(content)
    with pytest.raises(ResponseError, match=re.escape(message)):
        await window.chat("?", attachments=[{"textDocument": {"uri": file.as_uri()}}])
