"""Reuse before computing: which keystrokes cost a model call, by what the host counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from phial.address import HostAddress
from support.editors import Editor, ResponseError, completion_params, editor
from support.hosts import Relay, metrics, relay_to, until_counted

TEXT = '''"""Shapes."""

import math


def area_of_circle(radius):
    return math.pi * radius ** 2


def area_of_square(side):
    return '''
LINE, COLUMN = 10, 11
GENERATED, CANCELLED = "phial_generated_tokens_total", "phial_requests_total{cancelled}"


@pytest.fixture
def completion() -> dict[str, Any]:
    every = {"rest": 0, "line": 0, "block": 0}  # what is sure is no matter here
    return {"debounce": 0.01, "timeBudget": 60, "threshold": every}


@pytest.fixture
async def typist(
    settings: dict[str, Any], completion: dict[str, Any], host: HostAddress
) -> AsyncIterator[Typist]:
    """A window that uses the shared host as its own."""
    async with editor({**settings, "completion": completion}) as window:
        await window.until_ready()
        yield Typist(window)


@pytest.fixture
async def overheard(host: HostAddress, completion: dict[str, Any]) -> AsyncIterator[tuple[Typist, Relay]]:
    """A window whose requests are counted as they are sent; nothing is computed ahead."""
    async with relay_to(host) as relay:
        engine = {"url": relay.url, "key": host.token}
        async with editor({"engine": engine, "completion": completion}) as window:
            await window.until_ready()
            yield Typist(window), relay


class Typist:
    """Types at the end of a document, as VS Code tells of it."""

    def __init__(self, window: Editor) -> None:
        self.window = window
        self.uri = window.open(TEXT)
        self.line, self.column, self.version = LINE, COLUMN, 1

    def type(self, text: str) -> None:
        at = {"line": self.line, "character": self.column}
        self.version += 1
        change = {"range": {"start": at, "end": at}, "text": text}
        document = {"uri": self.uri, "version": self.version}
        self.window.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        *above, last = text.split("\n")
        self.line += len(above)
        self.column = len(last) if above else self.column + len(last)

    def ask(self) -> int:
        params = completion_params(self.uri, self.line, self.column, unasked=True)
        return self.window.ask("textDocument/inlineCompletion", params)

    async def shown(self) -> str | None:
        found = await self.window.result(self.ask())
        return str(found["items"][0]["insertText"]) if found else None


async def ended(host: HostAddress) -> float:
    """Return how many requests have come to an end at the host."""
    return total(await metrics(host))


def total(counted: dict[str, float]) -> float:
    return sum(count for name, count in counted.items() if name.startswith("phial_requests_total"))


async def test_typing_what_is_shown_costs_no_model_call(overheard: tuple[Typist, Relay]) -> None:
    typist, relay = overheard
    shown = await typist.shown()
    assert shown
    for number, character in enumerate(shown[:-1], start=1):
        typist.type(character)
        assert await typist.shown() == shown[number:]
    assert len(relay.questions) == 1


async def test_a_keystroke_that_agrees_joins_what_is_being_written(
    overheard: tuple[Typist, Relay],
) -> None:
    """Each cancels the one before, as in VS Code."""
    typist, relay = overheard
    first = typist.ask()
    await relay.until_asked(1)
    typist.window.notify("$/cancelRequest", {"id": first})
    typist.type("side")
    second = typist.ask()
    with pytest.raises(ResponseError, match="-32800"):
        await typist.window.result(first)
    found = await typist.window.result(second)
    assert len(relay.questions) == 1
    assert found["items"][0]["insertText"]


async def test_a_keystroke_that_differs_leaves_the_model(typist: Typist, host: HostAddress) -> None:
    before = await metrics(host)
    first = typist.ask()
    await until_counted(host, lambda now: now[GENERATED] > before[GENERATED])
    typist.window.notify("$/cancelRequest", {"id": first})
    typist.type("xylophone")
    second = typist.ask()
    await until_counted(host, lambda now: now.get(CANCELLED, 0) > before.get(CANCELLED, 0))
    await typist.window.result(second)


async def test_what_follows_an_acceptance_is_there_when_it_is_asked_for(
    typist: Typist, settings: dict[str, Any], host: HostAddress
) -> None:
    before = await ended(host)
    shown = await typist.shown()
    assert shown
    await until_counted(host, lambda now: total(now) >= before + 2)
    # From now on nothing is shown but what is there already.
    manual = {**settings, "completion": {"trigger": "manual"}}
    typist.window.notify("workspace/didChangeConfiguration", {"settings": manual})
    typist.type(shown)
    assert await typist.shown() is None
    typist.type("\n\n\n")
    following = await typist.shown()
    assert following
    assert following.startswith("def ")
    assert await ended(host) == before + 2
