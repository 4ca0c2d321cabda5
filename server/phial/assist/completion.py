"""Use case: from an excerpt to ghost text, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import anyio

from phial.assist import prompts
from phial.assist.confidence import Kind, confidence, is_sure
from phial.assist.draft import Draft
from phial.assist.excerpt import Excerpt
from phial.assist.prompts import CompletionPrompt
from phial.assist.syntax import opens_block
from phial.assist.trim import Insertion, is_complete, trim
from phial.engine.base import Engine
from phial.errors import PhialError

_ALTERNATIVES = 3
_VARIETY = 0.7
"""The temperature of the alternatives: below, most are the same."""


@dataclass(frozen=True)
class Completion:
    """What to insert, and the draft that it is cut from.

    `logprobs`: the natural-log probabilities of its tokens and of the one behind them, if they are told.
    """

    insertion: Insertion
    draft: Draft
    logprobs: tuple[float, ...] = ()


async def complete(engine: Engine, excerpt: Excerpt, *, max_tokens: int, max_lines: int) -> Completion | None:
    """Return what to insert at the cursor, or None. Raises `PhialError`.

    Leaves the model as soon as what follows cannot matter.
    """
    prompt = prompts.completion(excerpt, engine.abilities, max_tokens=max_tokens)
    draft = await _written(engine, excerpt, prompt, max_lines)
    return read(draft, excerpt, max_lines=max_lines)


def begun(excerpt: Excerpt, prompt: CompletionPrompt) -> Draft:
    """Return the empty draft that a prompt asks for."""
    prefix = excerpt.prefix[: len(excerpt.prefix) - len(prompt.fragment)]
    return Draft(prefix, prompt.fragment, prompt.request.sampling.seed)


def is_enough(draft: Draft, excerpt: Excerpt, *, max_lines: int, since: int = 0) -> bool:
    """Return whether nothing that may still be written matters at an excerpt: it is complete, or about another.

    `since`: how much of the text has been looked at before, for the same excerpt.
    """
    typed = draft.typed_at(excerpt)
    if typed is None:
        return True
    # Only a line that has ended can be the last.
    has_ended_line = "\n" in draft.text[max(since, len(typed)) :]
    return has_ended_line and is_complete(draft.text[len(typed) :], excerpt, max_lines=max_lines)


def is_known(draft: Draft, excerpt: Excerpt, *, max_lines: int) -> bool:
    """Return whether a draft tells all that the model would write at an excerpt, or as much as was asked for."""
    typed = draft.typed_at(excerpt)
    if typed is None:
        return False
    rest = draft.text[len(typed) :]
    ended_there = draft.end == "stop" and rest.strip() != ""
    cut_off_there = draft.end == "length" and "\n" in rest
    asked_there = draft.end in ("stop", "length") and typed == draft.fragment
    return ended_there or cut_off_there or asked_there or is_enough(draft, excerpt, max_lines=max_lines)


def read(draft: Draft, excerpt: Excerpt, *, max_lines: int) -> Completion | None:
    """Return what of a draft to insert at an excerpt, or None."""
    typed = draft.typed_at(excerpt)
    if typed is None or not draft.text.startswith(typed):
        return None
    found = trim(draft.text[len(typed) :], excerpt, whole=draft.end != "length", max_lines=max_lines)
    end = len(typed) + len(found.text)
    return Completion(found, draft, draft.logprobs_between(len(typed), end)) if found.text else None


def is_line_done(draft: Draft, excerpt: Excerpt) -> bool:
    """Return whether the model would end the cursor's line here, and begin the next."""
    typed = draft.typed_at(excerpt)
    rest = "" if typed is None else draft.text[len(typed) :]
    return rest.lstrip(" \t").startswith("\n") and not excerpt.line_after.strip()


async def alternatives(
    engine: Engine, excerpt: Excerpt, *, max_tokens: int, max_lines: int
) -> list[Completion]:
    """Return up to three different things to insert, the most likely first.

    They are written at the same time, which takes little longer than one: once the first has begun, so that
    the prompt is read once. Raises `PhialError`.
    """
    prompt = prompts.completion(excerpt, engine.abilities, max_tokens=max_tokens)
    found: list[Completion] = []
    failures: list[PhialError] = []
    first_begun = anyio.Event()

    async def write(variant: CompletionPrompt) -> None:
        try:
            draft = await _written(engine, excerpt, variant, max_lines, first_begun.set)
        except PhialError as error:  # a task group would wrap it
            failures.append(error)
            return
        finally:
            first_begun.set()
        if completion := read(draft, excerpt, max_lines=max_lines):
            found.append(completion)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write, prompt)
        await first_begun.wait()
        for seed in range(1, _ALTERNATIVES):
            tasks.start_soon(write, _varied(prompt, seed))
    if failures and not found:
        raise failures[0]
    different = {completion.insertion.text: completion for completion in found}
    kind, starter = kind_of(excerpt), engine.status.starter
    return sorted(
        different.values(),
        key=lambda completion: confidence(completion.logprobs, kind, starter=starter) or 0.0,
        reverse=True,
    )


def kind_of(excerpt: Excerpt) -> Kind:
    """Return what is completed at the cursor."""
    if opens_block(excerpt):
        return "block"
    return "rest" if excerpt.line_before.strip() else "line"


def is_likely(found: Completion, excerpt: Excerpt, thresholds: Mapping[str, float], *, starter: bool) -> bool:
    """Return whether a completion is likely enough to be shown to somebody who has not asked for it."""
    return is_sure(found.logprobs, kind_of(excerpt), thresholds, starter=starter)


async def _written(
    engine: Engine,
    excerpt: Excerpt,
    prompt: CompletionPrompt,
    max_lines: int,
    told_first: Callable[[], None] = lambda: None,
) -> Draft:
    draft = begun(excerpt, prompt)
    async with engine.stream(prompt.request) as chunks:
        async for chunk in chunks:
            told_first()
            since = len(draft.text)
            draft.take(chunk)
            if draft.end is None and is_enough(draft, excerpt, max_lines=max_lines, since=since):
                break
    draft.end = draft.end or "left"
    return draft


def _varied(prompt: CompletionPrompt, seed: int) -> CompletionPrompt:
    sampling = replace(prompt.request.sampling, temperature=_VARIETY, seed=seed)
    return replace(prompt, request=replace(prompt.request, sampling=sampling))
