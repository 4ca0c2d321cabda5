"""A generation without a model: so many steps of prefill, then a token of its answer per step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from phial.errors import PhialError
from phial.host.backend import FinishReason, Token

LOGPROB = -0.5
"""The log-probability of every token."""


@dataclass
class FakeGeneration:
    """One request; lengths in tokens."""

    key: str
    prompt: Sequence[int]
    prefilled: int
    answer: list[int]
    max_tokens: int
    error: PhialError | None
    ends_late: bool = False
    cancelled: bool = False
    written: list[Token] = field(default_factory=list)
    seen: int = 0

    @property
    def is_running(self) -> bool:
        left = self._to_prefill or len(self.written) < min(len(self.answer), self.max_tokens)
        return bool(left) and not self.cancelled

    @property
    def computed(self) -> Sequence[int]:
        return [*self.prompt[: self.prefilled], *(token.id for token in self.written[:-1])]

    @property
    def _to_prefill(self) -> int:
        return len(self.prompt) - self.prefilled

    def advance(self, budget: int) -> int:
        """Compute a chunk of the prompt, or the next token; return how much of the budget that took."""
        chunk = min(budget, self._to_prefill)
        self.prefilled += chunk
        if not self._to_prefill and self.is_running:
            self.written.append(Token(self.answer[len(self.written)], LOGPROB))
        return chunk

    def read(self) -> list[Token]:
        unread, self.seen = self.written[self.seen :], len(self.written)
        return unread

    def finish_reason(self) -> FinishReason | None:
        if self.is_running:
            return None
        if self.ends_late:
            self.ends_late = False
            return None
        if self.error:
            raise self.error
        return "stop" if len(self.written) == len(self.answer) else "length"

    def cancel(self) -> None:
        self.cancelled = True
