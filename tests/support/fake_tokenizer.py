"""A tokenizer without a vocabulary: a token is a byte or one of a few control tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

CONTROL_TOKENS = (
    *("<|begin|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    *("<|prefix|>", "<|suffix|>", "<|middle|>"),
)


class FakeTokenizer:
    """Bytes, and a template like Phi-3's. With `blank` it begins every text with one, as SentencePiece does."""

    size = 256 + len(CONTROL_TOKENS)

    def __init__(self, *, blank: bool = False) -> None:
        self.control_tokens = re.compile("|".join(map(re.escape, CONTROL_TOKENS)))
        self._blank = blank

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        ids = [256] if special else []
        if self._blank and text and not self.control_tokens.match(text):
            text = f" {text}"
        for part in re.split(f"({self.control_tokens.pattern})", text):
            ids += [256 + CONTROL_TOKENS.index(part)] if part in CONTROL_TOKENS else part.encode()
        return ids

    def decode(self, tokens: Sequence[int]) -> str:
        return bytes(token for token in tokens if token < 256).decode(errors="replace")

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool) -> str:
        turns = [f"<|{message['role']}|>\n{message['content']}<|end|>\n" for message in messages]
        return "".join([*turns, "<|assistant|>\n"] if add_generation_prompt else turns)

    def show(self, tokens: Sequence[int]) -> str:
        """Decode tokens with the control tokens left in."""
        parts = (bytes([token]) if token < 256 else CONTROL_TOKENS[token - 256].encode() for token in tokens)
        return b"".join(parts).decode(errors="replace")
