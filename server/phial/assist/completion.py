"""Use case: from an excerpt to ghost text, or none."""

from __future__ import annotations

from phial.assist import prompts
from phial.assist.excerpt import Excerpt
from phial.assist.trim import Insertion, is_complete, trim
from phial.engine.base import Engine


async def complete(engine: Engine, excerpt: Excerpt, *, max_tokens: int, max_lines: int) -> Insertion | None:
    """Return what to insert at the cursor, or None. Raises `PhialError`.

    Leaves the model as soon as what follows cannot matter.
    """
    prompt = prompts.completion(excerpt, engine.abilities, max_tokens=max_tokens)
    written, whole = "", True
    async with engine.stream(prompt.request) as chunks:
        async for chunk in chunks:
            written += chunk.text
            whole = whole and chunk.finish_reason != "length"
            if not prompt.fragment.startswith(written[: len(prompt.fragment)]):
                return None
            if is_complete(written[len(prompt.fragment) :], excerpt, max_lines=max_lines):
                break
    found = trim(written[len(prompt.fragment) :], excerpt, whole=whole, max_lines=max_lines)
    return found if found.text else None
