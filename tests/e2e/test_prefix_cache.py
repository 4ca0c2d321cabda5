"""A model that has served for long, and was cancelled in the middle of prompts, answers as a fresh one does."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from phial.host import genai
from phial.host.backend import Decoding, Token
from phial.host.genai import GenaiBackend
from phial.models import store

SAMENESS = 0.25
"""Of natural-log probabilities: what rounding makes of one, by how a prompt is cut into steps."""

CANCELS = 40


@pytest.fixture(scope="module")
def fresh(starter: Path) -> GenaiBackend:
    return genai.load(store.resolve(str(starter)), "CPU", lambda *_: None)


@pytest.fixture
def worn(starter: Path) -> GenaiBackend:
    return genai.load(store.resolve(str(starter)), "CPU", lambda *_: None)


@pytest.fixture(scope="module")
def text(fresh: GenaiBackend) -> Sequence[int]:
    return fresh.tokenizer.encode(Path(__file__).read_text(encoding="utf-8"))


async def answer(backend: GenaiBackend, prompt: Sequence[int], max_tokens: int = 1) -> list[Token]:
    generation = backend.start(prompt, Decoding(max_tokens))
    tokens: list[Token] = []
    while generation.finish_reason() is None:
        await backend.step()
        tokens += generation.read()
    return tokens


async def steps_of(backend: GenaiBackend, prompt: Sequence[int], max_tokens: int) -> int:
    generation, steps = backend.start(prompt, Decoding(max_tokens)), 0
    while generation.finish_reason() is None:
        await backend.step()
        steps += 1
    return steps


async def assert_same(worn: GenaiBackend, fresh: GenaiBackend, prompt: Sequence[int]) -> None:
    (theirs,), (ours,) = await answer(fresh, prompt), await answer(worn, prompt)
    assert theirs.logprob is not None
    assert ours.logprob == pytest.approx(theirs.logprob, abs=SAMENESS), f"after {len(prompt)} tokens"


def test_what_is_read_to_be_measured_is_never_in_the_cache(fresh: GenaiBackend) -> None:
    first, *others = (fresh.read(256) for _ in range(4))
    assert min(others) > first / 4


async def test_a_prefill_that_goes_on_from_inside_a_block_and_is_cancelled_leaves_nothing_wrong(
    worn: GenaiBackend, fresh: GenaiBackend, text: Sequence[int]
) -> None:
    await answer(worn, text[:70])
    cancelled = worn.start(text[:400], Decoding(8))
    await worn.step()
    cancelled.cancel()
    await worn.step()
    await assert_same(worn, fresh, text[:160])


async def test_a_prefill_that_shares_its_steps_and_is_cancelled_leaves_nothing_wrong(
    worn: GenaiBackend, fresh: GenaiBackend, text: Sequence[int]
) -> None:
    writing = worn.start(text[50:70], Decoding(50))
    await worn.step()
    cancelled = worn.start(text[:400], Decoding(8))
    for _ in range(2):
        await worn.step()
    cancelled.cancel()
    writing.cancel()
    await worn.step()
    await assert_same(worn, fresh, text[:160])


async def test_after_many_cancels_at_any_place_the_next_answers_are_right(
    worn: GenaiBackend, fresh: GenaiBackend, text: Sequence[int]
) -> None:
    draw = random.Random(0)
    for _ in range(CANCELS):
        generations = [
            worn.start(text[: draw.randrange(20, 350)], Decoding(draw.choice((0, 1, 40))))
            for _ in range(draw.choice((1, 1, 2)))
        ]
        for _ in range(draw.randrange(4)):
            await worn.step()
        for generation in generations:
            generation.cancel()
        await worn.step()
    for length in (45, 100, 160, 230, 333):
        await assert_same(worn, fresh, text[:length])


REPEATED = "\n".join(f"value_{number} = compute(alpha, beta, gamma, delta, {number})" for number in range(8))


async def test_guesses_from_the_text_change_nothing_but_the_number_of_steps(
    starter: Path, worn: GenaiBackend
) -> None:
    plain = genai.load(store.resolve(str(starter)), "CPU", lambda *_: None, longest_guess=0)
    prompt = plain.tokenizer.encode(f"{REPEATED}\nvalue_8")
    written = [[token.id for token in await answer(it, prompt, 30)] for it in (plain, worn)]
    assert len(written[0]) == 30
    assert written[0] == written[1]
    plain_steps, steps = await steps_of(plain, prompt, 30), await steps_of(worn, prompt, 30)
    assert plain_steps == 30
    assert steps < 25


async def test_after_guesses_the_next_answers_are_right(
    worn: GenaiBackend, fresh: GenaiBackend, text: Sequence[int]
) -> None:
    twice = [*text[:200], *text[:40]]
    for length in range(205, 240, 5):
        await answer(worn, twice[:length], 20)
    for length in (210, 222, 239):
        await assert_same(worn, fresh, twice[:length])
