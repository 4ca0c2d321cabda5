from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from phial.assist.confidence import Calibration, confidence, probability

logprobs = st.lists(st.floats(-1e6, 0), min_size=1, max_size=20)


@given(logprobs, st.sampled_from(("rest", "line", "block")), st.booleans())
def test_it_is_a_probability_whatever_the_tokens(found: list[float], kind: str, starter: bool) -> None:
    sure = confidence(found, kind, starter=starter)  # type: ignore[arg-type] # one of its three
    assert sure is not None
    assert 0 <= sure <= 1


@given(logprobs, st.floats(-50, 50), st.floats(-50, 50))
def test_it_is_one_by_any_calibration(found: list[float], constant: float, weight: float) -> None:
    assert 0 <= probability(found, Calibration(constant, weight)) <= 1


def test_nobody_can_tell_without_tokens() -> None:
    assert confidence((), "rest", starter=False) is None


def test_what_is_likely_as_a_whole_is_sure() -> None:
    texts = [(-0.01,), (-0.05,) * 3, (-0.05,) * 30, (-0.01, -3.0), (-0.05,) * 100]
    for starter in (False, True):
        found = [confidence(text, "rest", starter=starter) or 0.0 for text in texts]
        assert found == sorted(found, reverse=True)


def test_the_weight_is_of_the_log_of_the_whole() -> None:
    assert math.isclose(probability((-0.4, -0.5), Calibration(0.0, 5.0)), 0.5)
    assert math.isclose(probability((-0.9,), Calibration(1.0, 5.0)), 1 / (1 + 1 / math.e))
