"""Guesses what comes next from what stands in the text already: in code, most of it is said again.

After A. Saxena, "Prompt Lookup Decoding" (2023). The engine has it built in, too, but there it costs each step of each
answer (guesses are padded to one length, 0.4 times the speed on text that repeats nothing), and blocks of the prefix
cache are named for guesses that were wrong. Here a guess is made where there is one, and asked of the model as a
prompt: what the cache holds stays true.

The pipeline finds a block that is filled in part by the name that it had when a token was last written into it, and
computes again what a guess has put there since. So after each guess one token is written without one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from phial.host.repetition import Repetition

LONGEST_GUESS = 16
"""Tokens."""

_SHORTEST_GUESS = 3

_SHORTEST_PAUSE = 4
_LONGEST_PAUSE = 64
"""Tokens written after guesses that were wrong, one after another, before the next one."""

_SURE = math.log(0.8)
"""How likely the last token must have been: where the model says again what stands there, it is sure."""


@dataclass
class PromptLookup:
    """The guesses for one answer: longer while they are right, rarer while they are wrong."""

    longest: int = LONGEST_GUESS
    _length: int = _SHORTEST_GUESS
    _pause: int = 0
    _pause_after_wrong: int = _SHORTEST_PAUSE
    _repetition: Repetition = field(default_factory=Repetition)

    def guess(self, tokens: Sequence[int], most: int, logprob: float | None = None) -> Sequence[int]:
        """Return what may follow these tokens, at most so many; nothing where there is no good guess.

        They begin with those of the call before. `logprob` is the natural logarithm of the probability that the
        last of them had.
        """
        self._repetition.grow(tokens)
        if self._pause:
            self._pause -= 1
            return ()
        if logprob is not None and logprob < _SURE:
            return ()
        length = self.longest if self._repetition.is_certain else min(self._length, self.longest)
        found = self._repetition.continuation(min(length, most))
        return found if len(found) >= _SHORTEST_GUESS else ()

    def judge(self, guessed: Sequence[int], right: int) -> None:
        """Learn how many tokens of a guess were right."""
        if right == len(guessed):
            self._pause = 1
            self._length = min(2 * self._length, self.longest)
            self._pause_after_wrong = _SHORTEST_PAUSE
            return
        self._length = max(_SHORTEST_GUESS, right)
        if right >= _SHORTEST_GUESS or self._repetition.is_certain:
            self._pause = 1  # what was wrong would be guessed again
            return
        self._pause = self._pause_after_wrong
        self._pause_after_wrong = min(2 * self._pause_after_wrong, _LONGEST_PAUSE)
