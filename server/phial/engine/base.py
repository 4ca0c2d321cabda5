"""What the rest of Phial knows about a model: an `Engine` takes a `Request` and streams `Chunk`s."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]
State = Literal["starting", "loading", "ready", "failed", "off"]

COMPLETION_PRIORITY = 0
CHAT_PRIORITY = 10
AHEAD_PRIORITY = 20
"""Of what follows a completion that is being shown, computed before it has been taken."""
PREFILL_PRIORITY = 30
"""Of a prompt that is only read, before anybody has asked."""


class Engine(Protocol):
    """The one way to a model."""

    @property
    def status(self) -> Status:
        """How the engine is now."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What it can do beside answering."""
        ...

    def stream(self, request: Request | Infill) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        """Stream the answer to a request; leaving the context stops the generation.

        Waits while the model loads. Raises `PhialError`.
        """
        ...


@dataclass(frozen=True)
class Message:
    """One turn of a conversation. Its content is text: no control token in it has any power."""

    role: Role
    content: str


@dataclass(frozen=True)
class Sampling:
    """How to choose tokens. Temperature 0 is greedy; `regex` is what the whole output must match.

    `max_tokens` 0 has a prompt read and nothing written, where the engine can do that.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    regex: str | None = None


@dataclass(frozen=True)
class Request:
    """A conversation to answer. With `continues`, the last message is the beginning of the answer.

    A lower `priority` goes first.
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    continues: bool = False
    priority: int = CHAT_PRIORITY


@dataclass(frozen=True)
class Infill:
    """A gap in a text to fill, for a model that has the tokens for it. A lower `priority` goes first."""

    prefix: str
    suffix: str
    sampling: Sampling
    priority: int = COMPLETION_PRIORITY


@dataclass(frozen=True)
class Abilities:
    """What an engine can do: hold an answer to a regular expression, fill a gap in a text, go on with a chat.

    `ahead`: it is this machine's own, so that work which nobody has asked for yet costs nobody anything.
    """

    regex: bool = False
    fill_in_middle: bool = False
    chat: bool = True
    ahead: bool = False


@dataclass(frozen=True)
class Usage:
    """Token counts; `cached_tokens` is how many of the prompt's tokens needed no computing."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer: text with the natural-log probability of each of its tokens.

    The last chunk carries the finish reason and, where the engine counts, the usage.
    """

    text: str = ""
    logprobs: tuple[float, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


@dataclass(frozen=True)
class Status:
    """How an engine is: `message` is for the user; `fraction` of the load is from 0 to 1.

    `context_length` is in tokens; `code` is that of the error, where it failed.
    """

    state: State
    message: str
    fraction: float | None = None
    model: str | None = None
    device: str | None = None
    starter: bool = False
    device_reason: str = ""
    tokens_per_second: float | None = None
    context_length: int | None = None
    code: str | None = None
