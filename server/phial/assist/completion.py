"""Use case: from an excerpt to ghost text, or none."""

from __future__ import annotations

from phial.assist import prompts
from phial.assist.excerpt import Excerpt
from phial.assist.trim import is_complete, trim
from phial.engine.base import Engine


async def complete(engine: Engine, excerpt: Excerpt, *, max_tokens: int, max_lines: int) -> str | None:
    """Return the text to insert at the cursor, or None. Raises `PhialError`.

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
    repeated = excerpt.line_after[: found.replaces]
    # The editor is told of a place, not yet of a range: what takes the place of nothing is inserted.
    return found.text.removesuffix(repeated) or None if found.text.endswith(repeated) else None
