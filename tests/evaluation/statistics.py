"""How sure a figure is: intervals for shares and means, and a test for two runs over the same holes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

_Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile: intervals cover 95 %."""


def wilson(successes: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, without continuity correction)."""
    if not number:
        return 0.0, 1.0
    share = successes / number
    scale = 1 + _Z**2 / number
    centre = (share + _Z**2 / (2 * number)) / scale
    half = _Z * math.sqrt(share * (1 - share) / number + _Z**2 / (4 * number**2)) / scale
    low = centre - half if successes else 0.0  # rounding would leave a trace
    return low, min(1.0, centre + half)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of McNemar's test: the discordant pairs against a fair coin."""
    number = only_first + only_second
    tail = sum(math.comb(number, count) for count in range(min(only_first, only_second) + 1))
    return min(1.0, 2.0 * tail / math.pow(2, number))


def bootstrap(
    values: Sequence[float], of: Callable[[Sequence[float]], float], *, draws: int = 2000
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic (Efron 1979), the same for the same values."""
    if not values:
        return math.nan, math.nan
    draw = random.Random(0)
    found = sorted(of(draw.choices(values, k=len(values))) for _ in range(draws))
    return found[int(0.025 * draws)], found[int(0.975 * draws) - 1]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
