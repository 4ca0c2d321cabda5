"""How soon the model is free after somebody hangs up, and whether a thousand of them leave anything behind."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import anyio
import httpx2

from phial.bench import processes
from phial.bench.asking import ask, noise, pieces
from phial.bench.counts import HostCounts, host_counts
from phial.bench.figures import Figure, percentile, ratio
from phial.bench.running import RunningHost

Phase = Literal["decode", "prefill"]

_LONG = 1500
"""Tokens of a prompt that takes many steps to read."""

_CHECKED = 24
"""Tokens of the answer that must be the same afterwards."""

_FILLING = 512
"""Tokens of each prompt that fills the cache."""

_LENGTHS = range(16, 401, 16)
"""Of prompts that are given up: OpenVINO keeps what it has made for each size of a step, about a megabyte."""

_FLAT_BYTES = 32 << 20
"""What the memory of a process that leaks nothing may move by: its allocator keeps pages."""


@dataclass(frozen=True)
class Freed:
    """How long the model went on after a request was given up; in steps of the length that its own took."""

    seconds: float
    steps: float


async def latency_figures(host: RunningHost, count: int) -> list[Figure]:
    """Hang up so many times while an answer is written, and while a prompt is read."""
    found: list[Figure] = []
    for phase in ("decode", "prefill"):
        freed = [await _given_up(host.http, phase, number) for number in range(count)]
        steps = percentile([each.steps for each in freed], 0.99)
        milliseconds = [1000 * each.seconds for each in freed]
        name = f"cancel_in_{phase}"
        found += [
            Figure(f"{name}_p99_steps", f"Cancel in {phase}, p99", steps, "steps", at_most=2),
            Figure(
                f"{name}_p50_milliseconds", f"Cancel in {phase}, p50", percentile(milliseconds, 0.5), "ms"
            ),
            Figure(
                f"{name}_p99_milliseconds", f"Cancel in {phase}, p99", percentile(milliseconds, 0.99), "ms"
            ),
        ]
    return found


async def random_figures(host: RunningHost, count: int) -> list[Figure]:
    """Give up so many requests of any size at any time; look at the memory, and at the next answer.

    What the cache of prompts takes it has taken before; the second half shows whether anything leaks.
    """
    await _fill_cache(host.http)
    prompt = noise(96, "checked")
    right = {(await ask(host.http, prompt, _CHECKED)).text for _ in range(2)}  # computed, and from the cache
    draw = random.Random(0)  # noqa: S311 - the same each time
    memory: list[int] = []
    for number in range(count):
        if number in (0, count // 2):
            memory.append(processes.memory_bytes(host.address.pid))
        await _abandoned(host.http, draw)
    memory.append(processes.memory_bytes(host.address.pid))
    after = (await ask(host.http, prompt, _CHECKED)).text
    growth = memory[2] - memory[1]
    return [
        Figure("random_cancels", "Random cancels", count),
        Figure("memory_before_cancels_megabytes", "Host's memory before them", memory[0] / 1e6, "MB"),
        Figure("memory_after_cancels_megabytes", "Host's memory after them", memory[2] / 1e6, "MB"),
        Figure(
            "memory_growth_over_cancels_megabytes",
            "Growth over the second half of them",
            growth / 1e6,
            "MB",
            at_most=_FLAT_BYTES / 1e6,
        ),
        Figure("answer_after_cancels_equal", "The next answer is right", after in right, must_be=True),
    ]


async def _fill_cache(http: httpx2.AsyncClient) -> None:
    """Have as much read as any host keeps: a page of its cache is the process's once something stands on it."""
    models = (await http.get("/v1/models")).json()["data"]
    for number in range(-(-2 * models[0]["max_model_len"] // _FILLING)):
        await ask(http, noise(_FILLING, ("filling", number)), 1)


async def until_counted(http: httpx2.AsyncClient, reached: Callable[[HostCounts], bool]) -> HostCounts:
    """Look at a host's counters until they are as wanted: it reads a request between any two steps."""
    while True:
        counts = await host_counts(http)
        if reached(counts):
            return counts


async def until_freed(http: httpx2.AsyncClient, before: HostCounts, began: float) -> Freed:
    """Wait until the host has let go of the one request since `before`, given up at `began`.

    One that has ended by itself counts as free at once.
    """
    free = await until_counted(http, lambda counts: counts.ended > before.ended)
    seconds = time.perf_counter() - began
    own = free.since(before)
    return Freed(seconds, seconds / (ratio(own.step_seconds, own.steps) or seconds))


async def _given_up(http: httpx2.AsyncClient, phase: Phase, number: int) -> Freed:
    """Give up a request in a phase, and wait until the host has let go of it."""
    before = await host_counts(http)
    length = 64 if phase == "decode" else _LONG
    body = {"prompt": noise(length, (phase, number)), "max_tokens": 512}

    def begun(counts: HostCounts) -> bool:
        now = counts.since(before)
        return now.generated_tokens > 1 if phase == "decode" else now.prefilled_tokens > 0

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, http, body)
        await until_counted(http, begun)
        began = time.perf_counter()
        tasks.cancel_scope.cancel()
    return await until_freed(http, before, began)


async def _abandoned(http: httpx2.AsyncClient, draw: random.Random) -> None:
    """Ask for anything, and hang up at any time."""
    body = {
        "prompt": noise(draw.choice(_LENGTHS), draw.random()),
        "max_tokens": draw.randrange(1, 64),
        "temperature": draw.choice((0.0, 1.0)),
        "priority": draw.choice((0, 10)),
    }
    with anyio.move_on_after(draw.uniform(0.0, 0.1)):
        await _read(http, body)


async def _read(http: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    async with pieces(http, "/v1/completions", body) as answer:
        async for _ in answer:
            pass
