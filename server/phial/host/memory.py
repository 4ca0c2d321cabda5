"""Whether the machine has the memory that a model needs."""

from __future__ import annotations

import psutil

from phial.errors import OutOfMemory
from phial.models.memory import CachePlan, total_bytes

_GIB = 1 << 30


def check_memory(*, model: str, weights: int, cache: CachePlan) -> None:
    """Raise `OutOfMemory`, saying how much is needed, if the machine has less than that free."""
    needed = total_bytes(weights, cache)
    free = psutil.virtual_memory().available
    if needed > free:
        raise OutOfMemory(
            f"The model {model} needs about {needed / _GIB:.1f} GB of free memory"
            f" ({cache.bytes / _GIB:.1f} GB of it for its context), and {free / _GIB:.1f} GB are free."
        )
