"""An engine without a model: it streams the pieces that it was given, and notes what was asked of it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager

import anyio

from phial.engine.base import Abilities, Chunk, FinishReason, Infill, Request, Status, Usage
from phial.errors import PhialError

USAGE = Usage(prompt_tokens=20, cached_tokens=16, completion_tokens=5)


class FakeEngine:
    """Streams its pieces, then the reason and the usage in chunks of their own, as the host does.

    With `error` it raises that after the pieces; with `hangs` nothing comes after them at all.
    """

    def __init__(
        self,
        *pieces: str | Chunk,
        finish_reason: FinishReason = "stop",
        error: PhialError | None = None,
        hangs: bool = False,
    ) -> None:
        self.status = Status("ready", "The fake is ready.", model="fake")
        self.abilities = Abilities(regex=True)
        self.requests: list[Request | Infill] = []
        self.taken: list[str] = []
        self._answers: Iterator[Sequence[str | Chunk]]
        self.left_early = False
        self.left = 0
        self.hanging = anyio.Event()
        self._answers = itertools.repeat(pieces)
        self._finish_reason = finish_reason
        self._error = error
        self._hangs = hangs

    @classmethod
    def of_answers(cls, *answers: Sequence[Chunk]) -> FakeEngine:
        """Make one that has another answer for each request, in their order."""
        engine = cls()
        engine._answers = iter(answers)
        return engine

    @asynccontextmanager
    async def stream(self, request: Request | Infill) -> AsyncIterator[AsyncIterator[Chunk]]:
        self.requests.append(request)
        self.left_early = True
        try:
            async with aclosing(self._chunks(next(self._answers))) as chunks:
                yield chunks
        finally:
            self.left += 1

    async def _chunks(self, pieces: Sequence[str | Chunk]) -> AsyncGenerator[Chunk, None]:
        for piece in pieces:
            await anyio.lowlevel.checkpoint()
            chunk = Chunk(piece) if isinstance(piece, str) else piece
            self.taken.append(chunk.text)
            yield chunk
        if self._error:
            self.left_early = False
            raise self._error
        if self._hangs:
            self.hanging.set()
            await anyio.sleep_forever()
        yield Chunk(finish_reason=self._finish_reason)
        yield Chunk(usage=USAGE)
        self.left_early = False
