"""The work that everybody is given, and how fast somebody did it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

PROMPT = 1000
"""Tokens of the prompt."""

ENDING = 4
"""How many of them are others the second time: what was typed."""

ANSWER = 48
"""Tokens that are written."""


@dataclass(frozen=True)
class Pace:
    """How fast the work was done: a prompt never seen, the same with another ending, an answer to it."""

    prefill_tokens_per_second: float
    first_token_seconds: float
    decode_tokens_per_second: float
    memory_bytes: int


def prompts(seed: int) -> tuple[list[int], list[int]]:
    """Return two prompts that differ in their ending, of token ids that every shape has."""
    draw = random.Random(seed)  # noqa: S311 - the same noise for everybody
    first = [draw.randrange(1000, 30_000) for _ in range(PROMPT)]
    return first, [*first[:-ENDING], *(draw.randrange(1000, 30_000) for _ in range(ENDING))]


def middle(paces: Sequence[Pace]) -> Pace:
    """Return the medians."""
    return Pace(
        median(pace.prefill_tokens_per_second for pace in paces),
        median(pace.first_token_seconds for pace in paces),
        median(pace.decode_tokens_per_second for pace in paces),
        max(pace.memory_bytes for pace in paces),
    )
