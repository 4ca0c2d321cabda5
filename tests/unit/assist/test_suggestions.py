from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from phial.assist.skip import Trigger
from phial.assist.suggestions import Cursor, Suggestions
from phial.assist.trim import Insertion
from phial.engine.base import Chunk
from phial.errors import EngineError, PhialError
from phial.settings import CompletionSettings, ThresholdSettings
from support.fake_engine import FakeEngine
from unit.assist.cursor import excerpt_at


async def shown(
    before: str,
    engine: FakeEngine,
    trigger: Trigger = "automatic",
    *,
    suggestions: Suggestions | None = None,
    threshold: float = 0.5,
    anew: bool = True,
) -> list[str]:
    suggestions = suggestions or Suggestions()
    wanted = CompletionSettings(debounce=0, threshold=ThresholdSettings(threshold, threshold, threshold))
    if anew:
        suggestions.forget()
    suggestions.typed("a")
    found: list[Insertion] = []
    failures: list[PhialError] = []
    async with running(suggestions):
        try:
            found = await suggestions.at(Cursor("a", excerpt_at(before)), engine, wanted, trigger)
        except PhialError as error:  # a task group would wrap it
            failures.append(error)
    if failures:
        raise failures[0]
    return [insertion.text for insertion in found]


@asynccontextmanager
async def running(suggestions: Suggestions) -> AsyncIterator[None]:
    """Have completions written while the context lasts."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(suggestions.run)
        yield
        tasks.cancel_scope.cancel()


def sure(logprob: float) -> FakeEngine:
    """An engine that first goes through the fragment, at any price, and then is as sure as this."""
    return FakeEngine(Chunk(" ", (-9.0,)), Chunk("foo", (logprob,)), Chunk("()", (logprob,)))


@pytest.mark.parametrize(("logprob", "texts"), [(-0.001, ["foo()"]), (-9.0, [])])
async def test_unasked_only_what_is_likely_is_shown(logprob: float, texts: list[str]) -> None:
    assert await shown("x = $0", sure(logprob)) == texts
    assert await shown("x = $0", sure(logprob), threshold=0.0) == ["foo()"]


async def test_what_nobody_knows_the_probability_of_is_shown() -> None:
    assert await shown("x = $0", FakeEngine(" foo()"), threshold=1.0) == ["foo()"]


async def test_asked_for_everything_is_shown_that_there_is() -> None:
    assert await shown("x = $0", sure(-5.0), "invoked") == ["foo()"]


async def test_alternatives_differ_and_the_likeliest_comes_first() -> None:
    engine = FakeEngine.of_answers(
        [Chunk(" foo()", (-0.5,))], [Chunk(" bar()", (-0.2,))], [Chunk(" foo()", (-0.5,))]
    )
    assert await shown("x = $0", engine, "invoked") == ["bar()", "foo()"]
    temperatures = [request.sampling.temperature for request in engine.requests]
    assert (temperatures[0], len(temperatures), min(temperatures[1:]) > 0) == (0.0, 3, True)
    assert len({request.sampling.seed for request in engine.requests}) == 3


@pytest.mark.parametrize(("typed", "texts"), [("b", ["ar()"]), ("f", ["oo()"]), ("z", ["ip()"]), ("q", [])])
async def test_whichever_alternative_is_typed_along_stays_though_none_is_likely(
    typed: str, texts: list[str]
) -> None:
    answers = ([Chunk(f" {name}()", (-9.0,))] for name in ("foo", "bar", "zip"))
    engine = FakeEngine.of_answers(*answers, [Chunk(f" {typed}()", (-9.0,))])
    suggestions = Suggestions()
    await shown("x = $0", engine, "invoked", suggestions=suggestions)
    assert await shown(f"x = {typed}$0", engine, suggestions=suggestions, anew=False) == texts
    assert len(engine.requests) == (3 if texts else 4)


async def test_the_other_alternatives_begin_when_the_first_has_read_the_prompt() -> None:
    engine = FakeEngine(hangs=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shown, "x = $0", engine, "invoked")
        await engine.hanging.wait()
        assert len(engine.requests) == 1
        tasks.cancel_scope.cancel()


async def test_an_error_comes_through_as_it_is() -> None:
    with pytest.raises(EngineError, match="It broke"):
        await shown("x = $0", FakeEngine(error=EngineError("It broke.")), "invoked")


async def test_what_was_typed_past_twice_comes_no_more_unless_it_is_asked_for() -> None:
    suggestions = Suggestions()
    for _ in range(2):
        assert await shown("x = $0", FakeEngine(" foo()"), suggestions=suggestions) == ["foo()"]
        assert await shown("x = b$0", FakeEngine(" bar()"), suggestions=suggestions) == ["ar()"]
    assert await shown("x = $0", FakeEngine(" foo()"), suggestions=suggestions) == []
    assert await shown("x = $0", FakeEngine(" foo()"), "invoked", suggestions=suggestions) == ["foo()"]
