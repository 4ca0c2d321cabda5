from __future__ import annotations

import anyio
import pytest

from phial.assist.completion import complete
from phial.assist.trim import Insertion
from phial.engine.base import Abilities, FinishReason, Request
from phial.errors import EngineError
from support.fake_engine import FakeEngine
from unit.assist.cursor import excerpt_at, inserted_at


async def found_at(before: str, engine: FakeEngine, *, max_lines: int = 12) -> Insertion | None:
    found = await complete(engine, excerpt_at(before), max_tokens=32, max_lines=max_lines)
    return found.insertion if found else None


async def completed(before: str, engine: FakeEngine, *, max_lines: int = 12) -> str | None:
    found = await found_at(before, engine, max_lines=max_lines)
    assert found is None or found.replaces == 0
    return found.text if found else None


def asked_of(engine: FakeEngine) -> Request:
    [request] = engine.requests
    assert isinstance(request, Request)
    return request


async def check(*, before: str, writes: list[str], after: str, left_after: int | None = None) -> None:
    """Check what a file becomes when the model writes these pieces, and after how many it is left."""
    engine = FakeEngine(*writes, "never asked for") if left_after else FakeEngine(*writes)
    assert inserted_at(before, await completed(before, engine)) == after
    assert engine.left_early == (left_after is not None)
    assert len(engine.taken) == (left_after or len(writes))


async def test_a_line_is_finished() -> None:
    await check(before="x = $0", writes=[" 1", " +", " 2"], after="x = 1 + 2$0")


async def test_the_model_is_left_at_the_end_of_the_line() -> None:
    await check(before="x = $0", writes=[" 1", " + 2", "\n"], after="x = 1 + 2$0", left_after=3)


async def test_a_block_goes_on_until_its_end() -> None:
    await check(
        before="def f():\n    $0",
        writes=["    ", "x = 1\n", "    return", " x\n", "\ndef g", "():", "\n"],
        after="def f():\n    x = 1\n    return x$0",
        left_after=7,
    )


async def test_a_block_that_repeats_what_follows_is_left_there() -> None:
    await check(
        before="def f(a):\n    $0\n    return a\n",
        writes=["    a", " += 1\n", "    return a", "\n"],
        after="def f(a):\n    a += 1$0\n    return a\n",
        left_after=4,
    )


async def test_a_block_is_left_at_its_longest() -> None:
    engine = FakeEngine("    a\n", "    b\n", "    c\n", "    d\n")
    assert await completed("if x:\n    $0", engine, max_lines=2) == "a\n    b"
    assert engine.taken == ["    a\n", "    b\n"]
    assert engine.left_early


@pytest.mark.parametrize(
    ("writes", "found"),
    [
        ("a, b)", Insertion("a, b)", 1)),
        ("a, b", Insertion("a, b")),
        ("a).b", Insertion("a).b", 1)),
        (")", None),
    ],
)
async def test_what_takes_the_place_of_a_bracket(writes: str, found: Insertion | None) -> None:
    assert await found_at("foo($0)", FakeEngine(f"({writes}")) == found


async def test_the_fragment_may_come_in_any_pieces() -> None:
    await check(before="return foo$0", writes=[" f", "o", "ob", "ar()"], after="return foobar()$0")


@pytest.mark.parametrize("writes", [["bar"], [".fo", "x"], ["foo"], ["\n"]])
async def test_an_answer_that_is_not_about_the_fragment_is_dropped_at_once(writes: list[str]) -> None:
    await check(before="x.foo$0", writes=writes, after="x.foo$0", left_after=len(writes))


@pytest.mark.parametrize("writes", [[], [""], [".fo"], [".foo"], [".foo", "  "], [".foo", "\n"]])
async def test_nothing_is_nothing(writes: list[str]) -> None:
    assert await completed("x.foo$0", FakeEngine(*writes)) is None


@pytest.mark.parametrize(("reason", "text"), [("stop", "a = 1\n    b = 2"), ("length", "a = 1")])
async def test_of_a_block_cut_at_its_length_the_last_line_is_dropped(reason: FinishReason, text: str) -> None:
    engine = FakeEngine("    a = 1\n", "    b = 2", finish_reason=reason)
    assert await completed("if x:\n    $0", engine) == text


async def test_a_line_cut_at_its_length_is_kept() -> None:
    assert await completed("x = $0", FakeEngine(" foo(1, 2", finish_reason="length")) == "foo(1, 2"


@pytest.mark.parametrize(("answer", "text"), [(" foobar()", "bar()"), (" bar()", None), ("bar()", None)])
async def test_an_engine_that_cannot_be_held_to_the_fragment_may_go_elsewhere(
    answer: str, text: str | None
) -> None:
    engine = FakeEngine(answer)
    engine.abilities = Abilities()
    assert await completed("return foo$0", engine) == text
    assert asked_of(engine).sampling.regex is None


async def test_how_it_was_asked() -> None:
    engine = FakeEngine(" 1")
    await completed("x = $0", engine)
    request = asked_of(engine)
    assert request.continues
    assert request.sampling.max_tokens == 32
    assert request.sampling.regex == r" [\s\S]*"


async def test_an_error_comes_through() -> None:
    with pytest.raises(EngineError, match="It broke"):
        await completed("x = $0", FakeEngine(" 1", error=EngineError("It broke.")))


async def test_to_cancel_is_to_leave_the_model() -> None:
    engine = FakeEngine(" 1", hangs=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(completed, "x = $0", engine)
        await engine.hanging.wait()
        tasks.cancel_scope.cancel()
    assert engine.left_early
