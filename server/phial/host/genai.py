"""Backend: openvino-genai's ContinuousBatchingPipeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai
import openvino_tokenizers  # noqa: F401 - teaches openvino to read tokenizer models

from phial.errors import DeviceError, EngineError, ModelBroken, UsageError
from phial.host.backend import Decoding, FillInMiddle, FinishReason, ModelCard, Token
from phial.host.memory import check_memory, plan_cache
from phial.host.template import turn_end
from phial.models.store import Model

_DEFAULT_CONTEXT = 4096
"""Tokens; for a model that does not say how many it takes."""

_PREFILL_CHUNK = 64
"""Tokens of prompt in one step. Larger ones gain little (62 and 67 tokens/s at 128 and 512, Phi-3-mini's size
on two cores) and make a step, so a cancel or a new request, wait longer (2.1 and 7.6 s; 1 s at 64)."""

_PROPERTIES = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "128"}
"""Prefill 62 instead of 44 tokens/s with int4 weights; what else measured best are OpenVINO's defaults."""

_FILL_IN_MIDDLE = (
    FillInMiddle("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    FillInMiddle("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
)

Progress = Callable[[str, float], None]


def load(model: Model, device: str, progress: Progress) -> GenaiBackend:
    """Load a model, warmed up. Blocks for seconds, mostly without Python's interpreter lock.

    Calls `progress` with the stage and the fraction done. Raises `ModelError` and `DeviceError`.
    """
    core = openvino.Core()
    device = _chosen_device(core, device)
    progress("reading the model", 0.05)
    context_length = model.context_length or _DEFAULT_CONTEXT
    block_size = 16 if device.startswith("GPU") else 32
    cache = plan_cache(
        bytes_per_token=_cache_bytes_per_token(core, model.folder, block_size),
        context_length=context_length,
        block_size=block_size,
    )
    check_memory(model=model.title, weights=_weights_bytes(model.folder), cache=cache)
    progress("compiling it for the device", 0.2)
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.enable_prefix_caching = True
    scheduler.max_num_batched_tokens = _PREFILL_CHUNK
    scheduler.num_kv_blocks = cache.blocks
    try:
        pipeline = openvino_genai.ContinuousBatchingPipeline(
            str(model.folder), scheduler, device, _PROPERTIES
        )
    except RuntimeError as error:
        raise ModelBroken(f"OpenVINO cannot load {model.title} on {device}: {_reason(error)}.") from error
    tokenizer = GenaiTokenizer(pipeline.get_tokenizer(), _special_tokens(core, model.folder))
    card = ModelCard(
        id=model.id,
        max_model_len=context_length,
        device=device,
        backend="openvino-genai",
        starter=model.starter,
        block_size=block_size,
        cache_blocks=cache.blocks,
        prefill_chunk=_PREFILL_CHUNK,
        fill_in_middle=tokenizer.fill_in_middle(),
    )
    backend = GenaiBackend(pipeline, tokenizer, card)
    progress("warming up", 0.7)
    backend.warm_up()
    return backend


class GenaiBackend:
    """A loaded ContinuousBatchingPipeline."""

    def __init__(self, pipeline: Any, tokenizer: GenaiTokenizer, card: ModelCard) -> None:
        self.tokenizer = tokenizer
        self.card = card
        self._pipeline = pipeline
        self._numbers = count()
        defaults = pipeline.get_config()
        self._stop_tokens = set(defaults.stop_token_ids) | tokenizer.turn_ends()
        self._end_token = defaults.eos_token_id

    def start(self, prompt: Sequence[int], decoding: Decoding) -> GenaiGeneration:
        """Begin a request; the coming steps work on it."""
        try:
            handle = self._pipeline.add_request(next(self._numbers), _tensor(prompt), self._config(decoding))
        except RuntimeError as error:
            raise EngineError(f"The model does not take this request: {_reason(error)}.") from error
        return GenaiGeneration(handle, self._stop_tokens)

    async def step(self) -> None:
        """Compute one step for all requests under way."""
        if self._pipeline.has_non_finished_requests():
            self._pipeline.step()

    def warm_up(self) -> None:
        """Run one token, so that the first request does not pay for what the first inference costs.

        `generate` lets go of Python's interpreter lock, `step` would not.
        """
        self._pipeline.generate(
            [_tensor(self.tokenizer.encode("Hello"))], [self._config(Decoding(max_tokens=1))]
        )

    def close(self) -> None:
        """Free the model."""
        self._pipeline = None

    def _config(self, decoding: Decoding) -> Any:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = decoding.max_tokens
        config.eos_token_id = self._end_token
        config.stop_token_ids = self._stop_tokens
        config.logprobs = 1
        if decoding.temperature > 0:
            config.do_sample = True
            config.temperature = decoding.temperature
            config.top_p = decoding.top_p
            config.rng_seed = decoding.seed
        if decoding.regex is not None:
            structure = openvino_genai.StructuredOutputConfig()
            structure.regex = decoding.regex
            config.structured_output_config = structure
        return config


class GenaiGeneration:
    """One request in the pipeline."""

    def __init__(self, handle: Any, stop_tokens: set[int]) -> None:
        self._handle = handle
        self._stop_tokens = stop_tokens
        self._finish_reason: FinishReason = "stop"

    def read(self) -> list[Token]:
        """Return the tokens generated since the last read, without the one that ended the turn."""
        tokens: list[Token] = []
        while self._handle.can_read():
            for output in self._handle.read().values():
                tokens += map(Token, output.generated_ids, output.generated_log_probs)
                if output.finish_reason == openvino_genai.GenerationFinishReason.LENGTH:
                    self._finish_reason = "length"
        return [token for token in tokens if token.id not in self._stop_tokens]

    def finish_reason(self) -> FinishReason | None:
        """Return why it has ended, or None while it goes on.

        Raises `EngineError` if the pipeline dropped it: it does so, without a word, when its cache is full.
        """
        status = self._handle.get_status()
        if status == openvino_genai.GenerationStatus.IGNORED:
            raise EngineError("The model's cache is full.")
        return self._finish_reason if status == openvino_genai.GenerationStatus.FINISHED else None

    def cancel(self) -> None:
        """Stop it; the next step frees what it held."""
        self._handle.cancel()


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

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool) -> str:
        """Render a conversation with the model's template."""
        try:
            return str(self._tokenizer.apply_chat_template(list(messages), add_generation_prompt))
        except RuntimeError as error:
            raise UsageError(
                f"The model's chat template refuses these messages: {_reason(error)}."
            ) from error

    def _length(self, text: str) -> int:
        return int(self._tokenizer.encode(text, add_special_tokens=False).input_ids.shape[1])

    def turn_ends(self) -> set[int]:
        """Return the id of the control token that ends an assistant's turn."""
        end = turn_end(self)
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


_LONG_TEXT = "x " * 150_000
"""More tokens than any context that runs on a laptop: how many come back is where a tokenizer cuts off."""

_LOOKS_SPECIAL = re.compile(r"<\|[^|\s]+\|>|</?s>|\[/?INST\]").fullmatch


def _chosen_device(core: Any, wanted: str) -> str:
    available: list[str] = core.available_devices
    if wanted == "AUTO":
        return "GPU" if any(name.startswith("GPU") for name in available) else "CPU"
    if wanted in available or any(name.startswith(f"{wanted}.") for name in available):
        return wanted
    raise DeviceError(f"There is no device {wanted!r} here; OpenVINO sees {', '.join(available) or 'none'}.")


def _cache_bytes_per_token(core: Any, folder: Path, block_size: int) -> int:
    """Return the bytes of KV cache that a token takes, from the shapes of the model's state.

    Keys and values are stored in 8 bits; a value row adds 8 bytes of scale and zero point, a key channel
    8 bytes per block (openvino's paged attention, u8).
    """
    try:
        model = core.read_model(folder / "openvino_model.xml")
    except RuntimeError as error:
        raise ModelBroken(
            f"OpenVINO cannot read {folder / 'openvino_model.xml'}: {_reason(error)}."
        ) from error
    total = 0.0
    for node in model.get_ops():
        if node.get_type_name() != "ReadValue":
            continue
        shape = node.get_output_partial_shape(0)
        if (
            shape.rank.is_static
            and shape.rank.get_length() == 4
            and shape[1].is_static
            and shape[3].is_static
        ):
            heads, size = shape[1].get_length(), shape[3].get_length()
            total += heads * (size + (8 + size * 8 / block_size) / 2)
    if not total:
        raise ModelBroken(f"{folder} holds no text generation model with a KV cache.")
    return round(total)


def _weights_bytes(folder: Path) -> int:
    return (folder / "openvino_model.bin").stat().st_size


def _special_tokens(core: Any, folder: Path) -> re.Pattern[str] | None:
    """Return what the tokenizer itself splits off as control tokens, as its model says."""
    for node in core.read_model(folder / "openvino_tokenizer.xml").get_ops():
        if node.get_type_name() == "SpecialTokensSplit":
            constants = [source.get_source_output().get_node() for source in node.inputs()]
            for constant in constants:
                if constant.get_type_name() == "Constant":
                    return re.compile(constant.get_data().tobytes().decode())
    return None


def _pattern(tokens: Any) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))) or r"(?!)")


def _tensor(tokens: Sequence[int]) -> Any:
    return openvino.Tensor(np.array([tokens], dtype=np.int64))


def _reason(error: RuntimeError) -> str:
    """Return the last line of a native error: the ones before tell source files."""
    lines = [line.strip(" .") for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
