"""Whoever goes away frees the model within a step, wherever the answer stands."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from openai import AsyncOpenAI

from phial.address import HostAddress
from support.hosts import after_many_turns, cut_off, metrics, until_counted

STEPS = "phial_step_seconds_count"
GENERATED = "phial_generated_tokens_total"
PREFILLED = "phial_prefilled_tokens_total"
CANCELLED = "phial_requests_total{cancelled}"
CHUNK = 512
"""The most tokens of prompt that a step computes, on any machine."""

ENDLESS: Any = {"structured_outputs": {"regex": "[a-z ]{1500}"}}


@pytest.fixture(scope="module")
async def client(host: HostAddress) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{host.url}/v1", api_key=host.token, max_retries=0) as client:
        yield client


def question(text: str) -> Any:
    return [{"role": "user", "content": f"{uuid.uuid4()} {text}"}]


async def assert_free(host: HostAddress, since: dict[str, float], cancelled_before: float) -> None:
    """Check that the host has computed no more than the step it was in and the one that frees the place."""
    now = await after_many_turns(host)
    grown = {name: now[name] - since[name] for name in (STEPS, GENERATED, PREFILLED)}
    print(f"after hanging up: {grown}")  # noqa: T201 - shown when it fails
    assert grown[STEPS] <= 2
    assert grown[GENERATED] <= 2
    assert grown[PREFILLED] <= CHUNK
    assert now[CANCELLED] == cancelled_before + 1


async def assert_next_answer_is_right(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="starter",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        max_tokens=30,
    )
    assert "Paris" in (answer.choices[0].message.content or "")


async def test_stream_cut_off_in_decode(client: AsyncOpenAI, host: HostAddress) -> None:
    before = await metrics(host)

    async def read() -> None:
        stream = await client.chat.completions.create(
            model="starter", messages=question("Go on for ever."), stream=True, extra_body=ENDLESS
        )
        async for _ in stream:
            pass

    since = await cut_off(read, host, lambda now: now[GENERATED] >= before[GENERATED] + 5)
    await assert_free(host, since, before.get(CANCELLED, 0))
    assert since[GENERATED] < before[GENERATED] + 1000
    await assert_next_answer_is_right(client)


async def test_stream_closed_by_its_reader(client: AsyncOpenAI, host: HostAddress) -> None:
    before = await metrics(host)
    stream = await client.chat.completions.create(
        model="starter", messages=question("Go on for ever."), stream=True, extra_body=ENDLESS
    )
    async for _ in stream:
        break
    await stream.close()
    since = await metrics(host)
    await assert_free(host, since, before.get(CANCELLED, 0))
    await assert_next_answer_is_right(client)


async def test_stream_cut_off_in_prefill(client: AsyncOpenAI, host: HostAddress) -> None:
    before = await metrics(host)
    long = question("one two three four five six seven eight nine ten\n" * 550)

    async def read() -> None:
        stream = await client.chat.completions.create(model="starter", messages=long, stream=True)
        async for _ in stream:
            raise AssertionError("a token came before the prompt was read")

    since = await cut_off(read, host, lambda now: now[PREFILLED] >= before[PREFILLED] + CHUNK)
    await assert_free(host, since, before.get(CANCELLED, 0))
    asked = since["phial_prompt_tokens_total"] - before["phial_prompt_tokens_total"]
    assert asked > 5_500
    assert since[PREFILLED] < before[PREFILLED] + asked / 2
    assert since[GENERATED] == before[GENERATED]
    await assert_next_answer_is_right(client)


async def test_whole_answer_cut_off_in_decode(client: AsyncOpenAI, host: HostAddress) -> None:
    before = await metrics(host)

    async def read() -> None:
        await client.chat.completions.create(
            model="starter", messages=question("Go on for ever."), extra_body=ENDLESS
        )

    since = await cut_off(read, host, lambda now: now[GENERATED] >= before[GENERATED] + 5)
    await assert_free(host, since, before.get(CANCELLED, 0))
    await assert_next_answer_is_right(client)


async def test_all_choices_are_cut_off(client: AsyncOpenAI, host: HostAddress) -> None:
    before = await metrics(host)

    async def read() -> None:
        await client.chat.completions.create(
            model="starter", messages=question("Go on for ever."), n=3, extra_body=ENDLESS
        )

    since = await cut_off(read, host, lambda now: now[GENERATED] >= before[GENERATED] + 15)
    now = await after_many_turns(host)
    assert now[STEPS] - since[STEPS] <= 2
    assert now[GENERATED] - since[GENERATED] <= 3
    assert now[CANCELLED] == before.get(CANCELLED, 0) + 3


async def test_request_that_waits_its_turn_is_taken_out(client: AsyncOpenAI, host: HostAddress) -> None:
    """A request of worse priority waits behind one in decode, and never starts once its client has gone."""
    before = await metrics(host)
    async with anyio.create_task_group() as tasks:

        async def first() -> None:
            await client.chat.completions.create(
                model="starter", messages=question("Go on for ever."), extra_body={**ENDLESS, "priority": 0}
            )

        async def second() -> None:
            await client.chat.completions.create(
                model="starter", messages=question("And you?"), extra_body={**ENDLESS, "priority": 10}
            )

        tasks.start_soon(first)
        await until_counted(host, lambda now: now[GENERATED] > before[GENERATED])
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(second)
            started = await metrics(host)
            while (await metrics(host))[GENERATED] < started[GENERATED] + 5:
                pass
            waiting.cancel_scope.cancel()
        await until_counted(host, lambda now: now.get(CANCELLED, 0) > before.get(CANCELLED, 0))
        assert (await metrics(host))["phial_prompt_tokens_total"] == started["phial_prompt_tokens_total"]
        tasks.cancel_scope.cancel()
    await until_counted(host, lambda now: now[CANCELLED] == before.get(CANCELLED, 0) + 2)
    await assert_next_answer_is_right(client)
