"""The work done by a host: Phial's own, or optimum-intel's `OVModelForCausalLM` behind the same API."""

from __future__ import annotations

from phial.bench import processes
from phial.bench.asking import ask
from phial.bench.rivals.work import ANSWER, PROMPT, Pace, prompts
from phial.bench.running import RunningHost, own_host
from phial.errors import EngineError
from phial.models.store import Model

OPTIMUM = ("--backend", "optimum")
"""The options of a host that calls `OVModelForCausalLM.generate`."""


async def pace_of_host(model: Model, device: str, *options: str, seed: int) -> Pace:
    """Start a host, have it do the work, and end it. Raises `PhialError`."""
    async with own_host(model, device, *options) as host:
        return await _worked(host, seed)


async def _worked(host: RunningHost, seed: int) -> Pace:
    first, second = prompts(seed)
    cold = await ask(host.http, first, 1)
    edited = await ask(host.http, second, ANSWER)
    if edited.tokens_per_second is None:
        raise EngineError("The model ended its answer at once, so it cannot be compared.", advice="")
    return Pace(
        PROMPT / cold.first,
        edited.first,
        edited.tokens_per_second,
        processes.memory_bytes(host.address.pid),
    )
