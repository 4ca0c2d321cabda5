from __future__ import annotations

import time

import anyio
import pytest

from phial.assist.chat import Answer, answer
from phial.assist.prompts import Question
from phial.engine.base import Request
from phial.errors import EngineError
from support.fake_engine import USAGE, FakeEngine

PACE = 0.03
"""Seconds between two pieces."""


async def told_by(engine: FakeEngine, told: list[str]) -> Answer:
    return await answer(engine, Question("Why?"), told.append, max_tokens=64, temperature=0.5)


async def test_the_answer_is_told_and_returned() -> None:
    engine, told = FakeEngine("Be", "cause", "."), list[str]()
    assert await told_by(engine, told) == Answer("Because.", "stop", USAGE)
    assert "".join(told) == "Because."
    assert not engine.left_early


async def test_how_it_was_asked() -> None:
    engine = FakeEngine("x")
    await told_by(engine, [])
    [request] = engine.requests
    assert isinstance(request, Request)
    assert request.messages[-1].content == "Why?"
    assert (request.sampling.max_tokens, request.sampling.temperature) == (64, 0.5)


async def test_the_first_piece_is_told_at_once_and_the_others_are_joined() -> None:
    pieces = [f"{number} " for number in range(200)]
    told: list[str] = []
    began = time.monotonic()
    whole = await told_by(FakeEngine(*pieces), told)
    passed = time.monotonic() - began
    assert told[0] == "0 "
    assert "".join(told) == whole.text == "".join(pieces)
    assert len(told) <= 2 + passed / PACE


async def test_no_empty_piece_is_told() -> None:
    told: list[str] = []
    await told_by(FakeEngine("", "a", "", "b", ""), told)
    assert "" not in told
    await told_by(FakeEngine("c"), told)
    assert told[-1] == "c"


async def test_an_answer_cut_at_its_length_says_so() -> None:
    assert (await told_by(FakeEngine("a", finish_reason="length"), [])).finish_reason == "length"


async def test_an_answer_that_loops_is_stopped() -> None:
    engine, told = FakeEngine("Well:\n", *["I am sorry. "] * 500), list[str]()
    whole = await told_by(engine, told)
    assert engine.left_early
    assert len(engine.taken) == 15  # 160 characters, four times at least
    assert "".join(told) == whole.text == "Well:\n" + "I am sorry. " * 14
    assert whole.finish_reason == "stop"


async def test_an_error_comes_through_after_what_was_told() -> None:
    told: list[str] = []
    with pytest.raises(EngineError, match="It broke"):
        await told_by(FakeEngine("a", "b", error=EngineError("It broke.")), told)
    assert told[0] == "a"


async def test_to_cancel_is_to_leave_the_model() -> None:
    engine = FakeEngine("a", hangs=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(told_by, engine, [])
        await engine.hanging.wait()
        tasks.cancel_scope.cancel()
    assert engine.left_early
