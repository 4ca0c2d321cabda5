"""What is computed before anybody asks: what follows ghost text that is shown, and the reading of a prompt."""

from __future__ import annotations

from dataclasses import replace

from phial.assist import prompts
from phial.assist.completion import begun
from phial.assist.excerpt import Excerpt
from phial.assist.reuse import Drafts, Place, Writing
from phial.assist.speed import Limits
from phial.assist.trim import Insertion
from phial.engine.base import AHEAD_PRIORITY, PREFILL_PRIORITY, Engine


def follow(drafts: Drafts, document: str, excerpt: Excerpt, engine: Engine, limits: Limits) -> None:
    """Have what comes next written for a cursor that is likely to be here soon, unless it has been."""
    prompt = prompts.completion(excerpt, engine.abilities, max_tokens=limits.longest)
    place, draft = Place.of(document, excerpt), begun(excerpt, prompt)
    if not _is_free(drafts, engine) or drafts.is_written_beyond(place, draft):
        return
    request = replace(prompt.request, priority=AHEAD_PRIORITY)
    drafts.begin(Writing(place, draft, excerpt, limits, "ahead"), engine, request)


def prefill(drafts: Drafts, document: str, excerpt: Excerpt, engine: Engine, *, delay: float = 0.0) -> None:
    """Have a prompt read for a cursor, after some seconds, unless it was the last to be read."""
    prompt = prompts.completion(excerpt, engine.abilities, max_tokens=0)
    place, draft = Place.of(document, excerpt), begun(excerpt, prompt)
    if not _is_free(drafts, engine) or drafts.was_read_last(place, draft):
        return
    sampling = replace(prompt.request.sampling, regex=None)
    request = replace(prompt.request, sampling=sampling, priority=PREFILL_PRIORITY)
    drafts.begin(Writing(place, draft, excerpt, _NOTHING, "prefill", delay), engine, request)


def accepted(excerpt: Excerpt, insertion: Insertion) -> Excerpt:
    """Return the excerpt once an insertion has been taken."""
    return replace(
        excerpt,
        prefix=excerpt.prefix + insertion.text,
        suffix=excerpt.suffix[insertion.replaces :],
    )


def _is_free(drafts: Drafts, engine: Engine) -> bool:
    return engine.abilities.ahead and drafts.is_idle


_NOTHING = Limits(0, 1, 0.0, 0)
