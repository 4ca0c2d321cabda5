from __future__ import annotations

import pytest

from phial.bench.rivals import comparison
from phial.bench.rivals.work import ENDING, PROMPT, Pace, middle, prompts
from phial.errors import UsageError


def test_a_rival_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="There is no chatgpt to compare with") as refused:
        comparison.check(["chatgpt"], "phi-3-mini")
    assert "optimum or llama.cpp" in str(refused.value)


def test_the_second_prompt_differs_from_the_first_in_its_ending_alone() -> None:
    first, second = prompts(1)
    assert len(first) == len(second) == PROMPT
    assert first[:-ENDING] == second[:-ENDING]
    assert first[-ENDING:] != second[-ENDING:]
    assert prompts(1) == (first, second)
    assert prompts(2)[0] != first


def test_one_bad_round_does_not_decide() -> None:
    paces = [Pace(50, 0.3, 5.0, 10), Pace(10, 9.0, 1.0, 30), Pace(52, 0.2, 5.2, 20)]
    assert middle(paces) == Pace(50, 0.3, 5.0, 30)
