"""Measures a model host from outside, as a window would use it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from phial.address import HostAddress
from phial.bench import processes
from phial.bench.asking import ask, noise
from phial.engine import launcher
from phial.errors import EngineError

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


async def measure(address: HostAddress, load_seconds: float, *, runs: int = _RUNS) -> Figures:
    """Measure a host that is ready: prompts that it has never seen, then one that it has, a little longer.

    Raises `EngineError`, and whatever the host answers instead.
    """
    health = await launcher.health(address) or {}
    colds, warms, prefills, decodes = [], [], [], []
    async with launcher.client(address, read_timeout=_READ_TIMEOUT) as http:
        for run in range(runs):
            prompt = noise(_PROMPT, run)
            cold = await ask(http, prompt, 1)
            warm = await ask(http, [*prompt, *noise(_ADDED, ("added", run))], _ANSWER)
            colds.append(cold.first)
            warms.append(warm.first)
            prefills.append(_PROMPT / cold.first)
            if pace := warm.tokens_per_second:
                decodes.append(pace)
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
        memory_bytes=processes.memory_bytes(address.pid),
    )
