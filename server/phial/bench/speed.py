"""A host's speed and size, as figures, with how much it takes of what the machine can do."""

from __future__ import annotations

from phial.bench.figures import Figure
from phial.bench.machine import Machine
from phial.bench.measure import measure
from phial.bench.running import own_host
from phial.bench.weights import bytes_per_token, operations_per_token
from phial.models.store import Model


async def speed_figures(model: Model, device: str, *, runs: int, machine: Machine) -> list[Figure]:
    """Load a model twice and measure it: the second load finds what the first has left on the disk.

    Raises `PhialError`.
    """
    async with own_host(model, device) as host:
        first_load = host.load_seconds
    async with own_host(model, device) as host:
        found = await measure(host.address, host.load_seconds, runs=runs)
    prefill, decode = found.prefill_tokens_per_second, found.decode_tokens_per_second
    return [
        Figure("load_seconds", "Load", first_load, "s"),
        Figure("second_load_seconds", "Load, the second time", found.load_seconds, "s"),
        Figure(
            "cold_first_token_seconds", "First token, cold, 512 tokens", found.cold_first_token_seconds, "s"
        ),
        Figure("warm_first_token_seconds", "First token, 4 tokens more", found.warm_first_token_seconds, "s"),
        Figure("prefill_tokens_per_second", "Prefill", prefill, "tokens/s"),
        Figure("decode_tokens_per_second", "Decode", decode, "tokens/s"),
        Figure("memory_megabytes", "Memory", found.memory_bytes / 1e6, "MB"),
        Figure(
            "memory_bandwidth_gigabytes_per_second",
            "The memory's bandwidth",
            machine.bytes_per_second / 1e9,
            "GB/s",
        ),
        Figure(
            "bandwidth_share",
            "Share of it that decode takes",
            machine.bandwidth_share(bytes_per_token(model), decode),
        ),
        Figure(
            "arithmetic_gigaflops",
            "The cores' arithmetic, in 32 bits",
            machine.operations_per_second / 1e9,
            "GFLOPS",
        ),
        Figure(
            "arithmetic_share",
            "Share of it that prefill takes",
            machine.arithmetic_share(operations_per_token(model), prefill),
        ),
    ]
