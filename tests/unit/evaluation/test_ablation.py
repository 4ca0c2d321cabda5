"""Filters are left out one at a time, of what a model wrote before any of them."""

from __future__ import annotations

from typing import Any

import pytest

from evaluation import score
from evaluation.ablation import NAMES, Ablated, ablate
from evaluation.holes import Function, Hole, Kind
from evaluation.verdict import Verdict
from unit.evaluation.made import holes


@pytest.fixture(autouse=True)
def true_text_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(of: Function, text: str) -> Verdict:
        return Verdict(text == of.source.text, "", True)

    monkeypatch.setattr(score, "examine", examine)


def ablated(hole: Hole, text: str) -> dict[str, Ablated]:
    lines: list[dict[str, Any]] = [{"hole": hole.id, "shown": text}, {"hole": "of another run", "shown": "x"}]
    return {row.without: row for row in ablate(lines, {hole.id: hole}, jobs=1)}


def hole_at(kind: Kind, start: str) -> Hole:
    return next(hole for hole in holes(kind) if hole.truth.startswith(start))


def test_what_needs_no_filter_is_the_same_without_any() -> None:
    hole = hole_at("line", "seen = ")
    found = ablated(hole, hole.truth)
    assert set(found) == {"", *NAMES}
    assert {(row.number, row.changed, row.passed, row.noise) for row in found.values()} == {(1, 0, 1, 0)}


def test_what_a_filter_is_for_stays_without_it() -> None:
    hole = hole_at("line", "seen = ")
    found = ablated(hole, hole.truth + "<|im_end|>")
    without = found["cut_control_token"]
    assert (found[""].passed, found[""].noise) == (1, 0)
    assert (without.changed, without.passed) == (1, 0)
    assert {name for name, row in found.items() if row.changed} == {"cut_control_token"}


def test_what_another_filter_cuts_as_well_needs_both_to_stay() -> None:
    hole = hole_at("block", "counts = {}")
    found = ablated(hole, hole.truth + "\n    ```\n")
    assert {row.changed for row in found.values()} == {0}
