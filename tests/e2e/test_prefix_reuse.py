"""What two prompts share is computed once."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from phial.address import HostAddress

SHARED_TOKENS = 500


@pytest.fixture(scope="module")
async def client(host: HostAddress) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{host.url}/v1", api_key=host.token, max_retries=0) as client:
        yield client


async def first_token(client: AsyncOpenAI, prompt: str) -> tuple[float, int, int]:
    """Return the seconds to the first token, and how many tokens of the prompt there were and were cached."""
    messages: Any = [{"role": "user", "content": prompt}]
    began = time.perf_counter()
    seconds = 0.0
    prompt_tokens = cached = 0
    stream = await client.chat.completions.create(
        model="starter",
        messages=messages,
        max_tokens=2,
        stream=True,
        stream_options={"include_usage": True},
    )
    async for chunk in stream:
        seconds = seconds or time.perf_counter() - began
        if chunk.usage and chunk.usage.prompt_tokens_details:
            prompt_tokens = chunk.usage.prompt_tokens
            cached = chunk.usage.prompt_tokens_details.cached_tokens or 0
    return seconds, prompt_tokens, cached


async def test_shared_prefix_is_computed_once(
    client: AsyncOpenAI, capsys: pytest.CaptureFixture[str]
) -> None:
    await first_token(client, "Hello.")
    lines = "\n".join(f"value_{number} = compute({number}, 'name')" for number in range(120))
    shared = f"# {uuid.uuid4()}\n{lines}\n"
    cold, tokens, cached_before = await first_token(client, shared + "What is value_3?")
    warm, _, cached = await first_token(client, shared + "Explain this code.")
    with capsys.disabled():
        print(f"\nfirst token of {tokens} tokens: {cold:.3f} s cold, {warm:.3f} s with {cached} cached")  # noqa: T201
    assert cached_before < 64
    assert cached >= SHARED_TOKENS - 20
    assert cached >= tokens - 64
    assert cold >= 5 * warm
