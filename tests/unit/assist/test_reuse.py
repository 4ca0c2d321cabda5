"""What is typed through, taken back, or typed while the model writes costs no second answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.assist.completion import begun, complete, read
from phial.assist.draft import Draft
from phial.assist.excerpt import Excerpt
from phial.assist.prompts import completion
from phial.assist.reuse import Drafts, Place, Writing
from phial.assist.speed import Limits, Speed
from phial.assist.suggestions import Cursor, Suggestions
from phial.assist.trim import Insertion
from phial.engine.base import (
    AHEAD_PRIORITY,
    COMPLETION_PRIORITY,
    PREFILL_PRIORITY,
    Abilities,
    Chunk,
    Infill,
    Request,
    Status,
)
from phial.errors import EngineError
from phial.settings import CompletionSettings, ThresholdSettings
from support.fake_engine import FakeEngine
from unit.assist.cursor import excerpt_at

AT_ONCE = CompletionSettings(debounce=0, threshold=ThresholdSettings(0, 0, 0))


class Author:
    """An engine that knows the whole file: it writes on from wherever it is asked, in pieces, when it may."""

    def __init__(self, text: str, *, ahead: bool = False) -> None:
        self.text = text
        self.status = Status("ready", "")
        self.abilities = Abilities(regex=True, ahead=ahead)
        self.requests: list[Request | Infill] = []
        self.left: list[Request | Infill] = []
        self.gate = anyio.Event()
        self.gate.set()
        self.asked = anyio.Event()

    @asynccontextmanager
    async def stream(self, request: Request | Infill) -> AsyncIterator[AsyncIterator[Chunk]]:
        self.requests.append(request)
        self.asked.set()
        self.asked = anyio.Event()
        try:
            async with aclosing(self._chunks(request)) as chunks:
                yield chunks
        finally:
            self.left.append(request)

    async def _chunks(self, request: Request | Infill) -> AsyncGenerator[Chunk, None]:
        assert isinstance(request, Request)
        if request.sampling.max_tokens == 0:
            yield Chunk(finish_reason="length")
            return
        begun = request.messages[-1].content.partition("\n")[2]
        rest = self.text[len(begun) :] if self.text.startswith(begun) else ""
        for at in range(0, len(rest), 3):
            await self.gate.wait()
            yield Chunk(rest[at : at + 3], (-0.1,))
        yield Chunk(finish_reason="stop")

    @property
    def kinds(self) -> list[int]:
        return [request.priority for request in self.requests]


class Window:
    """A user who types at the end of a document."""

    def __init__(self, engine: Author | FakeEngine, *, settings: CompletionSettings = AT_ONCE) -> None:
        self.suggestions = Suggestions()
        self.engine = engine
        self.settings = settings

    async def at(
        self,
        text: str,
        *,
        edited: bool = True,
        on_battery: bool = False,
        size: int = 0,
        language: str = "python",
    ) -> str | None:
        """Return what is shown at the cursor of a text, unasked."""
        if edited:
            self.suggestions.typed("a")
        cursor = Cursor("a", excerpt_at(text, language=language), size, on_battery=on_battery)
        found = await self.suggestions.at(cursor, self.engine, self.settings, "automatic")
        return found[0].text if found else None


@asynccontextmanager
async def running(window: Window) -> AsyncIterator[Window]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(window.suggestions.run)
        yield window
        tasks.cancel_scope.cancel()


HEAD = "import os\n\ndef area(width, height):\n    check(width, height)\n"
FILE = f"{HEAD}    size = width * height\n    return size\n\nprint(area(2, 3))\n"


async def test_what_is_typed_as_shown_costs_no_model_call() -> None:
    async with running(Window(Author(FILE))) as window:
        line = "    size = width * height"
        for end in range(4, len(line)):
            assert await window.at(f"{HEAD}{line[:end]}$0\n") == line[end:]
        assert len(window.engine.requests) == 1
        [first, *others] = [answer.how for answer in window.suggestions.counters.take()]
        assert (first, set(others)) == ("asked", {"typed-through"})


async def test_backspace_undo_and_coming_back_cost_no_model_call() -> None:
    async with running(Window(Author(FILE))) as window:
        for typed in ("s", "si", "siz", "si", "s", "siz"):
            assert await window.at(f"{HEAD}    {typed}$0\n") == "size = width * height"[len(typed) :]
        await window.at("import $0os\n")
        calls = len(window.engine.requests)
        assert await window.at(f"{HEAD}    si$0\n") == "ze = width * height"
        assert len(window.engine.requests) == calls


@pytest.mark.parametrize("typed", ["  s", "sI", "x", "size  "])
async def test_what_differs_is_asked_anew(typed: str) -> None:
    async with running(Window(Author(FILE))) as window:
        await window.at(f"{HEAD}    $0\n")
        await window.at(f"{HEAD}    {typed}$0\n")
        assert len(window.engine.requests) == 2


async def test_another_suffix_is_another_place_but_not_a_bracket_closed_by_the_editor() -> None:
    async with running(Window(Author("print(area(2, 3))\n"))) as window:
        assert await window.at("pri$0\n") == "nt(area(2, 3))"
        assert await window.at("print($0)\n") == "area(2, 3))"
        assert len(window.engine.requests) == 1
        await window.at("print($0)\nx = 1\n")
        assert len(window.engine.requests) == 2


async def test_a_keystroke_that_agrees_joins_what_is_being_written() -> None:
    author = Author(FILE)
    author.gate = anyio.Event()
    found: list[str | None] = []
    window = Window(author)

    async def at(text: str) -> None:
        found.append(await window.at(text))

    async with running(window), anyio.create_task_group() as tasks:
        with anyio.CancelScope() as superseded:
            tasks.start_soon(window.at, f"{HEAD}    $0\n")
            await author.asked.wait()
            superseded.cancel()
        tasks.start_soon(at, f"{HEAD}    size =$0\n")
        await anyio.wait_all_tasks_blocked()
        author.gate.set()
    assert found == [" width * height"]
    assert len(author.requests) == 1


async def test_a_cancelled_request_leaves_what_is_being_written_to_the_next() -> None:
    author = Author(FILE)
    author.gate = anyio.Event()
    async with running(Window(author)) as window:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(window.at, f"{HEAD}    $0\n")
            await author.asked.wait()
            tasks.cancel_scope.cancel()
        assert author.left == []
        author.gate.set()
        assert await window.at(f"{HEAD}    si$0\n") == "ze = width * height"
        assert len(author.requests) == 1


async def test_a_keystroke_that_differs_leaves_the_model_at_once() -> None:
    author = Author(FILE)
    author.gate = anyio.Event()
    slow = Window(author, settings=CompletionSettings(debounce=0))
    async with running(slow) as window, anyio.create_task_group() as tasks:
        tasks.start_soon(window.at, f"{HEAD}    $0\n")
        await author.asked.wait()
        await anyio.wait_all_tasks_blocked()
        for _ in range(3):
            author.gate.set()
            author.gate = anyio.Event()
            await anyio.wait_all_tasks_blocked()
        tasks.start_soon(window.at, f"{HEAD}    xyz$0\n")
        await anyio.wait_all_tasks_blocked()
        assert len(author.left) == 1
        assert len(author.requests) == 2
        tasks.cancel_scope.cancel()


async def test_an_error_reaches_whoever_waits_and_is_not_kept() -> None:
    engine = FakeEngine(error=EngineError("It broke."))
    async with running(Window(engine)) as window:
        for calls in (1, 2):
            with pytest.raises(EngineError, match="It broke"):
                await window.at("x = $0")
            assert len(engine.requests) == calls


async def test_what_follows_an_acceptance_is_written_ahead() -> None:
    author = Author(FILE, ahead=True)
    async with running(Window(author)) as window:
        assert await window.at(f"{HEAD}    $0\n") == "size = width * height"
        await anyio.wait_all_tasks_blocked()
        assert author.kinds == [COMPLETION_PRIORITY, AHEAD_PRIORITY]
        accepted = f"{HEAD}    size = width * height"
        assert await window.at(f"{accepted}$0\n") is None
        await anyio.wait_all_tasks_blocked()
        assert len(author.requests) == 2  # the line is done, and that is known
        assert await window.at(f"{accepted}\n    $0\n") == "return size"
        assert author.kinds[:2] == [COMPLETION_PRIORITY, AHEAD_PRIORITY]
        assert COMPLETION_PRIORITY not in author.kinds[2:]


@pytest.mark.parametrize("ahead", [True, False])
async def test_nothing_is_computed_ahead_on_battery_or_by_a_server_of_the_users(ahead: bool) -> None:
    author = Author(FILE, ahead=ahead)
    async with running(Window(author)) as window:
        await window.at(f"{HEAD}    $0\n", on_battery=ahead)
        window.suggestions.prefill(Cursor("b", excerpt_at("x$0"), on_battery=ahead), author, AT_ONCE)
        await anyio.wait_all_tasks_blocked()
    assert author.kinds == [COMPLETION_PRIORITY]


async def test_a_document_is_read_ahead_once_and_makes_way() -> None:
    author = Author(FILE, ahead=True)
    async with running(Window(author)) as window:
        for _ in range(2):
            window.suggestions.prefill(Cursor("a", excerpt_at("import os\n$0")), author, AT_ONCE)
            await anyio.wait_all_tasks_blocked()
        [request] = author.requests
        assert (request.priority, request.sampling.max_tokens) == (PREFILL_PRIORITY, 0)
        secret = Excerpt("KEY=", "", ".env")
        window.suggestions.prefill(Cursor("b", secret), author, AT_ONCE)
        await anyio.wait_all_tasks_blocked()
        assert len(author.requests) == 1


@pytest.mark.parametrize(
    "settings",
    [
        CompletionSettings(trigger="manual"),
        CompletionSettings(on_battery="manual"),
        CompletionSettings(max_file_size=99),
    ],
)
async def test_when_nothing_is_asked_unasked(settings: CompletionSettings) -> None:
    author = Author(FILE)
    async with running(Window(author, settings=settings)) as window:
        assert await window.at(f"{HEAD}    $0\n", on_battery=True, size=100) is None
    assert author.requests == []


async def test_a_cursor_that_only_moves_is_not_completed_unless_the_answer_is_known() -> None:
    async with running(Window(Author(FILE))) as window:
        assert await window.at(f"{HEAD}    $0\n") == "size = width * height"
        assert await window.at("import os\n$0\n", edited=False) is None
        assert await window.at(f"{HEAD}    $0\n", edited=False) == "size = width * height"
        assert len(window.engine.requests) == 1


async def test_at_the_end_of_the_budget_the_lines_that_are_complete_are_shown() -> None:
    body = "".join(f"    first = {number}\n" for number in range(9))
    async with running(Window(Author(f"def f():\n{body}"))) as window:
        window.suggestions.speed.measured(0.0, 11, 10.0)  # a token a second: a line at least
        assert await window.at("def f():\n    $0\n") != body.strip()
        assert len(window.engine.requests) == 1


async def test_a_first_line_is_let_end() -> None:
    line = "x = " + " + ".join(f"value_{number}" for number in range(40))
    async with running(Window(Author(f"{line}\n"))) as window:
        window.suggestions.speed.measured(9.0, 11, 10.0)
        assert await window.at("x = $0\n") == line[4:]


def test_the_memory_of_drafts_is_bounded() -> None:
    drafts = Drafts(lambda: 0.0, Speed())
    place = Place("a", "python", "")
    kept = [Draft(f"{number}" + "x" * 10_000, "") for number in range(1_000)]
    for draft in kept:
        draft.take(Chunk("y\n", finish_reason="stop"))
        drafts.keep(place, draft)
    assert drafts.size <= 700_000
    known = [drafts.known(place, Excerpt(draft.prefix, "", "", "python"), max_lines=9) for draft in kept]
    assert known[-1] is kept[-1]
    assert known[0] is None


moves = st.lists(st.integers(0, 40) | st.sampled_from(["forward", "back"]), min_size=1, max_size=25)


@given(moves, st.sampled_from([FILE, "if x:\n    a = (1,\n         2)\n    return a\nelse:\n    b()\n"]))
async def test_what_is_shown_is_what_a_fresh_answer_would_show(moves: Sequence[int | str], file: str) -> None:
    author, drafts, at = Author(file), Drafts(lambda: 0.0, Speed()), 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drafts.run)
        for move in moves:
            at = move if isinstance(move, int) else at + (1 if move == "forward" else -1)
            at = min(max(at, 0), len(file))
            excerpt = excerpt_at(f"{file[:at]}$0\n")
            fresh = await complete(author, excerpt, max_tokens=96, max_lines=12)
            assert await shown(drafts, author, excerpt) == (fresh.insertion if fresh else None)
        tasks.cancel_scope.cancel()


async def shown(drafts: Drafts, author: Author, excerpt: Excerpt) -> Insertion | None:
    """Return what is shown, reused where it can be."""
    place = Place.of("a", excerpt)
    draft = drafts.known(place, excerpt, max_lines=12)
    if draft is None:
        prompt = completion(excerpt, author.abilities, max_tokens=96)
        writing = Writing(place, begun(excerpt, prompt), excerpt, Limits(96, 12, 60.0, 96))
        drafts.begin(writing, author, prompt.request)
        await writing.until_known(excerpt)
        draft = writing.draft
    found = read(draft, excerpt, max_lines=12)
    return found.insertion if found else None
