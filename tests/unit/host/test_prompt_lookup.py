from __future__ import annotations

from collections.abc import Sequence

import pytest

from phial.host.prompt_lookup import LONGEST_GUESS, PromptLookup

PLENTY = 100


def numbers(again: int = 8) -> list[int]:
    """Return a run of tokens, then so many of its beginning."""
    run = list(range(100, 140))
    return run + run[:again]


def guesses(lookup: PromptLookup, tokens: Sequence[int], count: int) -> list[int]:
    return [len(lookup.guess(tokens, PLENTY)) for _ in range(count)]


def test_guesses_grow_while_they_are_right() -> None:
    lookup, tokens = PromptLookup(), numbers()
    sizes = []
    for _ in range(4):
        guess = lookup.guess(tokens, PLENTY)
        sizes.append(len(guess))
        lookup.judge(guess, len(guess))
        # One token is written without: what was guessed would be computed again.
        assert lookup.guess(tokens, PLENTY) == ()
    assert sizes == [3, 6, 12, LONGEST_GUESS]


def test_where_much_is_said_again_the_first_guess_is_long_and_soon_tried_again() -> None:
    lookup = PromptLookup()
    guess = lookup.guess(numbers(25), PLENTY)
    assert len(guess) == LONGEST_GUESS
    lookup.judge(guess, 0)
    assert lookup.guess(numbers(25), PLENTY) == ()  # what was wrong would be guessed again
    assert lookup.guess(numbers(25), PLENTY) == guess


def test_guesses_grow_rare_while_they_are_wrong() -> None:
    lookup, tokens = PromptLookup(), numbers()
    pauses = []
    for _ in range(7):
        guess, pause = lookup.guess(tokens, PLENTY), 0
        while not guess:
            guess, pause = lookup.guess(tokens, PLENTY), pause + 1
        pauses.append(pause)
        lookup.judge(guess, 0)
    assert pauses == [0, 4, 8, 16, 32, 64, 64]


def test_a_guess_that_was_right_in_part_is_followed_by_another_of_that_length() -> None:
    lookup, tokens = PromptLookup(), numbers()
    lookup.judge(lookup.guess(tokens, PLENTY), 5)
    assert lookup.guess(tokens, PLENTY) == ()  # what was wrong would be guessed again
    assert len(lookup.guess(tokens, PLENTY)) == 5


def test_a_guess_is_no_longer_than_there_is_room() -> None:
    assert len(PromptLookup().guess(numbers(25), 4)) == 4
    assert PromptLookup().guess(numbers(), 2) == ()


@pytest.mark.parametrize(("logprob", "size"), [(None, 3), (0.0, 3), (-0.2, 3), (-0.3, 0), (-9.0, 0)])
def test_a_guess_is_made_where_the_model_is_sure(logprob: float | None, size: int) -> None:
    assert len(PromptLookup().guess(numbers(), PLENTY, logprob)) == size


def test_none_is_made_where_it_is_turned_off() -> None:
    assert guesses(PromptLookup(longest=0), numbers(), 3) == [0, 0, 0]
