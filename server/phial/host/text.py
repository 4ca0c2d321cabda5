"""From token ids to text, as they come: whole characters only, and nothing from a stop string on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from phial.host.backend import Tokenizer

_CONTEXT = 6
"""How many tokens of what came before are decoded along: a SentencePiece token's blank depends on them."""

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Turns tokens into text piece by piece; the pieces joined are the text of all tokens together."""

    def __init__(self, tokenizer: Tokenizer, prompt: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._window = list(prompt[-_CONTEXT:])
        self._shown = tokenizer.decode(self._window)

    def push(self, token: int) -> str:
        """Return the text that a token adds: nothing while a character is incomplete."""
        self._window.append(token)
        text = self._tokenizer.decode(self._window)
        if text.endswith(_INCOMPLETE) or len(text) <= len(self._shown):
            return ""
        return self._advance(text)

    def flush(self) -> str:
        """Return what is still held back, incomplete as it is."""
        return self._advance(self._tokenizer.decode(self._window))

    def _advance(self, text: str) -> str:
        piece = text[len(self._shown) :]
        self._window = self._window[-_CONTEXT:]
        self._shown = self._tokenizer.decode(self._window)
        return piece


@dataclass
class StopStrings:
    """Ends a text before the stop string that is complete first; holds back what might become one.

    So it does not matter how the text is cut into pieces.
    """

    stops: Sequence[str]
    stopped: bool = field(default=False, init=False)
    _held: str = field(default="", init=False)

    def push(self, piece: str) -> str:
        """Return what can be shown now."""
        text = self._held + piece
        found = [(at + len(stop), at) for stop in self.stops if (at := text.find(stop)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)[1]]
        keep = max((_overlap(text, stop) for stop in self.stops), default=0)
        shown, self._held = text[: len(text) - keep], text[len(text) - keep :]
        return shown

    def flush(self) -> str:
        """Return what was held back for a stop string that never came."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of `text` that is a true beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
