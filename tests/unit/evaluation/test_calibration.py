from __future__ import annotations

import math
from typing import Any

import pytest

from evaluation.calibration import Example, area, best_threshold, examples, fit, judge, learn
from phial.assist.confidence import probability


def line(logprobs: tuple[float, ...], passed: bool, kind: str = "line") -> dict[str, Any]:
    function = f"f{logprobs}"
    return {"kind": kind, "logprobs": logprobs, "passed": passed, "function": function, "starter": False}


def sure_and_unsure(kind: str = "line") -> list[dict[str, Any]]:
    good = [line((-0.01 * number,), passed=True, kind=kind) for number in range(1, 21)]
    bad = [line((-2.0 - 0.01 * number,) * 3, passed=False, kind=kind) for number in range(1, 21)]
    return [*good, *bad]


def test_the_good_are_told_from_the_bad() -> None:
    [learnt] = learn(examples(sure_and_unsure()))
    assert (learnt.kind, learnt.number, learnt.precision_before) == ("line", 40, 0.5)
    assert (learnt.area, learnt.precision) == (1.0, 1.0)
    assert learnt.kept >= 0.8
    assert probability((-0.01,), learnt.calibration) > 0.9
    assert probability((-2.0,) * 3, learnt.calibration) < 0.1


def test_what_tells_nothing_is_no_better_than_the_share_of_the_good() -> None:
    same = [Example("rest", (-0.5,), good=number % 4 == 0, fold=number % 5) for number in range(40)]
    assert probability((-0.5,), fit(same)["rest"]) == pytest.approx(0.25, abs=0.01)


def test_each_kind_has_its_own_and_a_word_is_the_rest_of_a_line() -> None:
    lines = [one for kind in ("word", "line", "block") for one in sure_and_unsure(kind)]
    assert [learnt.kind for learnt in learn(examples(lines))] == ["rest", "line", "block"]


def test_what_nobody_knows_the_probabilities_of_teaches_nothing() -> None:
    assert learn(examples([line((), passed=True), line((), passed=False)])) == []


def test_a_threshold_keeps_most_of_the_good_ones() -> None:
    scores, good = [0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, False, True]
    assert best_threshold(scores, good, kept=0.6) == (0.7, 2 / 3, 2 / 3)
    assert best_threshold(scores, good, kept=1.0) == (0.5, 0.6, 1.0)


def test_the_area_is_the_chance_to_rank_a_pair_right() -> None:
    assert area([0.9, 0.5, 0.5, 0.1], [True, True, False, False]) == 3.5 / 4
    assert math.isnan(area([0.5], [True]))


def test_thresholds_are_judged_by_kind_and_together() -> None:
    lines = [*sure_and_unsure(), *sure_and_unsure("block")]
    everything = judge(lines, dict.fromkeys(("rest", "line", "block"), 0.0))
    assert [(row.kind, row.number, row.shown, row.kept) for row in everything] == [
        ("line", 40, 40, 1.0),
        ("block", 40, 40, 1.0),
        ("all", 80, 80, 1.0),
    ]
    [*_, nothing] = judge(lines, dict.fromkeys(("rest", "line", "block"), 1.0))
    assert (nothing.shown, nothing.kept) == (0, 0.0)


def test_a_kind_that_is_mostly_wrong_gives_way_to_one_that_is_mostly_right() -> None:
    likely = [Example("rest", (-0.1 - 0.001 * n,), good=n % 10 != 0, fold=n % 5) for n in range(100)]
    unlikely = [Example("block", (-0.1 - 0.001 * n,), good=n % 10 == 0, fold=n % 5) for n in range(100)]
    rest, block = learn([*likely, *unlikely])
    assert rest.threshold == block.threshold
    assert (rest.kept, block.kept) == (1.0, 0.0)
