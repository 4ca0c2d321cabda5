"""How much memory a model takes while it is loaded and answers."""

from __future__ import annotations

from dataclasses import dataclass

_GIB = 1 << 30

_WEIGHTS_FACTOR = 2.0
"""Loading holds the file's pages and the repacked weights at once: 6.5 GB at the peak for 2.3 GB of
weights and 0.9 GB of cache, measured at Phi-3-mini's size."""

_RUNTIME_BYTES = _GIB // 2
"""Libraries, compiled graph and activations."""

CPU_BLOCK_SIZE = 32
"""Tokens in a block of the KV cache on the CPU."""


@dataclass(frozen=True)
class AttentionShape:
    """What decides how large the KV cache is; `head_size` in numbers per head."""

    layers: int
    key_value_heads: int
    head_size: int


@dataclass(frozen=True)
class CachePlan:
    """The KV cache of a model: how many blocks, and what they take in bytes."""

    blocks: int
    bytes: int


def needed_bytes(*, weights: int, shape: AttentionShape, context_length: int) -> int:
    """Return the bytes that a model of so many bytes of weights needs on the CPU."""
    per_token = cache_bytes_per_token(shape)
    cache = plan_cache(bytes_per_token=per_token, context_length=context_length, block_size=CPU_BLOCK_SIZE)
    return total_bytes(weights, cache)


def total_bytes(weights: int, cache: CachePlan) -> int:
    """Return the bytes of it all: twice the weights, the KV cache and the runtime."""
    return int(weights * _WEIGHTS_FACTOR) + cache.bytes + _RUNTIME_BYTES


def plan_cache(*, bytes_per_token: int, context_length: int, block_size: int) -> CachePlan:
    """Plan a cache that holds one whole context, and half of one for the prefixes of other requests."""
    blocks = -(-context_length * 3 // (2 * block_size)) + 1
    return CachePlan(blocks, blocks * block_size * bytes_per_token)


def cache_bytes_per_token(shape: AttentionShape) -> int:
    """Return the bytes of KV cache that a token takes on the CPU."""
    return round(2 * shape.layers * shape.key_value_heads * head_bytes(shape.head_size, CPU_BLOCK_SIZE))


def head_bytes(head_size: int, block_size: int) -> float:
    """Return the bytes that a token's key, or its value, takes in one head: the mean of both.

    They are stored in 8 bits; a value row adds 8 bytes of scale and zero point, a key channel 8 bytes per
    block (openvino's paged attention, u8).
    """
    return head_size + (8 + head_size * 8 / block_size) / 2
