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
    """A logistic regression, by its constant and the weight of the feature, and from which probability on to show."""

    constant: float
    weight: float
    threshold: float = 0.0


def confidence(logprobs: Sequence[float], kind: Kind, *, starter: bool) -> float | None:
    """Return the probability, from 0 to 1, that a completion of such tokens is a good one; None without any.

    `logprobs`: the natural logarithms of the probabilities of what is shown and of where it ends. A model as
    small as the starter is sure of other things than a larger one.
    """
    if not logprobs:
        return None
    return probability(logprobs, _calibration(kind, starter=starter))


def is_sure(logprobs: Sequence[float], kind: Kind, thresholds: Mapping[str, float], *, starter: bool) -> bool:
    """Return whether a completion is likely enough to be shown to somebody who has not asked for it.

    `thresholds`: the least probability by kind; below 0, what was learnt. Where nobody can tell, all is shown.
    """
    sure = confidence(logprobs, kind, starter=starter)
    wanted = thresholds[kind] if thresholds[kind] >= 0 else _calibration(kind, starter=starter).threshold
    return sure is None or sure >= wanted


def probability(logprobs: Sequence[float], calibration: Calibration) -> float:
    """Return the probability that a calibration gives to a completion."""
    odds = calibration.constant + calibration.weight * feature(logprobs)
    return 1 / (1 + math.exp(min(_STEEPEST, -odds)))


def feature(logprobs: Sequence[float]) -> float:
    """Return what tells good completions from others best: how likely the whole is, the more finely the likelier.

    The mean of the tokens, which many go by, tells less: a long text of likely tokens is wrong somewhere.
    """
    return -math.log(_CERTAIN - sum(logprobs))


_CERTAIN = 0.1
"""Where one text is as certain as another: all in all, nine times out of ten."""

_STEEPEST = 40.0
"""Where a probability is as good as none; further on, the exponential would overflow."""


def _calibration(kind: Kind, *, starter: bool) -> Calibration:
    return (_STARTER if starter else _LARGER)[kind]


# Learnt by `scripts/eval --learn`; docs/quality.md has what they are worth.
_LARGER: Mapping[Kind, Calibration] = {
    "rest": Calibration(1.033, 1.112, 0.52),
    "line": Calibration(0.76, 1.112, 0.52),
    "block": Calibration(1.084, 1.112, 0.52),
}
_STARTER: Mapping[Kind, Calibration] = {
    "rest": Calibration(-0.227, 1.107, 0.15),
    "line": Calibration(1.113, 1.107, 0.05),
    "block": Calibration(0.298, 1.107, 0.01),
}
