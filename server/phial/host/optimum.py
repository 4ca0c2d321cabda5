"""Backend: optimum-intel's OVModelForCausalLM. The reference: what it says, the default backend must say too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from optimum.intel import OVModelForCausalLM
from transformers import (
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.generation.streamers import BaseStreamer

from phial.errors import ModelBroken, UsageError
from phial.host.backend import Decoding, FinishReason, Token
from phial.host.native import cause
from phial.host.serial import Emit, Progress, SerialBackend, serial_card
from phial.host.template import turn_end
from phial.models.store import Model, compiled_folder

_DEFAULT_CONTEXT = 4096
"""Tokens; for a model that does not say how many it takes."""

_PROPERTIES = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
"""One request at a time, as soon as can be."""


def load(
    model: Model,
    device: str,
    progress: Progress,
    properties: Mapping[str, str] | None = None,
    *,
    reason: str = "",
) -> SerialBackend:
    """Load a model. Raises `ModelBroken`."""
    progress("compiling it for the device", 0.2)
    folder = str(model.folder)
    config = {**_PROPERTIES, "CACHE_DIR": str(compiled_folder(model)), **(properties or {})}
    try:
        loaded = OVModelForCausalLM.from_pretrained(
            folder, device=device, ov_config=config, export=False, local_files_only=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelBroken(f"optimum-intel cannot load {model.title} on {device}: {cause(error)}.") from error
    tokenizer = TransformersTokenizer.load(folder)
    generator = OptimumGenerator(loaded, tokenizer.stop_tokens(loaded.generation_config))
    card = serial_card(model, device, "optimum-intel", max_model_len=model.context_length or _DEFAULT_CONTEXT)
    progress("warming up", 0.7)
    generator.generate(tokenizer.encode("Hello"), Decoding(max_tokens=1), lambda _: True)
    return SerialBackend(generator, tokenizer, replace(card, device_reason=reason))


class OptimumGenerator:
    """Generates with one OVModelForCausalLM; it starts each call from an empty cache."""

    def __init__(self, model: Any, stop_tokens: set[int]) -> None:
        self._model = model
        self._stop_tokens = stop_tokens

    def generate(self, prompt: Sequence[int], decoding: Decoding, emit: Emit) -> FinishReason:
        """Generate until the end, or until `emit` wants no more."""
        if decoding.regex is not None:
            raise UsageError("This backend cannot hold an answer to a regular expression.")
        ids = torch.tensor([list(prompt)])
        if decoding.temperature > 0:
            torch.manual_seed(decoding.seed)
            sampling = {
                "do_sample": True,
                "temperature": decoding.temperature,
                "top_p": decoding.top_p,
                "top_k": 0,
            }
        else:
            sampling = {"do_sample": False}
        relay = _Relay(emit, self._stop_tokens)
        self._model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=decoding.max_tokens,
            eos_token_id=sorted(self._stop_tokens),
            pad_token_id=min(self._stop_tokens),
            streamer=relay,
            logits_processor=LogitsProcessorList([relay.logits]),
            stopping_criteria=StoppingCriteriaList([relay.stopping]),
            **sampling,
        )
        return "stop" if relay.ended_itself else "length"

    def interrupt(self) -> None:
        """Cancel the inference that runs, in the middle of a prompt too."""
        self._model.request.cancel()


class _Relay(BaseStreamer):
    """Hands tokens on with their log-probabilities, and stops the call when no more are wanted."""

    def __init__(self, emit: Emit, stop_tokens: set[int]) -> None:
        self.ended_itself = False
        self.logits = _KeepLogits()
        self.stopping = _StopWhen()
        self._emit = emit
        self._stop_tokens = stop_tokens
        self._prompt_seen = False

    def put(self, value: Any) -> None:
        """Take the prompt first, then each token."""
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        for token in value.flatten().tolist():
            if token in self._stop_tokens:
                self.ended_itself = True
            elif not self._emit(Token(token, self.logits.logprob(token))):
                self.stopping.wanted = False

    def end(self) -> None:
        """Do nothing: the call returns."""


class _KeepLogits(LogitsProcessor):
    def __init__(self) -> None:
        self._scores: Any = None

    def __call__(self, _: Any, scores: Any) -> Any:
        self._scores = scores
        return scores

    def logprob(self, token: int) -> float:
        return float(torch.log_softmax(self._scores[0].float(), dim=-1)[token])


class _StopWhen(StoppingCriteria):
    def __init__(self) -> None:
        self.wanted = True

    def __call__(self, input_ids: Any, *_: Any, **__: Any) -> Any:
        return torch.full((input_ids.shape[0],), not self.wanted, device=input_ids.device)


class TransformersTokenizer:
    """A tokenizer as transformers reads it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.size = len(tokenizer)
        self.control_tokens = _control_tokens(tokenizer)

    @classmethod
    def load(cls, folder: str) -> TransformersTokenizer:
        """Load a folder's tokenizer. Raises `ModelBroken`."""
        try:
            return cls(AutoTokenizer.from_pretrained(folder, local_files_only=True))
        except (OSError, ValueError) as error:
            raise ModelBroken(f"transformers cannot load the tokenizer in {folder}: {error}") from error

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Encode text, control tokens included."""
        return list(self._tokenizer(text, add_special_tokens=special).input_ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """Decode tokens, leaving control tokens out."""
        return str(
            self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool) -> str:
        """Render a conversation with the model's template."""
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    list(messages), tokenize=False, add_generation_prompt=add_generation_prompt
                )
            )
        except Exception as error:  # jinja2's, and whatever a template raises
            raise UsageError(f"The model's chat template refuses these messages: {error}.") from error

    def stop_tokens(self, defaults: Any) -> set[int]:
        """Return the tokens that end an answer: those the model's own settings name, and what ends its turn."""
        named = defaults.eos_token_id
        stops = {named} if isinstance(named, int) else set(named or ())
        end = turn_end(self)
        return stops | ({int(self._tokenizer.convert_tokens_to_ids(end))} if end else set())


def _control_tokens(tokenizer: Any) -> re.Pattern[str]:
    tokens = sorted(
        tokenizer.added_tokens_decoder.values(), key=lambda token: len(token.content), reverse=True
    )
    patterns = [re.escape(token.content) + (r"\s*" if token.rstrip else "") for token in tokens]
    return re.compile("|".join(patterns) or r"(?!)")
