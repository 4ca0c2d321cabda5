"""How much memory a model needs, and whether the machine has it."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from phial.errors import OutOfMemory

_GIB = 1 << 30

_WEIGHTS_FACTOR = 2.0
"""Loading holds the file's pages and the repacked weights at once: 6.5 GB at the peak for 2.3 GB of
weights and 0.9 GB of cache, measured at Phi-3-mini's size."""

_RUNTIME_BYTES = _GIB // 2
"""Libraries, compiled graph and activations."""


@dataclass(frozen=True)
class CachePlan:
    """The KV cache of a model: how many blocks, and what they take in bytes."""

    blocks: int
    bytes: int


def plan_cache(*, bytes_per_token: int, context_length: int, block_size: int) -> CachePlan:
    """Plan a cache that holds one whole context, and half of one for the prefixes of other requests."""
    blocks = -(-context_length * 3 // (2 * block_size)) + 1
    return CachePlan(blocks, blocks * block_size * bytes_per_token)


def check_memory(*, model: str, weights: int, cache: CachePlan) -> None:
    """Raise `OutOfMemory`, saying how much is needed, if the machine has less than that free."""
    needed = int(weights * _WEIGHTS_FACTOR) + cache.bytes + _RUNTIME_BYTES
    free = psutil.virtual_memory().available
    if needed > free:
        raise OutOfMemory(
            f"The model {model} needs about {needed / _GIB:.1f} GB of free memory"
            f" ({cache.bytes / _GIB:.1f} GB of it for its context), and {free / _GIB:.1f} GB are free."
        )
