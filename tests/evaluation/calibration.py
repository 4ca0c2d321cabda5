"""How sure a completion must be, learnt: weights by logistic regression, judged on lines they were not learnt from."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from evaluation.lines import Line
from phial.assist.confidence import Calibration, Kind, feature, is_sure, probability

KEPT = 0.78
"""The share of the good completions to keep; another half of the functions may lose some more."""

_FOLDS = 5
_RIDGE = 0.1
"""Keeps the weights small where there is little to learn from: the variance that is expected of them, inverse."""

_STEPS = 30
_KINDS: tuple[Kind, ...] = get_args(Kind)
_KIND_OF: dict[str, Kind] = {"line": "line", "block": "block"}
"""All other kinds of holes are rests of lines."""


@dataclass(frozen=True)
class Example:
    """A completion that was shown: what is known of it, and whether it was good. One `fold` has all of a function."""

    kind: Kind
    logprobs: tuple[float, ...]
    good: bool
    fold: int = 0


@dataclass(frozen=True)
class Learnt:
    """What was learnt for a kind, and what it does to lines it was not learnt from; shares are of what is shown."""

    kind: Kind
    calibration: Calibration
    threshold: float
    number: int
    area: float
    kept: float
    precision_before: float
    precision: float


@dataclass(frozen=True)
class Judged:
    """What thresholds do to a number of completions: how many they show, and the share of the good among those."""

    kind: str
    number: int
    shown: int
    kept: float
    precision_before: float
    precision: float


def examples(lines: Iterable[Line]) -> list[Example]:
    """Return what the lines of a run teach: those with something shown of which the tokens are known."""
    return [
        Example(
            _KIND_OF.get(line["kind"], "rest"),
            tuple(line["logprobs"]),
            bool(line["passed"]),
            hashlib.sha256(line["function"].encode()).digest()[0] % _FOLDS,
        )
        for line in lines
        if line["logprobs"]
    ]


def learn(found: Sequence[Example]) -> list[Learnt]:
    """Return for each kind the calibration, and the threshold of the best precision that keeps `KEPT` of all good ones.

    The threshold is the same for all kinds. To trade away a good one of one kind for fewer bad ones of another pays until
    the least likely that are shown are as likely in all; thresholds found for each kind alone hid likely rests of
    lines and showed unlikely blocks.
    """
    is_good = [one.good for one in found]
    if len(set(is_good)) < 2:
        return []
    calibrations, scores = fit(found), _held_out(found)
    threshold, _, _ = best_threshold(scores, is_good)
    by_kind = {
        kind: [(score, one.good) for score, one in zip(scores, found, strict=True) if one.kind == kind]
        for kind in _KINDS
    }
    return [
        _learnt(kind, calibrations[kind], threshold, group)
        for kind, group in by_kind.items()
        if len({is_good for _, is_good in group}) == 2
    ]


def judge(lines: Iterable[Line], thresholds: Mapping[str, float]) -> list[Judged]:
    """Return what thresholds do to the completions of a run that showed everything: by kind, and together."""
    found: dict[str, list[tuple[bool, bool]]] = {kind: [] for kind in _KINDS}
    for line in lines:
        kind = _KIND_OF.get(line["kind"], "rest")
        if line["logprobs"]:
            is_shown = is_sure(line["logprobs"], kind, thresholds, starter=line["starter"])
            found[kind].append((is_shown, bool(line["passed"])))
    found["all"] = [one for group in found.values() for one in group]
    return [_judged(kind, group) for kind, group in found.items() if group]


def fit(found: Sequence[Example]) -> dict[Kind, Calibration]:
    """Fit a logistic regression with a ridge, by Newton's method (Hastie et al. 2009, 4.4.1).

    The kinds share a weight, for there is little to learn from, and each has a constant of its own.
    """
    rows = [_row(example) for example in found]
    weights = [0.0] * (len(_KINDS) + 1)
    for _ in range(_STEPS):
        sure = [_logistic(_dot(weights, row)) for row in rows]
        slope = [
            sum((example.good - p) * row[i] for example, p, row in zip(found, sure, rows, strict=True))
            - _RIDGE * weights[i]
            for i in range(len(weights))
        ]
        curve = [
            [
                sum(p * (1 - p) * row[i] * row[j] for p, row in zip(sure, rows, strict=True))
                + (i == j) * _RIDGE
                for j in range(len(weights))
            ]
            for i in range(len(weights))
        ]
        weights = [weight + step for weight, step in zip(weights, _solved(curve, slope), strict=True)]
    *constants, weight = (round(weight, 3) for weight in weights)
    return {kind: Calibration(constant, weight) for kind, constant in zip(_KINDS, constants, strict=True)}


def area(scores: Sequence[float], good: Sequence[bool]) -> float:
    """Return the chance that a good completion has a higher score than another (the area under the ROC curve)."""
    best = [score for score, is_good in zip(scores, good, strict=True) if is_good]
    rest = [score for score, is_good in zip(scores, good, strict=True) if not is_good]
    wins = sum((one > other) + 0.5 * (one == other) for one in best for other in rest)
    return wins / (len(best) * len(rest)) if best and rest else math.nan


def best_threshold(
    scores: Sequence[float], good: Sequence[bool], kept: float = KEPT
) -> tuple[float, float, float]:
    """Return the threshold of the best precision that keeps a share of the good ones, its precision, what it keeps."""
    total = sum(good)
    effects = []
    for value in sorted(set(scores)):
        shown = [is_good for score, is_good in zip(scores, good, strict=True) if score >= value]
        effects.append((value, sum(shown) / len(shown), sum(shown) / total))
    return max((effect for effect in effects if effect[2] >= kept), key=lambda effect: effect[1])


def _learnt(
    kind: Kind, calibration: Calibration, threshold: float, found: Sequence[tuple[float, bool]]
) -> Learnt:
    scores, good = [score for score, _ in found], [is_good for _, is_good in found]
    judged = _judged(kind, [(score >= threshold, is_good) for score, is_good in found])
    return Learnt(
        kind,
        calibration,
        round(threshold, 2),
        number=len(found),
        area=area(scores, good),
        kept=judged.kept,
        precision_before=judged.precision_before,
        precision=judged.precision,
    )


def _row(example: Example) -> tuple[float, ...]:
    return (*(float(example.kind == kind) for kind in _KINDS), feature(example.logprobs))


def _judged(kind: str, found: Sequence[tuple[bool, bool]]) -> Judged:
    good = sum(is_good for _, is_good in found)
    shown = [is_good for is_shown, is_good in found if is_shown]
    return Judged(
        kind,
        len(found),
        len(shown),
        kept=sum(shown) / good if good else math.nan,
        precision_before=good / len(found),
        precision=sum(shown) / len(shown) if shown else math.nan,
    )


def _held_out(found: Sequence[Example]) -> list[float]:
    """Return the probability of each example by weights that were learnt from the functions of other folds."""
    by_fold = {
        fold: fit([example for example in found if example.fold != fold])
        for fold in {example.fold for example in found}
    }
    return [probability(example.logprobs, by_fold[example.fold][example.kind]) for example in found]


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, value))))


def _dot(left: Iterable[float], right: Iterable[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


def _solved(matrix: list[list[float]], vector: list[float]) -> list[float]:
    """Solve a small system by elimination; the matrix is positive definite."""
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    for at, pivot in enumerate(rows):
        for other in rows:
            if other is not pivot:
                factor = other[at] / pivot[at]
                other[:] = [value - factor * base for value, base in zip(other, pivot, strict=True)]
    return [row[-1] / row[at] for at, row in enumerate(rows)]
