"""What the host asks of a library that runs models, and what it tells about one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

FinishReason = Literal["stop", "length"]


class Backend(Protocol):
    """A loaded model that generates for several requests at once, one step at a time."""

    @property
    def card(self) -> ModelCard:
        """What the model is."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        ...

    def start(self, prompt: Sequence[int], decoding: Decoding) -> Generation:
        """Begin a request; the coming steps work on it. One for no tokens only has its prompt read."""
        ...

    async def step(self) -> None:
        """Compute one step for all requests under way: a chunk of a prefill, a token of each decode."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


class Generation(Protocol):
    """One request under way in a backend."""

    @property
    def prefilled(self) -> int:
        """How many tokens of its prompt are done with: found in the cache at the start, or computed since."""
        ...

    def read(self) -> list[Token]:
        """Return the tokens generated since the last read."""
        ...

    def finish_reason(self) -> FinishReason | None:
        """Return why it has ended, or None while it goes on. Raises `EngineError` if it was dropped."""
        ...

    def cancel(self) -> None:
        """Stop it; the next step no longer works on it."""
        ...


class Tokenizer(Protocol):
    """Text to token ids and back, and the model's own chat template."""

    control_tokens: re.Pattern[str]
    """Matches whatever `encode` would turn into a control token."""

    size: int
    """How many tokens the vocabulary has."""

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Encode text, control tokens included; `special` adds those the model wants at the start."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """Decode tokens, leaving control tokens out; incomplete UTF-8 becomes U+FFFD."""
        ...

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool) -> str:
        """Render a conversation with the model's template. Raises `UsageError` where it refuses."""
        ...


@dataclass(frozen=True)
class Token:
    """A generated token with its natural-log probability."""

    id: int
    logprob: float | None
    """None where the backend does not tell."""


@dataclass(frozen=True)
class Decoding:
    """How to choose tokens; temperature 0 is greedy."""

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    regex: str | None = None


@dataclass(frozen=True)
class FillInMiddle:
    """The control tokens of a model trained to fill a gap, as text."""

    prefix: str
    suffix: str
    middle: str


@dataclass(frozen=True)
class ModelCard:
    """What a loaded model is. Lengths and sizes in tokens."""

    id: str
    max_model_len: int
    device: str
    backend: str
    starter: bool
    block_size: int
    """Tokens in one block of the prefix cache."""
    cache_blocks: int
    """How many there are; 0 where nothing is kept from one request to the next."""
    prefill_chunk: int
    """Tokens of prompt that one step computes at most."""
    max_prompt_len: int | None = None
    """The longest prompt, where that is not all of the context but one token."""
    max_requests: int = 64
    """How many it generates for at once."""
    regex: bool = True
    """Whether it can hold an answer to a regular expression."""
    device_reason: str = ""
    """Why this device, for the user."""
    fill_in_middle: FillInMiddle | None = None
    chat: bool = True
    """Whether it has a template for conversations."""
