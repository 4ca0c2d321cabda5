"""What a model writes at one place, as it comes: the raw text, from which what is shown is cut anew each time."""

from __future__ import annotations

from typing import Literal

from phial.assist.excerpt import Excerpt
from phial.engine.base import Chunk

End = Literal["stop", "length", "left"]
"""How a draft ended: by the model itself, cut off in the middle, or left because no more was wanted."""


class Draft:
    """A text that a model writes behind `prefix`, with the natural-log probabilities of its tokens.

    It is to begin with `fragment`, the word that was being typed. It only ever grows, until it has an `end`.
    `seed`: that of a text that was drawn, where several were written at one place.
    `goes_beyond`: it was written on through the next line where its own was complete.
    """

    def __init__(self, prefix: str, fragment: str, seed: int | None = None) -> None:
        self.prefix = prefix
        self.fragment = fragment
        self.seed = seed
        self.text = ""
        self.tokens = 0
        self.end: End | None = None
        self.goes_beyond = False
        self._pieces: list[tuple[int, tuple[float, ...]]] = []  # where each ends in the text

    @property
    def size(self) -> int:
        """How many characters it holds in memory."""
        return len(self.prefix) + len(self.text)

    def take(self, chunk: Chunk) -> None:
        """Take what the model writes next."""
        self.text += chunk.text
        self.tokens += max(len(chunk.logprobs), chunk.text != "")
        self._pieces.append((len(self.text), chunk.logprobs))
        self.end = chunk.finish_reason or self.end

    def typed_at(self, excerpt: Excerpt) -> str | None:
        """Return what stands between the draft's prefix and a cursor, or None where it is not about that cursor.

        What was typed may have outrun what is written, as long as there is no end; it is at least `fragment`: a
        text that was held to a word says nothing to somebody who has taken that word back.
        """
        if not excerpt.prefix.startswith(self.prefix):
            return None
        typed = excerpt.prefix[len(self.prefix) :]
        if not typed.startswith(self.fragment):
            return None
        agrees = self.text.startswith(typed) or (self.end is None and typed.startswith(self.text))
        return typed if agrees else None

    def logprobs_between(self, start: int, end: int) -> tuple[float, ...]:
        """Return the log-probabilities of the tokens of a part of the text, and of the one behind it: of its end.

        Tokens that end before `start` are left out: they go through what was typed, and had no choice.
        """
        found: list[float] = []
        begin = 0
        for piece_end, logprobs in self._pieces:
            if begin <= end and piece_end > start:
                found += logprobs
            begin = piece_end
        return tuple(found)
