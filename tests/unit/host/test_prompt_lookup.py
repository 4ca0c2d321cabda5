from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.host.prompt_lookup import LONGEST_GUESS, PromptLookup, continuation

PLENTY = 100


def after(text: str, most: int = PLENTY) -> str:
    return "".join(map(chr, continuation([ord(letter) for letter in text], most)))


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("area = side ** 2", ""),
        ("width, height; widt", "h, height; widt"),
        ("abcdX abcdY abcd", "Y abcd"),  # the later of two that are alike
        ("1abcdX 2abcdY 1abcd", "X 2abcdY 1abcd"),  # the one with more of the same before it
        ("ababab", "ab"),
        ("abcd", ""),
        ("", ""),
    ],
)
def test_what_followed_before_is_the_guess(text: str, guess: str) -> None:
    assert after(text) == guess


def test_a_guess_is_no_longer_than_wanted() -> None:
    assert after("width, height; widt", 3) == "h, "


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(0, 10))
def test_a_guess_stands_in_the_text_behind_the_same_tokens(tokens: list[int], most: int) -> None:
    guess = list(continuation(tokens, most))
    assert len(guess) <= most
    wanted = [*tokens[-4:], *guess]
    found = [at for at in range(len(tokens)) if tokens[at : at + len(wanted)] == wanted]
    assert not guess or found


def numbers(*times: int) -> list[int]:
    """Return the same run of tokens so many times over, then its beginning."""
    run = list(range(100, 140))
    return run * len(times) + run[:5]


def guesses(lookup: PromptLookup, tokens: Sequence[int], count: int) -> list[int]:
    return [len(lookup.guess(tokens, PLENTY)) for _ in range(count)]


def test_guesses_grow_while_they_are_right() -> None:
    lookup, tokens = PromptLookup(), numbers(1)
    sizes = []
    for _ in range(3):
        guess = lookup.guess(tokens, PLENTY)
        sizes.append(len(guess))
        lookup.judge(guess, len(guess))
    assert sizes == [6, 12, LONGEST_GUESS]


def test_guesses_grow_rare_while_they_are_wrong() -> None:
    lookup, tokens = PromptLookup(), numbers(1)
    pauses = []
    for _ in range(7):
        guess, pause = lookup.guess(tokens, PLENTY), 0
        while not guess:
            guess, pause = lookup.guess(tokens, PLENTY), pause + 1
        pauses.append(pause)
        lookup.judge(guess, 0)
    assert pauses == [0, 4, 8, 16, 32, 64, 64]


def test_a_guess_that_was_right_in_part_is_followed_by_another_of_that_length() -> None:
    lookup, tokens = PromptLookup(), numbers(1)
    lookup.judge(lookup.guess(tokens, PLENTY), 5)
    assert lookup.guess(tokens, PLENTY) == ()  # what was wrong would be guessed again
    assert len(lookup.guess(tokens, PLENTY)) == 5


def test_a_guess_is_no_longer_than_there_is_room() -> None:
    assert len(PromptLookup().guess(numbers(1), 4)) == 4
    assert PromptLookup().guess(numbers(1), 2) == ()


@pytest.mark.parametrize(("logprob", "size"), [(None, 6), (0.0, 6), (-0.2, 6), (-0.3, 0), (-9.0, 0)])
def test_a_guess_is_made_where_the_model_is_sure(logprob: float | None, size: int) -> None:
    assert len(PromptLookup().guess(numbers(1), PLENTY, logprob)) == size


def test_none_is_made_where_it_is_turned_off() -> None:
    assert guesses(PromptLookup(longest=0), numbers(1), 3) == [0, 0, 0]
