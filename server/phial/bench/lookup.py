"""What prompt lookup gains where an answer repeats its question, and what it costs where it does not."""

from __future__ import annotations

from statistics import mean

from phial.bench.asking import Timed, chat
from phial.bench.edits import EDITS, FREE_TEXT
from phial.bench.figures import Figure, ratio
from phial.bench.running import RunningHost, own_host
from phial.models.store import Model

OFF = ("--assistant-tokens", "0")
"""The options of a host without prompt lookup."""

_LONGEST = 200
_FREE = 96
_PRIORITY = 0


async def lookup_figures(model: Model, device: str, *, rounds: int) -> list[Figure]:
    """Have the same written with and without prompt lookup, in turn, by hosts of their own."""
    edits: dict[bool, list[float]] = {True: [], False: []}
    free: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        for on in (True, False):
            async with own_host(model, device, *(() if on else OFF)) as host:
                edits[on] += await _edited(host)
                free[on] += await _written(host)
    return [
        *_compared("edits", "Edits", edits, at_least=1.8),
        *_compared("free_text", "Free text", free, at_least=0.95),
    ]


def _compared(name: str, title: str, paces: dict[bool, list[float]], *, at_least: float) -> list[Figure]:
    on, off = (mean(paces[which]) if paces[which] else 0.0 for which in (True, False))
    unit = "tokens/s"
    return [
        Figure(f"lookup_{name}_tokens_per_second", f"{title}, with prompt lookup", on, unit),
        Figure(f"plain_{name}_tokens_per_second", f"{title}, without", off, unit),
        Figure(f"lookup_{name}_ratio", f"{title}, with by without", ratio(on, off), at_least=at_least),
    ]


async def _edited(host: RunningHost) -> list[float]:
    return _paces(
        [await chat(host.http, max_tokens=_LONGEST, priority=_PRIORITY, **edit.asked()) for edit in EDITS]
    )


async def _written(host: RunningHost) -> list[float]:
    return _paces(
        [
            await chat(host.http, [{"role": "user", "content": wish}], _FREE, priority=_PRIORITY)
            for wish in FREE_TEXT
        ]
    )


def _paces(answers: list[Timed]) -> list[float]:
    return [pace for answer in answers if (pace := answer.tokens_per_second)]
