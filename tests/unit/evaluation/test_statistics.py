"""Figures against known values."""

from __future__ import annotations

import math
from statistics import fmean

import pytest

from evaluation.statistics import bootstrap, mcnemar, quantile, wilson


@pytest.mark.parametrize(
    ("successes", "number", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson(successes: int, number: int, low: float, high: float) -> None:
    assert wilson(successes, number) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 0.0625),
        (0, 6, 0.03125),
        (1, 9, 0.021484),
        (2, 10, 0.038574),
        (11, 0, 2**-10),
    ],
)
def test_mcnemar(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p, abs=1e-6)
    assert mcnemar(second, first) == mcnemar(first, second)


def test_bootstrap_agrees_with_the_normal_interval() -> None:
    values = [float(number % 10) for number in range(400)]
    low, high = bootstrap(values, fmean)
    half = 1.96 * math.sqrt(8.25 / 400)
    assert (low, high) == pytest.approx((4.5 - half, 4.5 + half), abs=0.05)
    assert bootstrap(values, fmean) == (low, high)


def test_quantile() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.9) == 4.0
    assert math.isnan(quantile([], 0.5))
