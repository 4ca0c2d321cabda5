"""Shares one backend among requests: admits them by priority, steps the model, hands out tokens.

A step holds Python's interpreter lock, so it runs in the event loop's own thread: another thread would
buy nothing but locks. Between steps the loop runs until requests and disconnects that have arrived are
read; whatever changed takes effect before the next step.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from time import perf_counter

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from phial.errors import EngineError, PhialError, PromptTooLong, UsageError
from phial.host.backend import Backend, Decoding, FinishReason, Generation, Token
from phial.host.metrics import Metrics

_LOOP_TURNS = 12
"""Turns of the event loop between steps. A request is read in about five (connection, headers, body,
handler, queue); a turn without work costs some ten microseconds."""

_ENOUGH_TO_MEASURE = 16
"""Tokens of an answer from which its speed is worth telling."""


@dataclass(eq=False)
class Answer:
    """A request's tokens as they come, in batches; afterwards, why it ended."""

    prompt: Sequence[int]
    decoding: Decoding
    priority: int
    number: int
    send: MemoryObjectSendStream[list[Token]] = field(repr=False)
    batches: MemoryObjectReceiveStream[list[Token]] = field(repr=False)
    arrived: float = field(default_factory=perf_counter)
    finish_reason: FinishReason = "stop"
    cached_tokens: int = 0
    """How many of the prompt were there when it was first started: its own work does not count."""
    error: PhialError | None = None
    complete: bool = False
    """Set by the reader who has seen enough: what follows a stop string is of no use."""
    generation: Generation | None = field(default=None, repr=False)
    generated: list[int] = field(default_factory=list, repr=False)
    started: bool = False
    prefilled: int = 0
    first_token: float = 0.0

    async def __aiter__(self) -> AsyncIterator[list[Token]]:
        """Yield batches of tokens until the answer has ended. Raises `PhialError` if it broke."""
        async for batch in self.batches:
            yield batch
        if self.error:
            raise self.error

    @property
    def turn(self) -> tuple[int, int]:
        """Its place in the queue: by priority, then by arrival."""
        return self.priority, self.number

    @property
    def prefilling(self) -> bool:
        """Whether no token has come out yet."""
        return not self.generated

    def what_is_left(self) -> tuple[Sequence[int], Decoding]:
        """Return what to start the backend with: what it has written already has become prompt."""
        done = len(self.generated)
        left = replace(
            self.decoding, max_tokens=self.decoding.max_tokens - done, seed=self.decoding.seed + done
        )
        return [*self.prompt, *self.generated], left

    @property
    def room(self) -> int:
        """The most tokens that it can take in the cache."""
        return len(self.prompt) + self.decoding.max_tokens


class Scheduler:
    """Owns a backend: nobody else steps it."""

    def __init__(self, backend: Backend, metrics: Metrics, *, ended: Callable[[], None]) -> None:
        self.tokens_per_second: float | None = None
        self._ended = ended
        self._backend = backend
        self._metrics = metrics
        self._waiting: list[Answer] = []
        self._running: list[Answer] = []
        self._numbers = count()
        self._changed = anyio.Event()
        self._freeing = False

    @asynccontextmanager
    async def generate(
        self, prompt: Sequence[int], decoding: Decoding, priority: int
    ) -> AsyncIterator[Answer]:
        """Generate for a prompt. Leaving the context frees the engine before its next step.

        Raises `PromptTooLong`.
        """
        room = self.check(prompt)
        send, batches = anyio.create_memory_object_stream[list[Token]](math.inf)
        answer = Answer(
            prompt=prompt,
            decoding=replace(decoding, max_tokens=min(decoding.max_tokens, room)),
            priority=priority,
            number=next(self._numbers),
            send=send,
            batches=batches,
        )
        self._waiting.append(answer)
        self._changed.set()
        try:
            yield answer
        finally:
            self._drop(answer)
            send.close()
            batches.close()

    def check(self, prompt: Sequence[int]) -> int:
        """Return how many tokens an answer may have. Raises `PromptTooLong` where there is no room for one."""
        if not prompt:
            raise UsageError("The prompt is empty.")
        card = self._backend.card
        if len(prompt) >= card.max_model_len:
            raise PromptTooLong(
                f"The prompt has {len(prompt)} tokens, and the model takes {card.max_model_len} with its answer."
            )
        if card.max_prompt_len and len(prompt) > card.max_prompt_len:
            raise PromptTooLong(
                f"The prompt has {len(prompt)} tokens, and the model takes {card.max_prompt_len} on {card.device}."
            )
        return card.max_model_len - len(prompt)

    async def run(self) -> None:
        """Step the backend while there is work. Returns only by an error of the backend, having told all."""
        while True:
            if not (self._waiting or self._running or self._freeing):
                self._changed = anyio.Event()
                await self._changed.wait()
            try:
                self._admit()
                await self._step()
                self._deliver()
            except Exception as error:
                self._fail_all(EngineError(f"The model stopped working: {_first_line(error)}."))
                raise
            for _ in range(_LOOP_TURNS):
                await anyio.lowlevel.checkpoint()

    def _admit(self) -> None:
        """Start what may run now: the first in turn, while its tokens fit the cache.

        A request in prefill makes way for one of better priority and is started anew when that has ended;
        its blocks stay in the prefix cache, so it goes on where it was. A backend that can do but one thing
        at a time is taken from any request of worse priority, and must have let go of it first.
        """
        alone = self._backend.card.max_requests == 1
        if alone and self._freeing:
            return
        for answer in sorted(self._waiting, key=lambda answer: answer.turn):
            if any(running.priority < answer.priority for running in self._running):
                break
            for running in [running for running in self._running if running.priority > answer.priority]:
                if running.prefilling or alone:
                    self._put_back(running)
            if not self._fits(answer) or (alone and self._freeing):
                break
            self._start(answer)

    def _start(self, answer: Answer) -> None:
        self._waiting.remove(answer)
        try:
            answer.generation = self._backend.start(*answer.what_is_left())
        except PhialError as error:
            self._end(answer, error=error)
            return
        self._running.append(answer)
        answer.prefilled = answer.generation.prefilled
        if answer.started:
            return
        answer.started, answer.cached_tokens = True, answer.prefilled
        self._metrics.prompt_tokens.inc(len(answer.prompt))
        self._metrics.cached_tokens.inc(answer.cached_tokens)

    async def _step(self) -> None:
        """Step, and count what the step computed."""
        if not (self._running or self._freeing):
            return
        began = perf_counter()
        await self._backend.step()
        self._freeing = False
        self._metrics.step_seconds.observe(perf_counter() - began)
        for answer in self._running:
            assert answer.generation is not None  # noqa: S101 - what runs has been started
            self._metrics.prefilled_tokens.inc(answer.generation.prefilled - answer.prefilled)
            answer.prefilled = answer.generation.prefilled

    def _deliver(self) -> None:
        for answer in list(self._running):
            assert answer.generation is not None  # noqa: S101 - what runs has been started
            batch = answer.generation.read()
            if batch:
                self._hand_out(answer, batch)
            try:
                reason = answer.generation.finish_reason()
            except PhialError as error:
                self._end(answer, error=error)
                continue
            if reason:
                answer.finish_reason = reason
                self._end(answer)

    def _hand_out(self, answer: Answer, batch: list[Token]) -> None:
        if answer.prefilling:
            answer.first_token = perf_counter()
            self._metrics.first_token_seconds.observe(answer.first_token - answer.arrived)
        answer.generated += (token.id for token in batch)
        self._metrics.generated_tokens.inc(len(batch))
        answer.send.send_nowait(batch)

    def _end(self, answer: Answer, error: PhialError | None = None) -> None:
        answer.error = error
        if answer in self._running:
            self._running.remove(answer)
        self._metrics.requests.labels("failed" if error else answer.finish_reason).inc()
        answer.send.close()
        if len(answer.generated) >= _ENOUGH_TO_MEASURE:
            self.tokens_per_second = (len(answer.generated) - 1) / (perf_counter() - answer.first_token)
            self._ended()

    def _drop(self, answer: Answer) -> None:
        """Take out a request whose reader has gone."""
        if answer in self._waiting:
            self._waiting.remove(answer)
        elif answer in self._running:
            self._cancel(answer)
        else:
            return
        self._metrics.requests.labels("stop" if answer.complete else "cancelled").inc()

    def _put_back(self, answer: Answer) -> None:
        """Have a running request wait anew, unless its last token is out and only its end has not been told."""
        self._cancel(answer)
        if answer.generated and len(answer.generated) >= answer.decoding.max_tokens:
            answer.finish_reason = "length"
            self._end(answer)
            return
        self._waiting.append(answer)
        self._metrics.preemptions.inc()

    def _cancel(self, answer: Answer) -> None:
        """Cancel a running request; the engine frees its place in one more step."""
        assert answer.generation is not None  # noqa: S101 - what runs has been started
        answer.generation.cancel()
        answer.generation = None
        self._running.remove(answer)
        self._freeing = True
        self._changed.set()

    def _fail_all(self, error: PhialError) -> None:
        for answer in [*self._running, *self._waiting]:
            answer.error = error
            answer.send.close()
        self._running.clear()
        self._waiting.clear()

    def _fits(self, answer: Answer) -> bool:
        card = self._backend.card
        if len(self._running) >= card.max_requests:
            return False
        return not card.cache_blocks or sum(map(self._blocks, [*self._running, answer])) <= card.cache_blocks

    def _blocks(self, answer: Answer) -> int:
        """Return how many blocks of the cache an answer may fill: requests do not share one."""
        return -(-answer.room // self._backend.card.block_size)


def _first_line(error: Exception) -> str:
    lines: Iterator[str] = (line.strip(" .") for line in str(error).splitlines() if line.strip())
    return next(lines, type(error).__name__)
