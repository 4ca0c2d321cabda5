from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.host.repetition import Repetition

PLENTY = 100

LEAD = "What is bought, and what is sold again for more than it was bought for, day after day.\n"
CODE = LEAD + "gain = price * count; loss = price * broken; rest = price * left;\n"


class Words:
    """Tokens for words and signs, so that a test can be read."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def encode(self, text: str) -> list[int]:
        return [self._numbers.setdefault(word, len(self._numbers)) for word in re.findall(r"\w+|\W", text)]

    def decode(self, tokens: list[int]) -> str:
        words = list(self._numbers)
        return "".join(words[token] for token in tokens)


def expected_after(*texts: str, most: int = PLENTY) -> str:
    """Return what is expected behind texts that come one after the other, each word by word but the first."""
    words, repetition = Words(), Repetition()
    known: list[int] = []
    for number, text in enumerate(texts):
        tokens = words.encode(text)
        for size in range(len(tokens) + 1) if number else (len(tokens),):
            repetition.grow([*known, *tokens[:size]])
        known += tokens
    return words.decode(list(repetition.continuation(most)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b ** 2", ""),
        ("w, h, d, e; w, h, d", ", e; w, h, d"),
        ("1.d.e.f.g;1.d.e.f.h;1.d.e.f", ".h;1.d.e.f"),  # the later of two that are alike
        # the one with more of the same before it
        (f"1.a.b.c.x {LEAD}2.a.b.c.y {LEAD[::-1]} 1.a.b.c", f".x {LEAD}"),
        ("a b c", ""),
        ("", ""),
    ],
)
def test_what_followed_before_is_expected_again(text: str, expected: str) -> None:
    assert expected_after(text)[: len(expected) or None] == expected


def test_no_more_is_returned_than_wanted() -> None:
    assert expected_after("w, h, d, e; w, h, d", most=2) == ", "


@pytest.mark.parametrize(("behind", "is_known"), [("cost", False), ("cost ", False), ("cost *", True)])
def test_behind_a_change_it_goes_on_once_two_tokens_are_as_before(behind: str, is_known: bool) -> None:
    said = LEAD + "gain = " + behind
    expected = expected_after(CODE, said)
    assert expected.startswith(" count; loss = cost") if is_known else expected == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("price", "cost", id="a rename"),
        pytest.param("price", "price.net", id="what begins with the old name"),
        pytest.param("price", "a.b", id="a longer one"),
        pytest.param(" = price", " = a", id="of more than one token"),
    ],
)
def test_what_was_changed_once_is_expected_to_be_changed_again(old: str, new: str) -> None:
    wanted = CODE.replace(old, new)
    seen = wanted[: wanted.index("count")]
    assert expected_after(CODE, seen).startswith(wanted[len(seen) :])


def test_a_change_that_was_not_made_again_is_forgotten() -> None:
    said = CODE.replace("price", "cost", 1)
    said = said[: said.index("broken")]
    assert expected_after(CODE, said).startswith("broken; rest = price * left")


def test_where_few_tokens_are_the_same_no_change_is_looked_for() -> None:
    code = CODE.removeprefix(LEAD)
    assert expected_after(code, "gain = price * ").startswith("count; loss")
    assert expected_after(code, "gain = price / count;") == ""


def test_a_change_in_an_answer_that_has_been_begun_in_the_prompt_is_learnt() -> None:
    begun = CODE.replace("price", "cost")
    begun = begun[: begun.index("count")]
    assert expected_after(CODE + begun).startswith("count; loss = cost * broken")


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(0, 10))
def test_without_changes_what_is_expected_stands_in_the_text(tokens: list[int], most: int) -> None:
    repetition = Repetition()
    repetition.grow(tokens)
    expected = list(repetition.continuation(most))
    assert len(expected) <= most
    assert any(tokens[at : at + len(expected)] == expected for at in range(len(tokens) + 1))


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 7))
def test_it_is_the_same_however_the_text_comes(tokens: list[int], step: int) -> None:
    at_once, in_steps = Repetition(), Repetition()
    for end in range(1, len(tokens) + 1):
        at_once.grow(tokens[:end])
    for end in range(step, len(tokens) + step, step):
        in_steps.grow(tokens[:end])
    assert at_once.continuation(PLENTY) == in_steps.continuation(PLENTY)
