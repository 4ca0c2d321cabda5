"""What this machine can do at most, each measured by itself: what limits a model, whoever runs it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

_BYTES = 1 << 30
"""Far more than any cache holds, all threads together."""

_SIDE = 2048
"""Of the square matrices that are multiplied: large enough to be limited by nothing but arithmetic."""

_ROUNDS = 5


@dataclass(frozen=True)
class Machine:
    """The most that was seen of all cores together.

    `bytes_per_second`: of memory, read, or read and written; it limits decode, which reads all weights for each token.
    `operations_per_second`: in float32, a multiplication and an addition counting as two; it limits prefill, which
    computes with each weight for each token. Whoever computes in fewer bits may get beyond it.
    """

    bytes_per_second: float
    operations_per_second: float

    def bandwidth_share(self, weights_bytes: int, tokens_per_second: float) -> float:
        """Return what part of the memory's bandwidth decode takes by reading so many bytes for each token."""
        return weights_bytes * tokens_per_second / self.bytes_per_second

    def arithmetic_share(self, operations: float | None, tokens_per_second: float) -> float | None:
        """Return what part of the arithmetic prefill takes; None where nothing tells the operations of a token."""
        return None if operations is None else operations * tokens_per_second / self.operations_per_second


@cache
def measure_machine() -> Machine:
    """Measure it by numpy, which computes without the interpreter lock; takes seconds, once in a run."""
    return Machine(_memory_bandwidth(), _arithmetic())


def _memory_bandwidth() -> float:
    """As STREAM does it: https://www.cs.virginia.edu/stream/."""
    import numpy as np

    threads = os.cpu_count() or 1
    size = _BYTES // threads // 4
    sources = [np.ones(size, np.float32) for _ in range(threads)]
    targets = [np.zeros(size // 2, np.float32) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:

        def read(number: int) -> None:
            np.dot(sources[number], sources[number])

        def add(number: int) -> None:
            sources[number].sum()

        def copy(number: int) -> None:
            np.copyto(targets[number], sources[number][: size // 2])

        def on_all_cores(work: Callable[[int], None]) -> Callable[[], object]:
            return lambda: list(pool.map(work, range(threads)))

        moved = threads * size * 4
        works = [on_all_cores(work) for work in (read, add, copy)]
        return max(moved / _seconds(work) for _ in range(_ROUNDS) for work in works)


def _arithmetic() -> float:
    import numpy as np

    one = np.ones((_SIDE, _SIDE), np.float32)
    product = np.empty_like(one)
    return max(2 * _SIDE**3 / _seconds(lambda: np.matmul(one, one, out=product)) for _ in range(_ROUNDS))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
