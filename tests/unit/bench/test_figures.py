from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.bench.figures import Figure, Value, in_words, percentile, ratio


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("x", "X", 1.0), None),
        (Figure("x", "X", None, at_most=2), None),
        (Figure("x", "X", 2.0, at_most=2), True),
        (Figure("x", "X", 2.1, at_most=2), False),
        (Figure("x", "X", 0.7, at_least=0.7), True),
        (Figure("x", "X", 0.69, at_least=0.7), False),
        (Figure("x", "X", True, must_be=True), True),
        (Figure("x", "X", False, must_be=True), False),
    ],
)
def test_a_figure_knows_whether_it_keeps_its_limit(figure: Figure, holds: bool | None) -> None:
    assert figure.holds is holds


def test_a_script_gets_what_a_figure_has() -> None:
    assert Figure("x", "X", 3.0, "ms", at_most=2).for_json() == {
        "value": 3.0,
        "unit": "ms",
        "atMost": 2,
        "holds": False,
    }
    assert Figure("x", "X", None).for_json() == {"value": None}


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.99, 7),
        ([3, 1, 2], 0.5, 2),
        (list(range(1, 101)), 0.9, 90),
        (list(range(1, 101)), 0.99, 99),
        (list(range(1, 101)), 1.0, 100),
    ],
)
def test_a_percentile_is_the_nearest_rank(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_so_large_a_share_reaches_no_more_than_its_percentile(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_nothing_is_measured_by_nothing() -> None:
    assert (ratio(3, 2), ratio(3, 0)) == (1.5, None)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        ("x", "x"),
        (0.12345, "0.123"),
        (7.0, "7"),
        (1234.5, "1,234"),
    ],
)
def test_a_person_reads_no_more_digits_than_matter(value: Value | None, words: str) -> None:
    assert in_words(value) == words
