from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import anyio
import anyio.to_thread
import pytest

from phial.errors import EngineError
from phial.host.backend import Decoding, FinishReason, Token
from phial.host.metrics import Metrics
from phial.host.scheduler import Scheduler
from phial.host.serial import Emit, SerialBackend
from support.fake_backend import CARD
from support.fake_tokenizer import FakeTokenizer

Generate = Callable[[Emit], FinishReason]


class Scripted:
    """A library whose call does what a test says; it counts how often it was interrupted."""

    def __init__(self, generate: Generate) -> None:
        self.interrupted = threading.Semaphore(0)
        self._generate = generate

    def generate(self, prompt: Sequence[int], decoding: Decoding, emit: Emit) -> FinishReason:
        return self._generate(emit)

    def interrupt(self) -> None:
        self.interrupted.release()


def backend_of(library: Scripted) -> SerialBackend:
    return SerialBackend(library, FakeTokenizer(), CARD)


async def test_tokens_come_until_the_end() -> None:
    def generate(emit: Emit) -> FinishReason:
        for number in range(3):
            emit(Token(number, None))
        return "length"

    backend = backend_of(Scripted(generate))
    generation = backend.start([1], Decoding(3))
    tokens = []
    while generation.finish_reason() is None:
        await backend.step()
        tokens += generation.read()

    assert [token.id for token in tokens] == [0, 1, 2]
    assert generation.finish_reason() == "length"


async def test_who_is_cancelled_wants_no_more_tokens() -> None:
    cancelled = threading.Event()
    wanted = []

    def generate(emit: Emit) -> FinishReason:
        emit(Token(0, None))
        cancelled.wait()
        wanted.append(emit(Token(1, None)))
        return "length"

    backend = backend_of(Scripted(generate))
    generation = backend.start([1], Decoding(3))
    await backend.step()
    generation.cancel()
    cancelled.set()
    await backend.step()

    assert wanted == [False]
    assert generation.ended


@pytest.mark.parametrize("lost", [0, 1, 5])
async def test_an_interruption_that_comes_before_the_library_computes_is_repeated(lost: int) -> None:
    def generate(emit: Emit) -> FinishReason:
        for _ in range(lost + 1):
            library.interrupted.acquire()
        raise RuntimeError("Infer Request was canceled")

    library = Scripted(generate)
    backend = backend_of(library)
    generation = backend.start([1], Decoding(3))
    generation.cancel()
    await backend.step()

    assert generation.ended
    assert generation.finish_reason() is None


async def test_a_prompt_that_is_read_makes_way_for_a_request_of_better_priority() -> None:
    reading = threading.Event()

    def generate(emit: Emit) -> FinishReason:
        if not reading.is_set():
            reading.set()
            library.interrupted.acquire()
            raise RuntimeError("Infer Request was canceled")
        emit(Token(7, None))
        return "stop"

    library = Scripted(generate)
    backend = SerialBackend(library, FakeTokenizer(), replace(CARD, max_requests=1, cache_blocks=0))
    scheduler = Scheduler(backend, Metrics(), ended=lambda: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scheduler.run)
        async with scheduler.generate([1], Decoding(3), 10) as chat:
            await anyio.to_thread.run_sync(reading.wait)
            async with scheduler.generate([2], Decoding(3), 0) as quick:
                assert [token.id async for batch in quick for token in batch] == [7]
            assert [token.id async for batch in chat for token in batch] == [7]
        tasks.cancel_scope.cancel()


async def test_a_library_that_breaks_is_an_error() -> None:
    def generate(_: Emit) -> FinishReason:
        raise RuntimeError("out of luck")

    backend = backend_of(Scripted(generate))
    generation = backend.start([1], Decoding(3))
    while not generation.ended:
        await backend.step()

    with pytest.raises(EngineError, match="stopped working: out of luck"):
        generation.finish_reason()
