"""`textDocument/inlineCompletion`: ghost text from the host, or null."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from phial.address import HostAddress
from phial.assist.completion import complete
from phial.assist.excerpt import excerpt_around
from phial.engine.client import OpenAIEngine
from phial.settings import CompletionSettings
from support.editors import Editor, ResponseError, completion_params, editor
from support.hosts import after_many_turns, metrics, until_counted

GENERATED = "phial_generated_tokens_total"

CODE = '''"""Shapes."""

import math


def area_of_circle(radius):
    return math.pi * radius ** 2


def area_of_square(side):
    return $0


def area_of_rectangle(width, height):
    return width * height
'''

ASTRAL = """names = {"smile": "😀", "heart": "❤️"}


def greet(name):
    return "😀 hello " + $0


def leave(name):
    return "😀 bye " + name
"""


ALTERNATIVES = 3
"""How many are written at once for somebody who asks."""


def cursor(code: str) -> tuple[str, str, int, str]:
    """Return the text before and after `$0`, its line, and the line's text before it."""
    before, after = code.split("$0")
    return before, after, before.count("\n"), before.rpartition("\n")[2]


async def expected(engine: OpenAIEngine, code: str, language: str = "python") -> str | None:
    """Return what the host itself gives, once its cache knows the prompt: as it will for the server."""
    before, after, _, _ = cursor(code)
    excerpt = excerpt_around(before, after, path="a.py", language=language)
    wanted = CompletionSettings()
    found = None
    for _ in range(2):
        found = await complete(engine, excerpt, max_tokens=wanted.max_tokens, max_lines=wanted.max_lines)
    return found.insertion.text if found else None


async def completed(window: Editor, code: str) -> str | None:
    before, after, line, line_before = cursor(code)
    return await window.complete(window.open(before + after), line, len(line_before), unasked=True)


@pytest.mark.parametrize(
    "code",
    [
        CODE,
        "numbers = [1, 2, 3]\ntotal = sum(num$0",
        "def double(x):\n    return x * 2\n\n\ndef triple(x):$0\n",
    ],
    ids=["rest of a line", "inside a word", "block"],
)
async def test_what_the_host_gives(window: Editor, engine: OpenAIEngine, code: str) -> None:
    wanted = await expected(engine, code)
    assert wanted
    assert await completed(window, code) == wanted


async def test_item(window: Editor) -> None:
    before, after, line, line_before = cursor(CODE)
    uri = window.open(before + after)
    found = await window.request(
        "textDocument/inlineCompletion", completion_params(uri, line, len(line_before))
    )
    at = {"line": line, "character": len(line_before)}
    [item] = found["items"]
    assert item["range"] == {"start": at, "end": at}
    assert item["insertText"]


@pytest.mark.parametrize(
    ("encoding", "codec", "unit"),
    [("utf-8", "utf-8", 1), ("utf-16", "utf-16-le", 2), ("utf-32", "utf-32-le", 4)],
)
async def test_same_place_in_every_encoding(
    settings: dict[str, Any], engine: OpenAIEngine, encoding: str, codec: str, unit: int
) -> None:
    wanted = await expected(engine, ASTRAL)
    assert wanted
    before, after, line, line_before = cursor(ASTRAL)
    character = len(line_before.encode(codec)) // unit
    async with editor(settings, capabilities={"general": {"positionEncodings": [encoding]}}) as window:
        await window.until_ready()
        uri = window.open(before + after)
        found = await window.request("textDocument/inlineCompletion", completion_params(uri, line, character))
    texts = [item["insertText"] for item in found["items"]]
    assert texts[0] == wanted
    assert len(set(texts)) == len(texts) <= ALTERNATIVES
    assert found["items"][0]["range"]["start"] == {"line": line, "character": character}


async def test_nothing_where_it_is_switched_off(settings: dict[str, Any], host: HostAddress) -> None:
    async with editor({**settings, "completion": {"enable": False}}) as window:
        await window.until_ready()
        before = await metrics(host)
        assert await completed(window, CODE) is None
        assert (await metrics(host))["phial_prompt_tokens_total"] == before["phial_prompt_tokens_total"]


async def test_nothing_for_a_language_that_is_switched_off(settings: dict[str, Any]) -> None:
    async with editor({**settings, "completion": {"disabledLanguages": ["markdown"]}}) as window:
        await window.until_ready()
        text = "def square(x):\n    return "
        off = window.open(text, "file:///work/a.md", language="markdown")
        assert await window.complete(off, 1, 11) is None
        assert await window.complete(window.open(text), 1, 11)


async def test_nothing_in_a_document_that_is_not_open(window: Editor) -> None:
    assert await window.complete("file:///never/opened.py", 0, 0) is None
    uri = window.open("x = ")
    window.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert await window.complete(uri, 0, 4) is None


async def test_cancelled_while_it_is_computed(settings: dict[str, Any], host: HostAddress) -> None:
    async with editor({**settings, "completion": {"maxTokens": 4000, "maxLines": 500}}) as window:
        await window.until_ready()
        uri = window.open("# The numbers from one to a thousand\nnumbers = [")
        before = await metrics(host)
        number = window.ask("textDocument/inlineCompletion", completion_params(uri, 1, 11))
        await until_counted(host, lambda now: now[GENERATED] > before[GENERATED])
        window.notify("$/cancelRequest", {"id": number})
        with pytest.raises(ResponseError) as caught:
            await window.result(number)
        assert caught.value.code == -32800
        since = await metrics(host)
        now = await after_many_turns(host)
        assert now[GENERATED] - since[GENERATED] <= 2
        assert (
            now["phial_requests_total{cancelled}"]
            == before.get("phial_requests_total{cancelled}", 0) + ALTERNATIVES
        )
        assert await completed(window, CODE)


async def test_pause_in_typing_is_waited_for(settings: dict[str, Any], host: HostAddress) -> None:
    """What VS Code does: a request at each keystroke, which cancels the one before."""
    before, after, line, line_before = cursor(CODE)
    async with editor({**settings, "completion": {"debounce": 1.0}}) as window:
        await window.until_ready()
        uri = window.open(before + after)
        counted = await metrics(host)
        params = {**completion_params(uri, line, len(line_before)), "context": {"triggerKind": 2}}
        cancelled = []
        for _ in range(5):
            cancelled.append(window.ask("textDocument/inlineCompletion", params))
            window.notify("$/cancelRequest", {"id": cancelled[-1]})
        last = window.ask("textDocument/inlineCompletion", params)
        assert (await window.result(last))["items"][0]["insertText"]
        for number in cancelled:
            with pytest.raises(ResponseError, match="-32800"):
                await window.result(number)
        now = await metrics(host)
    requests = [name for name in now if name.startswith("phial_requests_total")]
    assert sum(now[name] - counted.get(name, 0) for name in requests) == 1


async def test_many_at_once(window: Editor) -> None:
    uris = [
        window.open(f"def number_{number}():\n    return ", f"file:///{number}.py") for number in range(6)
    ]
    found: dict[str, str | None] = {}

    async def one(uri: str) -> None:
        found[uri] = await window.complete(uri, 1, 11)

    async with anyio.create_task_group() as tasks:
        for uri in uris:
            tasks.start_soon(one, uri)
    assert set(found) == set(uris)
    assert any(found.values())


@pytest.mark.parametrize(
    "position",
    [
        {"line": -1, "character": 0},
        {"line": 0, "character": 2**31},
        {"line": "0", "character": None},
        None,
    ],
)
async def test_position_that_is_none(window: Editor, position: Any) -> None:
    uri = window.open("x = ")
    with pytest.raises(ResponseError, match=r"cannot be understood: look at message\.params\.position"):
        await window.request(
            "textDocument/inlineCompletion", {**completion_params(uri, 0, 0), "position": position}
        )
