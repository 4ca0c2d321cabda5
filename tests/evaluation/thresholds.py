"""How likely a completion must be to be shown unasked: learnt from the lines of a run that showed everything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.lines import Line
from phial.assist.completion import Kind

KEPT = 0.85
"""The share of the good completions that the training half has to keep; the test half may lose some more."""

_KIND_OF: dict[str, Kind] = {"line": "line", "block": "block"}
"""All other kinds of holes are rests of lines."""


@dataclass(frozen=True)
class Threshold:
    """What a threshold does, on the lines it was learnt from: shares are of what would be shown without one."""

    kind: Kind
    value: float
    shown: float
    kept: float
    precision_before: float
    precision: float


def learn(lines: Iterable[Line]) -> list[Threshold]:
    """Return for each kind the threshold of the best precision that keeps `KEPT` of the good completions."""
    by_kind: dict[Kind, list[Line]] = {"rest": [], "line": [], "block": []}
    for line in lines:
        if line["confidence"] is not None:
            by_kind[_KIND_OF.get(line["kind"], "rest")].append(line)
    return [_best(kind, found) for kind, found in by_kind.items() if any(line["passed"] for line in found)]


def _best(kind: Kind, lines: Sequence[Line]) -> Threshold:
    values = sorted({line["confidence"] for line in lines})
    effects = (_effect(kind, lines, value) for value in values)
    return max((effect for effect in effects if effect.kept >= KEPT), key=lambda effect: effect.precision)


def _effect(kind: Kind, lines: Sequence[Line], value: float) -> Threshold:
    shown = [line for line in lines if line["confidence"] >= value]
    good = sum(line["passed"] for line in lines)
    good_shown = sum(line["passed"] for line in shown)
    return Threshold(
        kind,
        round(value, 3),
        shown=len(shown) / len(lines),
        kept=good_shown / good,
        precision_before=good / len(lines),
        precision=good_shown / len(shown),
    )
