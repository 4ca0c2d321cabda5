"""The tokenizer that comes with an OpenVINO model, as openvino-genai runs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from phial.errors import UsageError
from phial.host import pieces
from phial.host.backend import FillInMiddle
from phial.host.native import cause
from phial.host.template import turn_end


class GenaiTokenizer:
    """The tokenizer that comes with the model."""

    def __init__(self, tokenizer: Any, control_tokens: re.Pattern[str] | None) -> None:
        self._tokenizer = tokenizer
        self._vocabulary: dict[str, int] = {
            key.decode(errors="replace"): number for key, number in tokenizer.get_vocab().items()
        }
        self.size = len(self._vocabulary)
        self._longest = self._length(_LONG_TEXT)
        self.control_tokens = control_tokens or _pattern(
            key for key in self._vocabulary if _LOOKS_SPECIAL(key)
        )

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Encode text, control tokens included."""
        if not text:
            return []
        tokens = [
            int(token) for token in self._tokenizer.encode(text, add_special_tokens=special).input_ids.data[0]
        ]
        if len(tokens) < self._longest:
            return tokens
        # The tokenizer drops what is longer, without a word: in parts, nothing is lost.
        middle = text.rfind("\n", 1, len(text) // 2 + 1)
        middle = middle if middle > 0 else len(text) // 2
        return self.encode(text[:middle], special=special) + self.encode(text[middle:])

    def decode(self, tokens: Sequence[int]) -> str:
        """Decode tokens, leaving control tokens out."""
        return str(self._tokenizer.decode(list(tokens))) if tokens else ""

    @property
    def has_template(self) -> bool:
        """Whether the model comes with a template for conversations."""
        return bool(self._tokenizer.chat_template)

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool) -> str:
        """Render a conversation with the model's template."""
        try:
            return str(self._tokenizer.apply_chat_template(list(messages), add_generation_prompt))
        except RuntimeError as error:
            raise UsageError(f"The model's chat template refuses these messages: {cause(error)}.") from error

    def pattern(self, regex: str) -> str:
        """Return a regular expression as the engine must have it for this vocabulary."""
        known = self._vocabulary
        return pieces.over_pieces(regex, known) if pieces.is_sentence_piece(known) else regex

    def _length(self, text: str) -> int:
        return int(self._tokenizer.encode(text, add_special_tokens=False).input_ids.shape[1])

    def turn_ends(self) -> set[int]:
        """Return the id of the control token that ends an assistant's turn; none where no template has turns."""
        end = turn_end(self) if self.has_template else None
        return {self._vocabulary[end]} if end in self._vocabulary else set()

    def fill_in_middle(self) -> FillInMiddle | None:
        """Return the control tokens for filling a gap, where the model has them."""
        known = self._vocabulary
        return next(
            (
                it
                for it in _FILL_IN_MIDDLE
                if it.prefix in known and it.suffix in known and it.middle in known
            ),
            None,
        )


_FILL_IN_MIDDLE = (
    FillInMiddle("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    FillInMiddle("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
)

_LONG_TEXT = "x " * 150_000
"""More tokens than any context that runs on a laptop: how many come back is where a tokenizer cuts off."""

_LOOKS_SPECIAL = re.compile(r"<\|[^|\s]+\|>|</?s>|\[/?INST\]").fullmatch


def _pattern(tokens: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))) or r"(?!)")
