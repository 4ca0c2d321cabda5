from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from phial.assist.confidence import Calibration, confidence, probability

logprobs = st.lists(st.floats(-1e6, 0), min_size=1, max_size=20)
weights = st.tuples(*[st.floats(-50, 50)] * 3)


@given(logprobs, st.sampled_from(("rest", "line", "block")), st.booleans())
def test_it_is_a_probability_whatever_the_tokens(found: list[float], kind: str, starter: bool) -> None:
    sure = confidence(found, kind, starter=starter)  # type: ignore[arg-type] # one of its three
    assert sure is not None
    assert 0 <= sure <= 1


@given(logprobs, st.floats(-50, 50), weights)
def test_it_is_one_by_any_calibration(
    found: list[float], constant: float, weights: tuple[float, ...]
) -> None:
    assert 0 <= probability(found, Calibration(constant, weights)) <= 1


def test_nobody_can_tell_without_tokens() -> None:
    assert confidence((), "rest", starter=False) is None


def test_weights_are_of_the_mean_the_least_and_the_sum() -> None:
    assert probability((-1.0, -3.0), Calibration(9.0, (1.0, 1.0, 1.0))) == 0.5
    assert math.isclose(probability((-1.0,), Calibration(0.0, (1.0, 0.0, 0.0))), 1 / (1 + math.e))
