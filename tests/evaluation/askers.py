"""Who fills the holes: `phial serve`, as an editor drives it, or the engine without it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import anyio

from evaluation.holes import Hole, Shown
from evaluation.siblings import snippets
from evaluation.variants import Way
from phial.assist.excerpt import Excerpt, excerpt_around
from phial.engine.base import Status
from phial.engine.local import LocalEngine, Wish
from phial.errors import EngineError
from support.editors import Editor
from support.processes import PHIAL


@dataclass(frozen=True)
class Told:
    """What is told of the model that fills the holes."""

    model: str
    starter: bool


Ask = Callable[[Hole], Awaitable[Shown | None]]
Trigger = Literal["automatic", "invoked"]
Answer = TypeVar("Answer")

_TRIGGERS: dict[Trigger, int] = {"invoked": 1, "automatic": 2}
"""LSP's `InlineCompletionTriggerKind`."""

_PATIENCE = 1800.0
"""Seconds for one answer, or for the model to load: a model that is too large for a machine is no fault."""

_WORKSPACE = "file:///evaluation"


@asynccontextmanager
async def language_server(
    settings: dict[str, Any], *, trigger: Trigger, log: Path
) -> AsyncIterator[tuple[Ask, Told]]:
    """Start `phial serve`, and wait for its model; yield how to ask, and what is told of the model."""
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *PHIAL, "serve", stdin=PIPE, stdout=PIPE, stderr=stderr, cwd=Path(sys.executable).parent
        )
    window = Editor(process, log)
    listening = asyncio.create_task(window.listen())
    try:
        await _shake_hands(window, settings)
        status = await _patiently(lambda: window.status("ready", "failed"))
        if status["state"] == "failed":
            raise EngineError(status["message"], advice="")
        told = Told(str(status["model"]), bool(status["starter"]))
        yield lambda hole: complete(window, hole, trigger), told
        await window.leave()
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.wait()
            await listening


async def complete(window: Editor, hole: Hole, trigger: Trigger = "invoked") -> Shown | None:
    """Open the document with the hole cut out, ask at the cursor, and close it, so that no other hole sees it."""
    source = hole.function.source
    uri = window.open(hole.filled(""), f"{_WORKSPACE}/{source.shown_path}", source.package.language)
    number = window.ask(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": uri},
            "position": {
                "line": hole.prefix.count("\n"),
                "character": len(hole.prefix.rpartition("\n")[2]),
            },
            "context": {"triggerKind": _TRIGGERS[trigger]},
        },
    )
    found = await _patiently(lambda: window.result(number))
    window.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    if found and found["items"]:
        return read_item(found["items"][0], hole)
    state = window.told("phial/status")[-1]
    if state["state"] != "ready":  # then null does not mean that there is nothing to show
        raise EngineError(f"The model has gone: {state['message']}", advice="Run the same command to go on.")
    return None


def read_item(item: dict[str, Any], hole: Hole) -> Shown:
    """Read one of LSP's `InlineCompletionItem`s: what it repeats of the text before the cursor is not new."""
    text, cursor = str(item["insertText"]), len(hole.prefix)
    if not item.get("range"):
        return Shown(text)
    start, end = (_offset(hole.filled(""), item["range"][place]) for place in ("start", "end"))
    typed = hole.prefix[start:]
    if text.startswith(typed):
        return Shown(text[len(typed) :], 0, end - cursor)
    return Shown(text, cursor - start, end - cursor)


def excerpt_of(hole: Hole) -> Excerpt:
    """Return what the language server would see around a hole."""
    source = hole.function.source
    return excerpt_around(hole.prefix, hole.suffix, path=source.shown_path, language=source.package.language)


@asynccontextmanager
async def bare_engine(
    way: Way, *, model: str, device: str, siblings: bool = False
) -> AsyncIterator[tuple[Ask, Told]]:
    """Hold a host, and give a variant what the language server would give to its own way.

    `siblings`: as if the files around a hole's were open, too.
    """
    ready = anyio.Event()
    told: list[Status] = []

    def tell(status: Status) -> None:
        told.append(status)
        if status.state in {"ready", "failed"}:
            ready.set()

    async def ask(hole: Hole) -> Shown | None:
        excerpt = excerpt_of(hole)
        if siblings:
            excerpt = replace(excerpt, related=snippets(hole, excerpt))
        found = await way(engine, excerpt)
        if found is None:
            return None
        return Shown(found.insertion.text, 0, found.insertion.replaces, found.logprobs)

    engine = LocalEngine(Wish(model, device, keep_alive=1.0), tell)
    running = asyncio.create_task(engine.run())  # a task group would wrap the errors that cross it
    try:
        await ready.wait()
        if told[-1].state == "failed":
            raise EngineError(told[-1].message, advice="")
        yield ask, Told(str(told[-1].model), told[-1].starter)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _shake_hands(window: Editor, settings: dict[str, Any]) -> None:
    params = {
        "processId": None,
        "rootUri": None,
        "workspaceFolders": [{"uri": _WORKSPACE, "name": "evaluation"}],
        "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
        "initializationOptions": settings,
    }
    await _patiently(lambda: window.request("initialize", params))
    window.notify("initialized", {})


def _offset(text: str, position: dict[str, int]) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: position["line"]]) + position["character"]


async def _patiently(wait: Callable[[], Awaitable[Answer]]) -> Answer:
    """Wait longer than a test would."""
    with anyio.fail_after(_PATIENCE):
        while True:
            try:
                return await wait()
            except TimeoutError:  # noqa: PERF203 - each round is a minute
                continue
