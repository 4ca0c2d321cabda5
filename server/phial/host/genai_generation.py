"""One request in openvino-genai's pipeline, its prompt read in pieces so that the prefix cache holds what it says.

The pipeline names a block of its cache for all the tokens that the block is going to hold, before it has computed
them (openvino.genai `block_manager.hpp`, `allocate`). A prefill that stops inside a block, since it was cancelled or
shared a step with others, leaves a block that promises more than it holds, and later prompts take it over: their
answers are wrong. So the pipeline is only given what it reads within one step. A long prompt comes as ever longer
heads of itself, each a request for a token that nobody wants.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import openvino_genai

from phial.errors import EngineError, PhialError
from phial.host.backend import Decoding, FinishReason, Token
from phial.host.prompt_lookup import PromptLookup


class Submit(Protocol):
    """Gives the pipeline a request, and returns its handle. Raises `PhialError`."""

    def __call__(self, prompt: Sequence[int], decoding: Decoding, *, echo: bool = False) -> Any:
        """Submit; with `echo` the handle tells how likely the prompt's own tokens are, too."""
        ...


@dataclass(frozen=True)
class Pipeline:
    """What a generation needs of the pipeline.

    `is_free` tells of an answer's tokens whether what follows them is not held to its regular expression any more.
    """

    submit: Submit
    is_free: Callable[[Decoding, Sequence[int]], bool]
    stop_tokens: set[int]
    block_size: int
    longest_guess: int


class GenaiGeneration:
    """One request; `prefilled` is how many tokens of its prompt the cache holds, at first those held from before."""

    def __init__(
        self,
        pipeline: Pipeline,
        prompt: Sequence[int],
        decoding: Decoding,
        *,
        held: int = 0,
    ) -> None:
        self.prefilled = held
        self.ended = False
        self._pipeline = pipeline
        self._prompt = prompt
        self._decoding = decoding
        self._handle: Any = None
        self._reading_to = held
        self._guess: Sequence[int] = ()
        self._lookup = PromptLookup(pipeline.longest_guess)
        self._generated: list[int] = []
        self._last_logprob: float | None = None
        self._unread: list[Token] = []
        self._finish_reason: FinishReason = "stop"
        self._error: PhialError | None = None

    @property
    def is_writing(self) -> bool:
        """Whether its prompt has been read."""
        return self._generated != []

    @property
    def computed(self) -> Sequence[int]:
        """The tokens that the cache holds of it: the last one generated has not been run."""
        return [*self._prompt[: self.prefilled], *self._generated[:-1]]

    def advance(self, budget: int, *, alone: bool) -> int:
        """Have the coming step read at most so many tokens: of the prompt, or of a guess; return how many.

        A piece of the prompt that is not the last ends where a block does. Guesses are made where nothing else is
        written: behind that, the pipeline tells the likelihoods of a prompt's tokens wrongly.
        """
        if self.ended or budget <= 0:
            return 0
        if self._generated:
            return self._guess_on(budget) if alone else self._go_on()
        if self._handle is not None:
            return 0
        end = min(self.prefilled + budget, len(self._prompt))
        end -= 0 if self._is_last(end) else end % self._pipeline.block_size
        if end <= self.prefilled:
            return 0
        wanted = self._decoding if self._is_answered_from(end) else _UNWANTED
        self._submit(self._prompt[:end], wanted)
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
        elif self._is_answered_from(self._reading_to):
            self._take_tokens()
            self.ended = self._handle is not None and status == openvino_genai.GenerationStatus.FINISHED
        elif status == openvino_genai.GenerationStatus.FINISHED:
            self.prefilled, self._handle = self._reading_to, None
            if self._is_last(self.prefilled):
                self._finish_reason, self.ended = "length", True

    def read(self) -> list[Token]:
        """Return the tokens generated since the last read, without the one that ended the turn."""
        tokens, self._unread = self._unread, []
        return [token for token in tokens if token.id not in self._pipeline.stop_tokens]

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

    def _submit(self, prompt: Sequence[int], wanted: Decoding, *, echo: bool = False) -> None:
        try:
            self._handle = self._pipeline.submit(prompt, wanted, echo=echo)
        except PhialError as error:
            self._error, self.ended = error, True

    def _take_tokens(self) -> None:
        """Take the tokens that were written, and those guessed that were right."""
        while self._handle is not None and self._handle.can_read():
            self.prefilled = len(self._prompt)
            for output in self._handle.read().values():
                if self._guess:
                    self._judge_guess(output)
                else:
                    self._take(output.generated_ids, output.generated_log_probs, output.finish_reason)

    def _take(self, ids: Sequence[int], logprobs: Sequence[float], reason: Any) -> None:
        self._unread += map(Token, ids, logprobs)
        self._generated += ids
        self._last_logprob = logprobs[-1] if logprobs else self._last_logprob
        if reason == openvino_genai.GenerationFinishReason.LENGTH:
            self._finish_reason = "length"

    def _guess_on(self, budget: int) -> int:
        """Ask in the coming step whether a guess is right, as a prompt that it is the end of."""
        left = self._decoding.max_tokens - len(self._generated)
        if self._decoding.temperature > 0 or not self._pipeline.is_free(self._decoding, self._generated):
            return 0
        known = [*self._prompt, *self._generated]
        most = min(budget - 1, left - 2, self._room(len(known)))
        guess = self._lookup.guess(known, most, self._last_logprob)
        if not guess or self._pipeline.stop_tokens.intersection(guess):
            return self._go_on()
        if self._handle is not None:
            self._handle.cancel()
        wanted = replace(self._decoding, max_tokens=left - len(guess), regex=None)
        self._submit([*known, *guess], wanted, echo=True)
        self._guess = guess
        return len(guess) + 1

    def _go_on(self) -> int:
        """Write on from what is certain, where a guess was wrong."""
        if self._handle is not None:
            return 0
        left = self._decoding.max_tokens - len(self._generated)
        self._submit([*self._prompt, *self._generated], replace(self._decoding, max_tokens=left, regex=None))
        return 1

    def _room(self, known: int) -> int:
        """Return how long a guess may be: a block that is filled in part keeps its name while a prompt fills it.

        So, if the guess is wrong, what is certain is found in the cache again.
        """
        in_block = (known - 1) % self._pipeline.block_size
        return self._pipeline.block_size - in_block - 1 if in_block else self._pipeline.block_size

    def _judge_guess(self, output: Any) -> None:
        """Take what is right of a guess, and, if all is, the token that was written behind it."""
        guess, self._guess = self._guess, ()
        *logprobs, last = output.generated_log_probs[-len(guess) - 1 :]
        right = next((at for at, logprob in enumerate(logprobs) if logprob <= _CERTAIN), len(guess))
        self._lookup.judge(guess, right)
        if right == len(guess):
            self._take([*guess, output.generated_ids[-1]], [*logprobs, last], output.finish_reason)
            return
        self._take(guess[:right], logprobs[:right], None)
        self._handle.cancel()
        self._handle = None


_CERTAIN = math.log(0.5)
"""A token that is more likely than that is the likeliest: the pipeline tells of a prompt's tokens no more."""

_UNWANTED = Decoding(max_tokens=1)
