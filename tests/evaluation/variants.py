"""Other ways to complete, for finding out what each part of the product's own way is worth.

A variant is either a set of settings for `phial serve`, or a way of its own to ask the model, without a server.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from phial.assist.completion import complete
from phial.assist.excerpt import Excerpt
from phial.assist.prompts import fence_for
from phial.assist.trim import Insertion
from phial.engine.base import COMPLETION_PRIORITY, Engine, Message, Request, Sampling
from phial.settings import CompletionSettings

Way = Callable[[Engine, Excerpt], Awaitable[Insertion | None]]

SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "short": {"completion": {"maxTokens": 32}},
    "long": {"completion": {"maxTokens": 256, "maxLines": 40}},
}
"""By name: what is laid over the default settings, as an editor sends them."""

_DEFAULTS = CompletionSettings()

_CURSOR = "<CURSOR>"


async def ask(engine: Engine, excerpt: Excerpt) -> Insertion | None:
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
    answer = ""
    async with engine.stream(request) as chunks:
        async for chunk in chunks:
            answer += chunk.text
    code = clean(answer, excerpt)
    return Insertion(code) if code else None


async def prefix_only(engine: Engine, excerpt: Excerpt) -> Insertion | None:
    """Do without what stands below the cursor's line."""
    alone = replace(excerpt, suffix=excerpt.line_after)
    found = await complete(engine, alone, max_tokens=_DEFAULTS.max_tokens, max_lines=_DEFAULTS.max_lines)
    return found.insertion if found else None


WAYS: dict[str, Way] = {"ask": ask, "prefix-only": prefix_only}
"""By name: from an engine and an excerpt to what would be shown."""

NAMES = (*SETTINGS, *WAYS)


def clean(answer: str, excerpt: Excerpt) -> str:
    """Take the code out of its fence, and off it what the cursor's line says already."""
    found = re.search(r"`{3,}[^\n]*\n(.*?)(?:\n\s*`{3,}|\Z)", answer, re.DOTALL)
    code = (found[1] if found else answer).replace(_CURSOR, "").strip("\n")
    echoed = excerpt.line_before.strip()
    if echoed and code.strip().startswith(echoed):
        return code.strip()[len(echoed) :].rstrip()
    # an answer that begins a line anew is indented as that line is; the cursor stands behind its blanks
    return code.removeprefix(excerpt.line_before).rstrip() if not echoed else code.rstrip()
