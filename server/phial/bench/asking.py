"""Asks a host for completions by token ids, and notes when tokens came."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from phial.errors import PhialError, from_wire


@dataclass(frozen=True)
class Timed:
    """When the first token of an answer came and when the last, in seconds, and how many tokens there were."""

    first: float
    end: float
    tokens: int
    text: str

    @property
    def tokens_per_second(self) -> float | None:
        """How fast it was written, after the first token; None of a single one."""
        return (self.tokens - 1) / (self.end - self.first) if self.tokens > 1 else None


async def ask(http: httpx2.AsyncClient, prompt: Sequence[int], max_tokens: int, **more: Any) -> Timed:
    """Have a prompt of tokens gone on with, to the end. Raises what the host answers instead."""
    body = {"prompt": list(prompt), "max_tokens": max_tokens, "logprobs": 0, **more}
    return await _timed(http, "/v1/completions", body)


async def chat(
    http: httpx2.AsyncClient, messages: Sequence[dict[str, str]], max_tokens: int, **more: Any
) -> Timed:
    """Have a conversation answered, to the end. Raises what the host answers instead."""
    body = {"messages": list(messages), "max_tokens": max_tokens, "logprobs": True, **more}
    return await _timed(http, "/v1/chat/completions", body)


@asynccontextmanager
async def pieces(
    http: httpx2.AsyncClient, path: str, body: dict[str, Any]
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Ask, and hand out the pieces of the answer that bring tokens. Leaving hangs up."""
    async with http.stream("POST", path, json={**body, "stream": True}) as response:
        if response.is_error:
            raise _told(json.loads(await response.aread()))
        async with aclosing(_choices(response)) as choices:
            yield choices


def noise(length: int, seed: object) -> list[int]:
    """Return so many token ids that no prompt has begun with before, the same for the same seed."""
    draw = random.Random(repr(seed))  # noqa: S311 - the same noise each time
    return [draw.randrange(1000, 30_000) for _ in range(length)]


async def _timed(http: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> Timed:
    began = time.perf_counter()
    first: float | None = None
    tokens, text = 0, ""
    async with pieces(http, path, body) as answer:
        async for choice in answer:
            tokens += _count(choice)
            text += choice["text"] if "text" in choice else choice["delta"]["content"]
            first = first or time.perf_counter() - began
    end = time.perf_counter() - began
    return Timed(first or end, end, tokens, text)


async def _choices(response: httpx2.Response) -> AsyncGenerator[dict[str, Any], None]:
    async for line in response.aiter_lines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line[6:])
        if "error" in event:
            raise _told(event)
        if event["choices"] and event["choices"][0]["finish_reason"] is None:
            yield event["choices"][0]


def _count(choice: dict[str, Any]) -> int:
    """Return how many tokens a piece brings; one where the backend does not tell."""
    logprobs = choice.get("logprobs") or {}
    return len(logprobs.get("tokens") or logprobs.get("content") or [None])


def _told(answer: dict[str, Any]) -> PhialError:
    return from_wire(answer["error"]["code"], answer["error"]["message"])
