from __future__ import annotations

from typing import Any

from evaluation.thresholds import learn


def line(confidence: float | None, passed: bool, kind: str = "line") -> dict[str, Any]:
    return {"kind": kind, "confidence": confidence, "passed": passed}


def test_the_threshold_parts_the_good_from_the_bad() -> None:
    good = [line(-0.1 * number, passed=True) for number in range(1, 6)]
    bad = [line(-0.1 * number, passed=False) for number in range(6, 11)]
    [found] = learn([*bad, *good])
    assert (found.kind, found.value, found.precision_before, found.precision) == ("line", -0.5, 0.5, 1.0)
    assert (found.shown, found.kept) == (0.5, 1.0)


def test_most_of_the_good_ones_are_kept() -> None:
    surest = [line(-0.01, passed=True)] * 5
    [found] = learn([*surest, *[line(-1.0, passed=True), line(-1.0, passed=False)] * 5])
    assert found.kept >= 0.85
    assert found.value == -1.0


def test_each_kind_has_its_own_and_a_word_is_the_rest_of_a_line() -> None:
    lines = [line(-0.1, passed=True, kind=kind) for kind in ("rest", "word", "line", "block")]
    assert [found.kind for found in learn(lines)] == ["rest", "line", "block"]


def test_what_nobody_knows_the_confidence_of_teaches_nothing() -> None:
    assert learn([line(None, passed=False), line(-0.1, passed=False, kind="rest")]) == []
