"""Guesses what comes next from what stands in the text already: in code, most of it is said again.

After A. Saxena, "Prompt Lookup Decoding" (2023). The engine has it built in, too, but there it costs each step of each
answer (guesses are padded to one length, 0.4 times the speed on text that repeats nothing), and blocks of the prefix
cache are named for guesses that were wrong. Here a guess is made where there is one, and asked of the model as a
prompt: what the cache holds stays true.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_GUESS = 12
"""Tokens."""

_SHORTEST_GUESS = 3
_FIRST_GUESS = 6
_CONTEXT = 4
"""Tokens that must stand before both: fewer are chance."""

_COMPARED = 8
"""Places that are compared by how much more of the text before them is the same, the latest first."""

_SHORTEST_PAUSE = 4
_LONGEST_PAUSE = 64
"""Tokens written after guesses that were wrong, one after another, before the next one."""

_SURE = math.log(0.8)
"""How likely the last token must have been: where the model says again what stands there, it is sure."""


@dataclass
class PromptLookup:
    """The guesses for one answer: longer while they are right, rarer while they are wrong."""

    longest: int = LONGEST_GUESS
    _length: int = _FIRST_GUESS
    _pause: int = 0
    _pause_after_wrong: int = _SHORTEST_PAUSE

    def guess(self, tokens: Sequence[int], most: int, logprob: float | None = None) -> Sequence[int]:
        """Return what may follow these tokens, at most so many; nothing where there is no good guess.

        `logprob` is the natural logarithm of the probability that the last of them had.
        """
        if self._pause:
            self._pause -= 1
            return ()
        if logprob is not None and logprob < _SURE:
            return ()
        found = continuation(tokens, min(self._length, self.longest, most))
        return found if len(found) >= _SHORTEST_GUESS else ()

    def judge(self, guessed: Sequence[int], right: int) -> None:
        """Learn how many tokens of a guess were right."""
        if right == len(guessed):
            self._length = min(2 * self._length, self.longest)
            self._pause_after_wrong = _SHORTEST_PAUSE
            return
        self._length = max(_SHORTEST_GUESS, right)
        if right >= _SHORTEST_GUESS:
            self._pause = 1  # what was wrong would be guessed again
            return
        self._pause = self._pause_after_wrong
        self._pause_after_wrong = min(2 * self._pause_after_wrong, _LONGEST_PAUSE)


def continuation(tokens: Sequence[int], most: int) -> Sequence[int]:
    """Return what followed the last tokens where they stood before: where most of what precedes is the same."""
    if len(tokens) <= _CONTEXT or most < 1:
        return ()
    best, longest = 0, 0
    for end in _places(tokens):
        same = _same_before(tokens, end)
        if same > longest:
            best, longest = end, same
    return tokens[best : best + most] if longest else ()


def _places(tokens: Sequence[int]) -> list[int]:
    """Return where the last tokens stood before, as the places behind them, the latest first."""
    text = array("q", tokens)
    wanted = text[-_CONTEXT:].tobytes()
    raw, size = text.tobytes(), text.itemsize
    places: list[int] = []
    end = len(raw) - size
    while len(places) < _COMPARED and (at := raw.rfind(wanted, 0, end)) >= 0:
        if at % size == 0:
            places.append(at // size + _CONTEXT)
        end = at + len(wanted) - 1
    return places


def _same_before(tokens: Sequence[int], end: int) -> int:
    """Return how many tokens before a place are the same as at the end."""
    same = 0
    while same < min(end, 64) and tokens[end - 1 - same] == tokens[len(tokens) - 1 - same]:
        same += 1
    return same
