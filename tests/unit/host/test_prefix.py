from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from phial.host.prefix import PrefixIndex

BLOCK = 4
PLENTY = 10_000

prompts = st.lists(st.integers(0, 1), min_size=1, max_size=14)


def index(*remembered: list[int], blocks: int = PLENTY) -> PrefixIndex:
    """Make an index that has seen these prompts computed."""
    prefixes = PrefixIndex(BLOCK, blocks)
    for tokens in remembered:
        prefixes.remember(tokens)
    return prefixes


def block(number: int) -> list[int]:
    return [number] * BLOCK


def naive(remembered: list[list[int]], prompt: list[int]) -> int:
    """Follow the engine's rule over whole prefixes: full blocks, then the shortest part of one more.

    The whole prompt, if it ends inside a block, is looked up before its parts.
    """
    known = {tuple(prompt[:0])}
    for tokens in remembered:
        ends = [*range(BLOCK, len(tokens) + 1, BLOCK), len(tokens)]
        known |= {tuple(tokens[:end]) for end in ends}
    held = 0
    while held + BLOCK <= len(prompt) and tuple(prompt[: held + BLOCK]) in known:
        held += BLOCK
    parts = range(held + 1, min(held + BLOCK, len(prompt)))
    whole = [len(prompt)] if len(prompt) < held + BLOCK else []
    found = [end for end in (*whole, *parts) if tuple(prompt[:end]) in known]
    return min(found[0] if found else held, len(prompt) - 1)


@given(st.lists(prompts, max_size=6), prompts)
@example([[0] * 8], [0] * 8)
@example([[0] * 6, [0] * 5], [0] * 7)
@example([[0] * 3], [0] * 3)
def test_cached_agrees_with_the_naive_way(remembered: list[list[int]], prompt: list[int]) -> None:
    assert index(*remembered).cached(prompt) == naive(remembered, prompt)


@given(prompts, prompts)
def test_what_was_computed_is_cached_but_for_the_last_token(prompt: list[int], answer: list[int]) -> None:
    assert index(prompt).cached(prompt) == len(prompt) - 1
    whole_blocks = len(prompt) // BLOCK * BLOCK
    assert index([*prompt, *answer]).cached(prompt) >= min(whole_blocks, len(prompt) - 1)


@given(st.lists(prompts, max_size=6), prompts)
def test_asking_teaches_nothing(remembered: list[list[int]], prompt: list[int]) -> None:
    prefixes = index(*remembered)
    assert prefixes.cached(prompt) == prefixes.cached(prompt)


def test_a_prompt_that_goes_on_from_a_partly_filled_block_takes_it_over() -> None:
    assert index([1, 1, 1, 1, 2, 2]).cached([1, 1, 1, 1, 2, 2, 3, 3, 3]) == 6


def test_a_partly_filled_block_counts_only_right_after_the_blocks_before_it() -> None:
    assert index([9, 9, 9, 9, 2, 2]).cached([1, 1, 1, 1, 2, 2, 3]) == 0


def test_of_two_parts_of_one_block_the_engine_takes_the_shorter() -> None:
    assert index([1], [1, 1]).cached([1, 1, 1, 1, 1]) == 1


def test_the_same_block_elsewhere_is_another() -> None:
    assert index(block(1) + block(2)).cached(block(2) + block(2)) == 0


def test_an_edit_keeps_the_blocks_before_it() -> None:
    before = block(1) + block(2) + block(3)
    assert index(before).cached(block(1) + block(7) + block(3)) == BLOCK


def test_the_last_token_is_always_computed() -> None:
    assert index([1]).cached([1]) == 0
    assert index(block(1)).cached(block(1)) == BLOCK - 1


# Eviction


def test_the_least_recently_used_block_goes_first() -> None:
    prefixes = index(block(1), block(2), blocks=2)
    assert prefixes.cached([*block(1), 0]) == BLOCK  # used, so the other is the oldest now
    prefixes.remember(block(3))
    assert [prefixes.cached([*block(number), 0]) for number in (1, 2, 3)] == [BLOCK, 0, BLOCK]


def test_to_compute_a_block_again_is_to_use_it() -> None:
    prefixes = index(block(1), block(2), block(1), block(3), blocks=2)
    assert [prefixes.cached([*block(number), 0]) for number in (1, 2, 3)] == [BLOCK, 0, BLOCK]


def test_a_lost_block_makes_those_after_it_useless() -> None:
    prefixes = index(block(1) + block(2) + block(3), blocks=2)
    assert prefixes.cached(block(1) + block(2) + block(3)) == 0


@given(st.lists(prompts, min_size=1, max_size=6), st.integers(1, 3))
def test_no_more_is_kept_than_the_cache_has_blocks(remembered: list[list[int]], blocks: int) -> None:
    prefixes = index(*remembered, blocks=blocks)
    assert max(prefixes.cached([*tokens, 9]) for tokens in remembered) <= blocks * BLOCK
