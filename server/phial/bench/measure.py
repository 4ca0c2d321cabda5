"""Measures a model host from outside, as a window would use it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import httpx2
import psutil

from phial.address import HostAddress
from phial.engine import launcher
from phial.errors import EngineError, PhialError, from_wire

_PROMPT = 512
_ADDED = 4
_ANSWER = 48
_RUNS = 3
_READ_TIMEOUT = 600.0


@dataclass(frozen=True)
class Figures:
    """What was measured: seconds, tokens per second, bytes. Medians over the runs."""

    model: str
    device: str
    backend: str
    load_seconds: float
    cold_first_token_seconds: float
    warm_first_token_seconds: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    memory_bytes: int
    prompt_tokens: int = _PROMPT


@dataclass(frozen=True)
class _Answer:
    first: float
    end: float
    tokens: int


async def measure(address: HostAddress, load_seconds: float, *, runs: int = _RUNS) -> Figures:
    """Measure a host that is ready: prompts that it has never seen, then one that it has, a little longer.

    Raises `EngineError`, and whatever the host answers instead.
    """
    health = await launcher.health(address) or {}
    draw = random.Random(0)  # noqa: S311 - the same noise each time
    colds, warms, prefills, decodes = [], [], [], []
    async with launcher.client(address, read_timeout=_READ_TIMEOUT) as http:
        for _ in range(runs):
            prompt = [draw.randrange(1000, 30_000) for _ in range(_PROMPT)]
            cold = await _ask(http, prompt, 1)
            longer = [*prompt, *(draw.randrange(1000, 30_000) for _ in range(_ADDED))]
            warm = await _ask(http, longer, _ANSWER)
            colds.append(cold.first)
            warms.append(warm.first)
            prefills.append(_PROMPT / cold.first)
            if warm.tokens > 1:
                decodes.append((warm.tokens - 1) / (warm.end - warm.first))
    if not decodes:
        raise EngineError("The model ended each answer at once, so its speed cannot be measured.", advice="")
    return Figures(
        model=str(health["title"]),
        device=str(health["device"]),
        backend=str(health["backend"]),
        load_seconds=load_seconds,
        cold_first_token_seconds=median(colds),
        warm_first_token_seconds=median(warms),
        prefill_tokens_per_second=median(prefills),
        decode_tokens_per_second=median(decodes),
        memory_bytes=psutil.Process(address.pid).memory_info().rss,
    )


async def _ask(http: httpx2.AsyncClient, prompt: Sequence[int], max_tokens: int) -> _Answer:
    """Generate, and note when the first token came and when the last."""
    body = {"prompt": list(prompt), "max_tokens": max_tokens, "stream": True, "logprobs": 0}
    began = time.perf_counter()
    first: float | None = None
    tokens = 0
    async with http.stream("POST", "/v1/completions", json=body) as response:
        if response.is_error:
            raise _told(json.loads(await response.aread()))
        async for line in response.aiter_lines():
            choice = _choice(line)
            if choice is None:
                continue
            tokens += len((choice.get("logprobs") or {}).get("tokens") or [choice["text"]])
            first = first or time.perf_counter() - began
    end = time.perf_counter() - began
    return _Answer(first or end, end, tokens)


def _choice(line: str) -> dict[str, Any] | None:
    """Return the choice of an event that brings tokens. Raises the error that one tells."""
    if not line.startswith("data: {"):
        return None
    event = json.loads(line[6:])
    if "error" in event:
        raise _told(event)
    choices = event["choices"]
    return choices[0] if choices and choices[0]["finish_reason"] is None else None


def _told(answer: dict[str, Any]) -> PhialError:
    return from_wire(answer["error"]["code"], answer["error"]["message"])
