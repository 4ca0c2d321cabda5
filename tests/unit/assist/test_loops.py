from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.assist.loops import is_looping


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("I am sorry. " * 14, id="a sentence"),
        pytest.param("Here it is:\n" + "- item\n" * 23, id="a list after other text"),
        pytest.param("0" * 160, id="a character"),
        pytest.param("    x = x + 1\n" * 12, id="a line of code"),
        pytest.param("".join(f"line {number}\n" for number in range(20)) * 4, id="a passage"),
        pytest.param(("x" * 238 + "\n") * 4, id="the longest passage"),
        pytest.param("ab" * 80, id="the shortest"),
        pytest.param("é😀" * 80, id="characters of several bytes"),
        pytest.param("".join(f"{n}. Use a list.\n" for n in range(1, 15)), id="a numbered list of one item"),
        pytest.param("ab" * 80 + "a", id="cut inside a repeat"),
    ],
)
def test_a_loop(text: str) -> None:
    assert is_looping(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("a" * 159, id="shorter than a loop"),
        pytest.param("-" * 79 + "\n", id="a ruler"),
        pytest.param("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 15, id="a small table"),
        pytest.param("I am sorry. " * 14 + "Done.", id="a loop that has ended"),
        pytest.param("The quick brown fox jumps over the lazy dog. " * 3, id="three times"),
        pytest.param("".join(f"{number}\n" for number in range(99)), id="counting"),
        pytest.param("".join(f"{n}. Take {n} eggs.\n" for n in range(1, 15)), id="a numbered list"),
        pytest.param("abcdefghij" * 15, id="fifteen times ten characters"),
        pytest.param("".join(f"line {number}\n" for number in range(20)) * 3, id="a passage three times"),
        pytest.param(("x" * 239 + "\n") * 4, id="a longer passage than is looked for"),
    ],
)
def test_no_loop(text: str) -> None:
    assert not is_looping(text)


@given(st.text(), st.text(min_size=1, max_size=30))
def test_repeats_are_noticed_within_160_characters_or_four_times(before: str, repeated: str) -> None:
    assert is_looping(before + repeated * max(4, -(-160 // len(repeated)) + 1))


@given(
    st.lists(st.integers(0, 10**6), unique=True).map(
        lambda numbers: " ".join(f"item {n:06}" for n in numbers)
    )
)
def test_text_that_never_says_the_same_twice_is_no_loop(text: str) -> None:
    assert not is_looping(text)
