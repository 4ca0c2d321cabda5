"""The requests of the OpenAI HTTP API that the host understands, checked field by field.

https://platform.openai.com/docs/api-reference; `continue_final_message`, `add_generation_prompt`,
`structured_outputs` and `priority` are vLLM's. Fields that are not here are ignored, as OpenAI does.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from phial.host.backend import Decoding

_REGEX_PARTS = re.compile(
    r"""(?!\|)                        # only the last alternative of a group may be empty
        (?: \\[dDwWsSnrtfv]            # classes and blanks
          | \\[^\w\s]                  # escaped punctuation
          | \\x[0-9a-fA-F]{2} (?![0-9a-fA-F]) | \\u[0-9a-fA-F]{4}
          | \[(?!\^?\])\^?(?:[^\]\\]|\\.)+\]    # character class
          | \((?:\?:|(?!\?))(?!\|) | \) | \|(?!\||\Z)    # groups and alternatives
          | (?:[*+?]|\{\d+(?:,\d*)?\}) (?![*+{])
          | [^\\\[(){}*+?|^$]          # any other character stands for itself
        )*""",
    re.VERBOSE | re.DOTALL,
)


def _understood(pattern: str) -> str:
    """Check a regular expression before the engine sees it: one it cannot read would break it for good."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if not _REGEX_PARTS.fullmatch(pattern):
        raise ValueError(
            "may have classes, groups, alternatives and repetitions, but no look-around, anchor, reference"
            " or empty alternative"
        )
    return pattern


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=False)


class TextPart(_Lenient):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class ChatMessage(_Lenient):
    """One message; `developer` is OpenAI's newer name for `system`."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    def plain(self) -> dict[str, str]:
        """Return it as a chat template takes it."""
        content = (
            self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        )
        return {"role": "system" if self.role == "developer" else self.role, "content": content}


class StructuredOutputs(_Lenient):
    """What the output must look like."""

    regex: Annotated[str, AfterValidator(_understood)] | None = None


class StreamOptions(_Lenient):
    """What a stream tells besides text."""

    include_usage: bool = False


class Generate(_Lenient):
    """What both kinds of request share."""

    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions = Field(default_factory=StreamOptions)
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    stop: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list, max_length=16)
    seed: int | None = None
    n: Annotated[int, Field(ge=1, le=8)] = 1
    priority: int = 0
    structured_outputs: StructuredOutputs = Field(default_factory=StructuredOutputs)

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value or []

    @field_validator(
        "stream", "stream_options", "structured_outputs", "temperature", "top_p", "n", mode="before"
    )
    @classmethod
    def _default_for_null(cls, value: Any, info: Any) -> Any:
        return (
            cls.model_fields[info.field_name].get_default(call_default_factory=True)
            if value is None
            else value
        )

    def decoding(self, number: int, default_max_tokens: int) -> Decoding:
        """Return how to choose the tokens of the choice with this number."""
        return Decoding(
            max_tokens=default_max_tokens if self.max_tokens is None else self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=((self.seed or 0) + number) % 2**32,
            regex=self.structured_outputs.regex,
        )


class ChatCompletions(Generate):
    """`POST /v1/chat/completions`."""

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = False
    add_generation_prompt: bool | None = None
    continue_final_message: bool = False

    def opens_turn(self) -> bool:
        """Whether the prompt ends by opening the assistant's turn."""
        asked = self.add_generation_prompt
        return not self.continue_final_message if asked is None else asked


class Completions(Generate):
    """`POST /v1/completions`; with `suffix` the gap between the two is filled."""

    prompt: str | list[Annotated[int, Field(ge=0)]]
    suffix: str | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None


class Tokenize(_Lenient):
    """`POST /tokenize`, as vLLM has it: a prompt or messages."""

    prompt: str | None = None
    messages: list[ChatMessage] | None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False
