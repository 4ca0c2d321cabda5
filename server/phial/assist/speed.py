"""How fast the model is in this window, and so how much is worth asking for."""

from __future__ import annotations

from dataclasses import dataclass

from phial.settings import CompletionSettings

_WEIGHT = 0.3
"""Of the newest measurement."""

_LINE_TOKENS = 32
"""Enough for most lines: fewer are never asked for."""

_SEVERAL = 5


@dataclass(frozen=True)
class Limits:
    """How much to ask for: `longest` tokens and so many lines at most.

    After so many `tokens`, and after so many seconds, a complete line is enough; a first line is let end.
    """

    tokens: int
    lines: int
    seconds: float
    longest: int


@dataclass
class Speed:
    """Means of what has been measured, the newest weighing the most; None before anything has been."""

    latency: float | None = None
    """Seconds until the first piece of a completion."""
    rate: float | None = None
    """Tokens per second from then on."""
    _slow_lines: int = 0

    def measured(self, latency: float, tokens: int, seconds: float) -> None:
        """Take note of a completion: seconds to its first piece, and the tokens in the seconds after it."""
        self.latency = _mean(self.latency, latency)
        if tokens > 1 and seconds > 0:
            self.rate = _mean(self.rate, (tokens - 1) / seconds)

    def line_took(self, seconds: float, budget: float) -> None:
        """Take note of how long the user has waited for a line."""
        self._slow_lines = self._slow_lines + 1 if seconds > budget else 0

    @property
    def is_too_slow(self) -> bool:
        """Whether several lines in a row have taken longer than they may."""
        return self._slow_lines >= _SEVERAL

    def limits(self, wanted: CompletionSettings, told: float | None) -> Limits:
        """Return how much fits into the time there is; `told`: the rate that the engine tells of."""
        return Limits(self._tokens(wanted, told), wanted.max_lines, wanted.time_budget, wanted.max_tokens)

    def _tokens(self, wanted: CompletionSettings, told: float | None) -> int:
        rate = self.rate or told
        if rate is None:
            return wanted.max_tokens
        seconds = max(0.0, wanted.time_budget - (self.latency or 0.0))
        return min(wanted.max_tokens, max(_LINE_TOKENS, int(rate * seconds)))


def _mean(before: float | None, now: float) -> float:
    return now if before is None else before + _WEIGHT * (now - before)
