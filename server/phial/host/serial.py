"""Backends that answer one request at a time: a blocking library call in a thread, tokens handed over as they come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import anyio

from phial.errors import EngineError, PhialError
from phial.host.backend import Decoding, FinishReason, ModelCard, Token, Tokenizer
from phial.models.store import Model

Emit = Callable[[Token], bool]
"""Takes a token; returns whether more are wanted."""


Progress = Callable[[str, float], None]

_LONGEST_STEP = 0.02
"""Seconds of a step while a prompt is read, so that a request of better priority is seen; and until a call that was
cancelled and goes on is interrupted again, since before it has begun to compute, that has no effect."""


class Generator(Protocol):
    """A library that generates for one prompt at a time."""

    def generate(self, prompt: Sequence[int], decoding: Decoding, emit: Emit) -> FinishReason:
        """Generate until the end, or until `emit` wants no more. Called in a thread of its own."""
        ...

    def interrupt(self) -> None:
        """Make a running `generate` raise as soon as it can, in the middle of a prompt too. Called from any thread."""
        ...


class SerialBackend:
    """A backend out of a generator."""

    def __init__(self, generator: Generator, tokenizer: Tokenizer, card: ModelCard) -> None:
        self.tokenizer = tokenizer
        self.card = card
        self._generator = generator
        self._running: SerialGeneration | None = None

    def start(self, prompt: Sequence[int], decoding: Decoding) -> SerialGeneration:
        """Begin a request; the scheduler begins no other before it has ended and a step has been made."""
        self._running = SerialGeneration(self._generator, prompt, decoding)
        return self._running

    async def step(self) -> None:
        """Wait a little for something new of the running request; one that was cancelled must end."""
        running = self._running
        if running is None:
            return
        while not running.ended:
            await running.until_changed()
            if running.wanted:
                break
        if running.ended:
            self._running = None

    def close(self) -> None:
        """Stop what runs."""
        if self._running:
            self._running.cancel()


class SerialGeneration:
    """One request, generating in its thread."""

    def __init__(self, generator: Generator, prompt: Sequence[int], decoding: Decoding) -> None:
        self.ended = False
        self.wanted = True
        self.prefilled = 0
        self._changed = asyncio.Event()
        self._generator = generator
        self._loop = asyncio.get_running_loop()
        self._prompt_length = len(prompt)
        self._tokens: list[Token] = []
        self._reason: FinishReason | None = None
        self._error: PhialError | None = None
        if not decoding.max_tokens:  # nothing of a prompt that was only read would be kept
            self._end("length", None)
            return
        threading.Thread(target=self._run, args=(prompt, decoding), name="generation", daemon=True).start()

    def read(self) -> list[Token]:
        """Return the tokens generated since the last read."""
        tokens, self._tokens = self._tokens, []
        return tokens

    def finish_reason(self) -> FinishReason | None:
        """Return why it has ended, or None while it goes on. Raises `EngineError` if it broke."""
        if self._error:
            raise self._error
        return self._reason

    def cancel(self) -> None:
        """Stop it; the next step waits until the library has let go."""
        self.wanted = False
        self._generator.interrupt()
        self._changed.set()

    async def until_changed(self) -> None:
        """Wait a little for a token, the end, or a cancel; one that was cancelled is interrupted again and again."""
        with anyio.move_on_after(_LONGEST_STEP) as waited:
            await self._changed.wait()
        self._changed.clear()
        if waited.cancelled_caught and not self.wanted:
            self._generator.interrupt()

    def _run(self, prompt: Sequence[int], decoding: Decoding) -> None:
        reason: FinishReason | None = None
        error: PhialError | None = None
        try:
            reason = self._generator.generate(prompt, decoding, self._emit)
        except PhialError as told:
            error = told
        except Exception as broken:  # noqa: BLE001 - whatever a native library raises, an interruption too
            error = EngineError(f"The model stopped working: {broken}") if self.wanted else None
        self._loop.call_soon_threadsafe(self._end, reason, error)

    def _emit(self, token: Token) -> bool:
        self._loop.call_soon_threadsafe(self._take, token)
        return self.wanted

    def _take(self, token: Token) -> None:
        self.prefilled = self._prompt_length
        self._tokens.append(token)
        self._changed.set()

    def _end(self, reason: FinishReason | None, error: PhialError | None) -> None:
        self._reason, self._error, self.ended = reason, error, True
        self._changed.set()


def serial_card(model: Model, device: str, backend: str, *, max_model_len: int) -> ModelCard:
    """Describe a model of which nothing is kept from one request to the next."""
    return ModelCard(
        id=model.id,
        max_model_len=max_model_len,
        device=device,
        backend=backend,
        starter=model.starter,
        block_size=max_model_len,
        cache_blocks=0,
        prefill_chunk=max_model_len,
        max_requests=1,
        regex=False,
    )
