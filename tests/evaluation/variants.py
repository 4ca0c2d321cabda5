"""Other ways to complete, for finding out what each part of the product's own way is worth.

A variant is either a set of settings for `phial serve`, or a way of its own to ask the model, without a server.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

from phial.assist.completion import Completion, complete
from phial.assist.draft import Draft
from phial.assist.excerpt import Excerpt
from phial.assist.prompts import completion, fence_for
from phial.assist.trim import Insertion, trim
from phial.engine.base import (
    COMPLETION_PRIORITY,
    Abilities,
    Chunk,
    Engine,
    Infill,
    Message,
    Request,
    Sampling,
    Status,
)
from phial.settings import CompletionSettings

Way = Callable[[Engine, Excerpt], Awaitable[Completion | None]]

SETTINGS: dict[str, dict[str, Any]] = {
    "default": {"completion": {"debounce": 0}},
    "all": {"completion": {"debounce": 0, "threshold": {"rest": 0, "line": 0, "block": 0}}},
    "short": {"completion": {"debounce": 0, "maxTokens": 32}},
    "long": {"completion": {"debounce": 0, "maxTokens": 256, "maxLines": 40}},
}
"""By name: what is laid over the default settings, as an editor sends them. `all` shows what is unlikely, too."""

_DEFAULTS = CompletionSettings()

_CURSOR = "<CURSOR>"


async def ask(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Ask to complete the code and take what stands in the answer's first code block, as many others do."""
    fence = fence_for(excerpt.prefix + excerpt.suffix)
    question = (
        f"Complete this code. Reply only with the code at {_CURSOR}, without any explanation.\n"
        f"{fence}{excerpt.language}\n{excerpt.prefix}{_CURSOR}{excerpt.suffix}\n{fence}"
    )
    request = Request(
        messages=(Message("system", "You complete source code."), Message("user", question)),
        sampling=Sampling(max_tokens=_DEFAULTS.max_tokens),
        priority=COMPLETION_PRIORITY,
    )
    return _shown(clean(await _written(engine, request), excerpt))


async def ask_and_trim(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Ask as `ask` does, and put the answer through all of the product's own filters."""
    found = await ask(engine, excerpt)
    return _shown(trim(found.insertion.text, excerpt).text) if found else None


async def chat(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Ask as a chat model is asked, whatever else the model can do."""
    return await _complete(_Able(engine, Abilities(regex=engine.abilities.regex)), excerpt)


async def infill(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Ask as a model is asked that can only fill in the middle, where it can."""
    return await _complete(_Able(engine, replace(engine.abilities, chat=False)), excerpt)


async def unheld(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Cut the word back, and hope that the answer goes through it."""
    return await _complete(_Able(engine, Abilities()), excerpt)


async def unhealed(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Leave the word that is being typed in the prompt, cut in its middle."""
    return await _complete(_Unhealed(engine, Abilities()), excerpt)


async def untrimmed(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Take what the model writes up to its closing fence."""
    prompt = completion(excerpt, Abilities(regex=engine.abilities.regex), max_tokens=_DEFAULTS.max_tokens)
    written = await _written(engine, prompt.request)
    return _shown(written.removeprefix(prompt.fragment)) if written.startswith(prompt.fragment) else None


async def prefix_only(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Do without what stands below the cursor's line."""
    return await chat(engine, replace(excerpt, suffix=excerpt.line_after))


async def no_path(engine: Engine, excerpt: Excerpt) -> Completion | None:
    """Do without the file's path."""
    return await chat(engine, replace(excerpt, path=""))


WAYS: dict[str, Way] = {
    "chat": chat,
    "context": chat,
    "infill": infill,
    "ask": ask,
    "ask-and-trim": ask_and_trim,
    "unheld": unheld,
    "unhealed": unhealed,
    "untrimmed": untrimmed,
    "prefix-only": prefix_only,
    "no-path": no_path,
}
"""By name: from an engine and an excerpt to what would be shown, however unlikely."""

WITH_SIBLINGS = {"context"}
"""Those for which the files around a hole's are open, too, and searched for what is related."""

NAMES = (*SETTINGS, *WAYS)


class _Able:
    """An engine that is known to do no more than this."""

    def __init__(self, engine: Engine, abilities: Abilities) -> None:
        self._engine = engine
        self.abilities = abilities

    @property
    def status(self) -> Status:
        return self._engine.status

    def stream(self, request: Request | Infill) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        return self._engine.stream(request)


class _Unhealed(_Able):
    """Gives the model the word that was cut back, and says that the model had written it."""

    fragment = ""

    @asynccontextmanager
    async def stream(self, request: Request | Infill) -> AsyncIterator[AsyncIterator[Chunk]]:
        assert isinstance(request, Request)
        *before, last = request.messages
        whole = replace(last, content=last.content + self.fragment)
        async with self._engine.stream(replace(request, messages=(*before, whole))) as chunks:
            yield _after(Chunk(self.fragment), chunks)


async def _after(first: Chunk, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    yield first
    async for chunk in chunks:
        yield chunk


async def _complete(engine: Engine, excerpt: Excerpt) -> Completion | None:
    if isinstance(engine, _Unhealed):
        engine.fragment = completion(excerpt, Abilities(), max_tokens=1).fragment
    return await complete(engine, excerpt, max_tokens=_DEFAULTS.max_tokens, max_lines=_DEFAULTS.max_lines)


async def _written(engine: Engine, request: Request | Infill) -> str:
    async with engine.stream(request) as chunks:
        return "".join([chunk.text async for chunk in chunks])


def _shown(text: str) -> Completion | None:
    return Completion(Insertion(text), Draft("", "")) if text else None


def clean(answer: str, excerpt: Excerpt) -> str:
    """Take the code out of its fence, and off it what the cursor's line says already."""
    found = re.search(r"`{3,}[^\n]*\n(.*?)(?:\n\s*`{3,}|\Z)", answer, re.DOTALL)
    code = (found[1] if found else answer).replace(_CURSOR, "").strip("\n")
    echoed = excerpt.line_before.strip()
    if echoed and code.strip().startswith(echoed):
        return code.strip()[len(echoed) :].rstrip()
    # an answer that begins a line anew is indented as that line is; the cursor stands behind its blanks
    return code.removeprefix(excerpt.line_before).rstrip() if not echoed else code.rstrip()
