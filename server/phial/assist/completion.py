"""Use case: from an excerpt to ghost text, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import anyio

from phial.assist import prompts
from phial.assist.excerpt import Excerpt
from phial.assist.prompts import CompletionPrompt
from phial.assist.syntax import opens_block
from phial.assist.trim import Insertion, is_complete, trim
from phial.engine.base import Engine
from phial.errors import PhialError

Kind = Literal["rest", "line", "block"]
"""What is completed: the rest of a line, a whole line, or a block."""

_JUDGED_TOKENS = 8
"""How many of the first tokens tell best whether a completion is any good: measured."""

_ALTERNATIVES = 3
_VARIETY = 0.7
"""The temperature of the alternatives: below, most are the same."""


@dataclass(frozen=True)
class Completion:
    """What to insert, and the mean natural-log probability of its first tokens: None where nobody told it."""

    insertion: Insertion
    confidence: float | None = None


async def complete(engine: Engine, excerpt: Excerpt, *, max_tokens: int, max_lines: int) -> Completion | None:
    """Return what to insert at the cursor, or None. Raises `PhialError`.

    Leaves the model as soon as what follows cannot matter.
    """
    prompt = prompts.completion(excerpt, engine.abilities, max_tokens=max_tokens)
    return await _completed(engine, excerpt, prompt, max_lines)


async def alternatives(
    engine: Engine, excerpt: Excerpt, *, max_tokens: int, max_lines: int
) -> list[Completion]:
    """Return up to three different things to insert, the most likely first. Raises `PhialError`.

    They are written at the same time, which takes little longer than one: once the first has begun, so that
    the prompt is read once.
    """
    prompt = prompts.completion(excerpt, engine.abilities, max_tokens=max_tokens)
    found: list[Completion] = []
    failures: list[PhialError] = []
    begun = anyio.Event()

    async def write(variant: CompletionPrompt) -> None:
        try:
            if completion := await _completed(engine, excerpt, variant, max_lines, begun.set):
                found.append(completion)
        except PhialError as error:  # a task group would wrap it
            failures.append(error)
        finally:
            begun.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write, prompt)
        await begun.wait()
        for seed in range(1, _ALTERNATIVES):
            tasks.start_soon(write, _varied(prompt, seed))
    if failures and not found:
        raise failures[0]
    different = {completion.insertion.text: completion for completion in found}
    return sorted(different.values(), key=lambda completion: completion.confidence or 0.0, reverse=True)


def kind_of(excerpt: Excerpt) -> Kind:
    """Return what is completed at the cursor."""
    if opens_block(excerpt):
        return "block"
    return "rest" if excerpt.line_before.strip() else "line"


def is_sure(found: Completion, excerpt: Excerpt, thresholds: Mapping[str, float]) -> bool:
    """Return whether a completion is likely enough to be shown to somebody who has not asked for it."""
    return found.confidence is None or found.confidence >= thresholds[kind_of(excerpt)]


async def _completed(
    engine: Engine,
    excerpt: Excerpt,
    prompt: CompletionPrompt,
    max_lines: int,
    begun: Callable[[], None] = lambda: None,
) -> Completion | None:
    fragment = prompt.fragment
    written, whole = "", True
    logprobs: list[float] = []
    async with engine.stream(prompt.request) as chunks:
        async for chunk in chunks:
            begun()
            written += chunk.text
            if len(written) > len(fragment):  # tokens inside the fragment had no choice
                logprobs += chunk.logprobs
            whole = whole and chunk.finish_reason != "length"
            if not fragment.startswith(written[: len(fragment)]):
                return None
            # Only a line that has ended can be the last.
            if "\n" in chunk.text and is_complete(written[len(fragment) :], excerpt, max_lines=max_lines):
                break
    found = trim(written[len(fragment) :], excerpt, whole=whole, max_lines=max_lines)
    return Completion(found, _mean(logprobs[:_JUDGED_TOKENS])) if found.text else None


def _varied(prompt: CompletionPrompt, seed: int) -> CompletionPrompt:
    sampling = replace(prompt.request.sampling, temperature=_VARIETY, seed=seed)
    return replace(prompt, request=replace(prompt.request, sampling=sampling))


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
