"""One request in openvino-genai's pipeline, its prompt read in pieces so that the prefix cache holds what it says.

The pipeline names a block of its cache for all the tokens that the block is going to hold, before it has computed
them (openvino.genai `block_manager.hpp`, `allocate`). A prefill that stops inside a block, since it was cancelled or
shared a step with others, leaves a block that promises more than it holds, and later prompts take it over: their
answers are wrong. So the pipeline is only given what it reads within one step. A long prompt comes as ever longer
heads of itself, each a request for a token that nobody wants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import openvino_genai

from phial.errors import EngineError, PhialError
from phial.host.backend import Decoding, FinishReason, Token

Submit = Callable[[Sequence[int], Decoding], Any]
"""Gives the pipeline a request, and returns its handle. Raises `PhialError`."""


class GenaiGeneration:
    """One request; `prefilled` is how many tokens of its prompt the cache holds, at first those held from before."""

    def __init__(
        self, submit: Submit, prompt: Sequence[int], decoding: Decoding, stop_tokens: set[int], *, held: int
    ) -> None:
        self.prefilled = held
        self.ended = False
        self._submit = submit
        self._prompt = prompt
        self._decoding = decoding
        self._stop_tokens = stop_tokens
        self._handle: Any = None
        self._reading_to = held
        self._generated: list[int] = []
        self._unread: list[Token] = []
        self._finish_reason: FinishReason = "stop"
        self._error: PhialError | None = None

    @property
    def computed(self) -> Sequence[int]:
        """The tokens that the cache holds of it: the last one generated has not been run."""
        return [*self._prompt[: self.prefilled], *self._generated[:-1]]

    def advance(self, budget: int, block_size: int) -> int:
        """Have the coming step read at most so many tokens of the prompt; return how many.

        A piece that is not the last ends where a block does.
        """
        if self.ended or self._handle is not None or budget <= 0:
            return 0
        end = min(self.prefilled + budget, len(self._prompt))
        end -= 0 if self._is_last(end) else end % block_size
        if end <= self.prefilled:
            return 0
        wanted = self._decoding if self._is_answered_from(end) else _UNWANTED
        try:
            self._handle = self._submit(self._prompt[:end], wanted)
        except PhialError as error:
            self._error, self.ended = error, True
            return 0
        self._reading_to = end
        return end - self.prefilled

    def stepped(self) -> None:
        """Take note of what a step has brought."""
        if self._handle is None or self.ended:
            return
        status = self._handle.get_status()
        if status == openvino_genai.GenerationStatus.IGNORED:
            # The pipeline drops a request without a word when its cache is full.
            self._error, self.ended = EngineError("The model's cache is full."), True
            return
        if self._is_answered_from(self._reading_to):
            self._take_tokens()
        elif status == openvino_genai.GenerationStatus.FINISHED:
            self.prefilled, self._handle = self._reading_to, None
            if self._is_last(self.prefilled):
                self._finish_reason, self.ended = "length", True
            return
        self.ended = status == openvino_genai.GenerationStatus.FINISHED

    def read(self) -> list[Token]:
        """Return the tokens generated since the last read, without the one that ended the turn."""
        tokens, self._unread = self._unread, []
        return [token for token in tokens if token.id not in self._stop_tokens]

    def finish_reason(self) -> FinishReason | None:
        """Return why it has ended, or None while it goes on. Raises `EngineError` if the pipeline dropped it."""
        if self._error:
            raise self._error
        return self._finish_reason if self.ended else None

    def cancel(self) -> None:
        """Stop it; the next step frees what it held."""
        self.ended = True
        if self._handle is not None:
            self._handle.cancel()

    def _is_last(self, end: int) -> bool:
        return end == len(self._prompt)

    def _is_answered_from(self, end: int) -> bool:
        """Return whether a piece that ends there is the whole prompt, and an answer to it is wanted."""
        return self._is_last(end) and self._decoding.max_tokens > 0

    def _take_tokens(self) -> None:
        while self._handle.can_read():
            self.prefilled = len(self._prompt)
            for output in self._handle.read().values():
                self._unread += map(Token, output.generated_ids, output.generated_log_probs)
                self._generated += output.generated_ids
                if output.finish_reason == openvino_genai.GenerationFinishReason.LENGTH:
                    self._finish_reason = "length"


_UNWANTED = Decoding(max_tokens=1)
