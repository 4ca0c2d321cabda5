"""Backend for NPUs: openvino-genai's LLMPipeline, whose compiled shapes they need.

It answers one request at a time, keeps no prefixes, tells no log-probabilities, and a prompt that it reads cannot be
interrupted. A prompt longer than what it was compiled for gives garbage without an error (openvino.genai issue 3255),
so the model card's limit is that length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import openvino
import openvino_genai

from phial.errors import ModelBroken
from phial.host import ir
from phial.host.backend import Decoding, FinishReason, Token
from phial.host.genai import generation_config, stop_tokens
from phial.host.genai_tokenizer import GenaiTokenizer
from phial.host.native import cause
from phial.host.serial import Emit, Progress, SerialBackend, serial_card
from phial.models.store import Model

_PROMPT = 2048
_ANSWER = 512
"""Tokens that an NPU's model is compiled for; longer ones take it minutes to compile, and more memory."""


def load(model: Model, device: str, progress: Progress, *, reason: str = "") -> SerialBackend:
    """Load a model, compiled for prompts of a fixed length on an NPU. Raises `ModelBroken`."""
    progress("compiling it for the device", 0.2)
    limits = {"MAX_PROMPT_LEN": _PROMPT, "MIN_RESPONSE_LEN": _ANSWER} if device.startswith("NPU") else {}
    try:
        pipeline = openvino_genai.LLMPipeline(str(model.folder), device, **limits)
    except RuntimeError as error:
        raise ModelBroken(f"OpenVINO cannot load {model.title} on {device}: {cause(error)}.") from error
    tokenizer = GenaiTokenizer(pipeline.get_tokenizer(), ir.special_tokens(openvino.Core(), model.folder))
    card = replace(
        serial_card(model, device, "openvino-genai-llm", max_model_len=_PROMPT + _ANSWER),
        max_prompt_len=_PROMPT,
        regex=True,
        device_reason=reason,
    )
    generator = LLMGenerator(pipeline, tokenizer)
    progress("warming up", 0.7)
    generator.generate(tokenizer.encode("Hello"), Decoding(max_tokens=1), lambda _: True)
    return SerialBackend(generator, tokenizer, card)


class LLMGenerator:
    """Generates with one LLMPipeline."""

    def __init__(self, pipeline: Any, tokenizer: GenaiTokenizer) -> None:
        self._pipeline = pipeline
        self._tokenizer = tokenizer
        self._stop_tokens = stop_tokens(pipeline.get_generation_config(), tokenizer)

    def generate(self, prompt: Sequence[int], decoding: Decoding, emit: Emit) -> FinishReason:
        """Generate until the end, or until `emit` wants no more."""
        ids = np.array([prompt], dtype=np.int64)
        inputs = openvino_genai.TokenizedInputs(openvino.Tensor(ids), openvino.Tensor(np.ones_like(ids)))
        relay = _Relay(emit, self._stop_tokens)
        config = generation_config(decoding, self._stop_tokens, self._tokenizer)
        result = self._pipeline.generate(inputs, config, relay)
        return "length" if openvino_genai.GenerationFinishReason.LENGTH in result.finish_reasons else "stop"

    def interrupt(self) -> None:
        """Do nothing: the next token is asked whether more are wanted."""


class _Relay(openvino_genai.StreamerBase):
    def __init__(self, emit: Emit, stop_tokens: set[int]) -> None:
        super().__init__()
        self._emit = emit
        self._stop_tokens = stop_tokens

    def write(self, tokens: int | list[int]) -> Any:
        """Hand tokens on; say whether to go on."""
        wanted = True
        for token in [tokens] if isinstance(tokens, int) else tokens:
            if token not in self._stop_tokens:
                wanted = self._emit(Token(token, None))
        return openvino_genai.StreamingStatus.RUNNING if wanted else openvino_genai.StreamingStatus.CANCEL

    def end(self) -> None:
        """Do nothing: the call returns."""
