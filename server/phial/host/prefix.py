"""Which part of a prompt the engine's prefix cache already holds.

The engine does not tell, so its rule is followed here (openvino.genai `block_manager.hpp`,
`get_full_prefix_restore_plan`): whole blocks by the hash of everything up to their end, then at most
one block that was left partly filled; the least recently used go first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence


class PrefixIndex:
    """The blocks in the engine's cache, each known by the hash of all tokens up to its last."""

    def __init__(self, block_size: int, blocks: int) -> None:
        self._block_size = block_size
        self._blocks = blocks
        self._known: OrderedDict[int, None] = OrderedDict()

    def cached(self, prompt: Sequence[int]) -> int:
        """Return how many tokens of a prompt need no computing: never all, the last one is always run."""
        held = before = 0
        for length, key in self._keys(prompt):
            if key not in self._known:
                held = self._partly_filled(prompt, held, before)
                break
            self._known.move_to_end(key)
            held, before = length, key
        return min(held, len(prompt) - 1)

    def remember(self, tokens: Sequence[int]) -> None:
        """Note that the engine has computed these tokens."""
        for _, key in self._keys(tokens):
            self._known[key] = None
            self._known.move_to_end(key)
        while len(self._known) > self._blocks:
            self._known.popitem(last=False)

    def _partly_filled(self, prompt: Sequence[int], start: int, before: int) -> int:
        """Return the end of a partly filled block after `start`: the shortest, as the engine looks it up."""
        for end in range(start + 1, min(start + self._block_size, len(prompt))):
            if _key(before, prompt[start:end]) in self._known:
                return end
        return start

    def _keys(self, tokens: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield the length and the key of each prefix that ends with a block, and of the whole."""
        key = 0
        for start in range(0, len(tokens), self._block_size):
            block = tokens[start : start + self._block_size]
            key = _key(key, block)
            yield start + len(block), key


def _key(before: int, block: Sequence[int]) -> int:
    return hash((before, *block))
