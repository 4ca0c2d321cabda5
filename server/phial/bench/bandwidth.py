"""How fast memory hands over data here: what limits decode, which reads all weights for each token."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_BYTES = 1 << 30
"""Far more than any cache holds, all threads together."""

_ROUNDS = 5


def memory_bandwidth() -> float:
    """Return the most bytes per second that all cores together read, or read and write, in any of some rounds.

    As STREAM does it (https://www.cs.virginia.edu/stream/), by numpy, which computes without the interpreter lock.
    """
    import numpy as np

    threads = os.cpu_count() or 1
    size = _BYTES // threads // 4
    sources = [np.ones(size, np.float32) for _ in range(threads)]
    targets = [np.zeros(size // 2, np.float32) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:

        def paced(work: Callable[[int], Any], moved: int) -> float:
            began = time.perf_counter()
            list(pool.map(work, range(threads)))
            return moved / (time.perf_counter() - began)

        def read(number: int) -> None:
            np.dot(sources[number], sources[number])

        def add(number: int) -> None:
            sources[number].sum()

        def copy(number: int) -> None:
            np.copyto(targets[number], sources[number][: size // 2])

        works = ((read, threads * size * 4), (add, threads * size * 4), (copy, threads * size * 4))
        return max(paced(work, moved) for _ in range(_ROUNDS) for work, moved in works)


def bandwidth_share(weights_bytes: int, tokens_per_second: float, bytes_per_second: float) -> float:
    """Return what part of the memory's bandwidth decode takes by reading the weights."""
    return weights_bytes * tokens_per_second / bytes_per_second
