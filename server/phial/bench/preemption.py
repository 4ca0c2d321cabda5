"""A completion that is asked for while a chat's long prompt is read: when it comes, and what becomes of the chat."""

from __future__ import annotations

import anyio

from phial.bench.asking import Timed, ask, noise
from phial.bench.cancels import until_counted
from phial.bench.counts import host_counts
from phial.bench.figures import Figure, ratio
from phial.bench.running import RunningHost, own_host
from phial.models.store import Model

_CHAT = 2000
"""Tokens of the chat's prompt."""

_ANSWER = 32
_COMPLETION = 96
_TURNS = 3
_PRIORITY, _CHAT_PRIORITY = 0, 10


async def preemption_figures(model: Model, device: str) -> list[Figure]:
    """Ask for the chat undisturbed in one host, and disturbed in another that is like it: neither has it cached."""
    async with own_host(model, device) as host:
        undisturbed = await _chat(host)
    async with own_host(model, device) as host:
        # The first of all costs a new host something extra.
        alone = min([await _first_token_seconds(host, seed=f"alone {turn}") for turn in range(_TURNS)])
        return await _disturbed(host, undisturbed.text, alone)


async def _disturbed(host: RunningHost, undisturbed: str, alone: float) -> list[Figure]:
    before = await host_counts(host.http)
    texts: list[str] = []

    async def ask_chat() -> None:
        texts.append((await _chat(host)).text)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_chat)
        reading = await until_counted(host.http, lambda now: now.since(before).prefilled_tokens > _CHAT // 4)
        seconds = await _first_token_seconds(host, seed="between")
    own = reading.since(before)
    step = ratio(own.step_seconds, own.steps) or 0.0
    return [
        Figure(
            "preemption_first_token_milliseconds", "Completion amid a chat's prefill", 1000 * seconds, "ms"
        ),
        Figure("preemption_alone_milliseconds", "The same, alone", 1000 * alone, "ms"),
        Figure("prefill_step_milliseconds", "A step of that prefill", 1000 * step, "ms"),
        Figure(
            "preemption_extra_steps",
            "What it waited for the chat",
            ratio(max(0.0, seconds - alone), step),
            "steps",
            at_most=2,
        ),
        Figure("preempted_chat_text_equal", "The chat says the same", texts == [undisturbed], must_be=True),
    ]


async def _chat(host: RunningHost) -> Timed:
    return await ask(host.http, noise(_CHAT, "chat"), _ANSWER, priority=_CHAT_PRIORITY)


async def _first_token_seconds(host: RunningHost, seed: str) -> float:
    """Return how long the host took from a completion's arrival to its first token, by its own clock."""
    before = await host_counts(host.http)
    await ask(host.http, noise(_COMPLETION, seed), 1, priority=_PRIORITY)
    return (await host_counts(host.http)).since(before).first_token_seconds
