"""Use case: from a question to a stream of text."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from phial.assist import prompts
from phial.assist.loops import is_looping
from phial.assist.prompts import Question
from phial.engine.base import Engine, FinishReason, Usage

_PACE = 0.03
"""Seconds between pieces: a screen shows no more, and each costs the editor a message."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    text: str
    finish_reason: FinishReason
    usage: Usage


async def answer(
    engine: Engine,
    question: Question,
    told: Callable[[str], None],
    *,
    max_tokens: int,
    temperature: float,
) -> Answer:
    """Answer a question, telling the text piece by piece, at least `_PACE` apart. Raises `PhialError`."""
    text, untold, last = "", "", 0.0
    finish_reason: FinishReason = "stop"
    usage = Usage()
    request = prompts.question(question, max_tokens=max_tokens, temperature=temperature)
    async with engine.stream(request) as chunks:
        async for chunk in chunks:
            text += chunk.text
            untold += chunk.text
            finish_reason = chunk.finish_reason or finish_reason
            usage = chunk.usage or usage
            if is_looping(text):
                break
            if untold and time.monotonic() - last >= _PACE:
                told(untold)
                untold, last = "", time.monotonic()
    if untold:
        told(untold)
    return Answer(text, finish_reason, usage)
