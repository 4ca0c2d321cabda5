"""Whoever goes away frees optimum's model too: in the middle of an answer, and of a prompt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from phial.address import HostAddress
from phial.engine import launcher
from support.exports import Exports
from support.hosts import after_many_turns, cut_off, host_by_hand, metrics, until_counted

GENERATED = "phial_generated_tokens_total"
PROMPTS = "phial_prompt_tokens_total"
SECONDS = "phial_step_seconds_sum"
CANCELLED = "phial_requests_total{cancelled}"

SHORT = [450, 338, 263]
LONG = [450 + number * 7 % 20_000 for number in range(4_000)]


@pytest.fixture(scope="module")
async def host(exports: Exports) -> AsyncIterator[HostAddress]:
    async with host_by_hand(exports.get("int8").folder, backend="optimum") as address:
        yield address


@pytest.fixture
async def http(host: HostAddress) -> AsyncIterator[httpx2.AsyncClient]:
    async with launcher.client(host, read_timeout=None) as client:
        yield client


async def ask(http: httpx2.AsyncClient, prompt: list[int], max_tokens: int, *, stream: bool = False) -> Any:
    """Ask for an answer and read all of it."""
    body = {"prompt": prompt, "max_tokens": max_tokens, "stream": stream}
    response = await http.post("/v1/completions", json=body)
    assert response.status_code == 200, response.text
    return response.text if stream else response.json()


async def until_free(host: HostAddress, before: dict[str, float]) -> dict[str, float]:
    """Wait until one more request counts as cancelled and the model has let go of it; return the counters."""
    await until_counted(host, lambda now: now.get(CANCELLED, 0) > before.get(CANCELLED, 0))
    async with launcher.client(host, read_timeout=None) as http:
        answer = await ask(http, SHORT, 4)
    assert answer["usage"]["completion_tokens"] == 4
    return await after_many_turns(host)


@pytest.mark.parametrize("stream", [False, True])
async def test_in_decode(stream: bool, host: HostAddress, http: httpx2.AsyncClient) -> None:
    before = await metrics(host)

    since = await cut_off(
        lambda: ask(http, SHORT, 4_000, stream=stream),
        host,
        lambda now: now[GENERATED] >= before[GENERATED] + 5,
    )
    after = await until_free(host, before)

    written = since[GENERATED] - before[GENERATED]
    assert written < 1_000
    assert after[SECONDS] - since[SECONDS] < 200 * (since[SECONDS] - before[SECONDS]) / written
    assert after[CANCELLED] == before.get(CANCELLED, 0) + 1


@pytest.mark.parametrize("stream", [False, True])
async def test_in_prefill(stream: bool, host: HostAddress, http: httpx2.AsyncClient) -> None:
    before = await metrics(host)
    await ask(http, LONG, 1)
    read_whole = await metrics(host)

    await cut_off(
        lambda: ask(http, LONG, 1, stream=stream), host, lambda now: now[PROMPTS] > read_whole[PROMPTS]
    )
    after = await until_free(host, before)

    assert after[GENERATED] == read_whole[GENERATED] + 4, "only the answer afterwards was written"
    whole, cut = read_whole[SECONDS] - before[SECONDS], after[SECONDS] - read_whole[SECONDS]
    assert cut < whole / 2
    assert after[CANCELLED] == before.get(CANCELLED, 0) + 1
