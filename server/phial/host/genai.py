"""Backend: openvino-genai's ContinuousBatchingPipeline."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from time import perf_counter
from typing import Any

import numpy as np
import openvino
import openvino_genai

from phial.errors import EngineError, ModelBroken
from phial.host import ir
from phial.host.backend import Decoding, ModelCard
from phial.host.calibration import CHUNKS, prefill_chunk
from phial.host.genai_generation import GenaiGeneration, Pipeline
from phial.host.genai_tokenizer import GenaiTokenizer
from phial.host.memory import check_memory
from phial.host.native import cause
from phial.host.prefix import PrefixIndex
from phial.host.prompt_lookup import LONGEST_GUESS
from phial.models.memory import CPU_BLOCK_SIZE, plan_cache
from phial.models.store import Model, compiled_folder

_DEFAULT_CONTEXT = 4096
"""Tokens; for a model that does not say how many it takes."""

_PROPERTIES = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "128"}
"""Prefill 62 instead of 44 tokens/s with int4 weights; what else measured best are OpenVINO's defaults."""

_WORTH_COMPILING_ONCE = 1 << 30
"""Bytes of weights from which on what was compiled is kept: at Phi-3-mini's size the second load took 22 to 24 instead
of 29 to 41 s. It takes as much disk as the weights; a small model is compiled as fast as it is read."""

_GPU_BLOCK_SIZE = 16
"""Tokens in a block of the KV cache on a GPU."""

_MANY = 64

Progress = Callable[[str, float], None]


def load(
    model: Model,
    device: str,
    progress: Progress,
    properties: Mapping[str, Any] | None = None,
    *,
    reason: str = "",
    longest_guess: int = LONGEST_GUESS,
) -> GenaiBackend:
    """Load a model, warmed up. Blocks for seconds, mostly without Python's interpreter lock.

    `longest_guess` is in tokens: what may come next by what stands in the text already; 0 for no guesses.

    Calls `progress` with the stage and the fraction done. Raises `ModelError`.
    """
    core = openvino.Core()
    progress("reading the model", 0.05)
    context_length = model.context_length or _DEFAULT_CONTEXT
    block_size = _GPU_BLOCK_SIZE if device.startswith("GPU") else CPU_BLOCK_SIZE
    shape = ir.read_shape(core, model.folder, block_size)
    cache = plan_cache(
        bytes_per_token=shape.cache_per_token, context_length=context_length, block_size=block_size
    )
    if not device.startswith("GPU"):
        check_memory(model=model.title, weights=shape.weights, cache=cache)
    progress("compiling it for the device", 0.2)
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.enable_prefix_caching = True
    # What a step reads is decided here (`genai_generation.py`): the pipeline is to take whatever it is given.
    scheduler.max_num_batched_tokens = context_length + _MANY
    scheduler.num_kv_blocks = cache.blocks
    try:
        pipeline = openvino_genai.ContinuousBatchingPipeline(
            str(model.folder),
            scheduler,
            device,
            {**_PROPERTIES, **_compiled_once(model, shape.weights), **(properties or {})},
        )
    except RuntimeError as error:
        raise ModelBroken(f"OpenVINO cannot load {model.title} on {device}: {cause(error)}.") from error
    tokenizer = GenaiTokenizer(pipeline.get_tokenizer(), ir.special_tokens(core, model.folder))
    card = ModelCard(
        id=model.id,
        max_model_len=context_length,
        device=device,
        backend="openvino-genai",
        starter=model.starter,
        block_size=block_size,
        cache_blocks=cache.blocks,
        prefill_chunk=min(CHUNKS),
        max_requests=_MANY,
        regex=True,
        device_reason=reason,
        fill_in_middle=tokenizer.fill_in_middle(),
        chat=tokenizer.has_template,
    )
    backend = GenaiBackend(pipeline, tokenizer, card, longest_guess)
    progress("warming up", 0.7)
    backend.read(1)
    progress("measuring", 0.9)
    file = compiled_folder(model) / "prefill-chunks.json"
    chunk = prefill_chunk(file, device, backend.read)
    backend.card = replace(card, prefill_chunk=chunk)
    return backend


def _compiled_once(model: Model, weights: int) -> Mapping[str, str]:
    """Return where to keep what was compiled, if that is worth its room and there is room."""
    folder = compiled_folder(model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return {}
    has_room = shutil.disk_usage(folder).free > 2 * weights
    return {"CACHE_DIR": str(folder)} if weights > _WORTH_COMPILING_ONCE and has_room else {}


def stop_tokens(defaults: Any, tokenizer: GenaiTokenizer) -> set[int]:
    """Return the tokens that end an answer: those the model's own settings name, and what ends its turn."""
    named = {defaults.eos_token_id, *defaults.stop_token_ids} - {-1}
    return named | tokenizer.turn_ends()


def generation_config(decoding: Decoding, stop_tokens: set[int], tokenizer: GenaiTokenizer) -> Any:
    """Return what openvino-genai calls a request's settings."""
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens = decoding.max_tokens
    config.eos_token_id = min(stop_tokens)
    config.stop_token_ids = stop_tokens
    config.logprobs = 1
    if decoding.temperature > 0:
        config.do_sample = True
        config.temperature = decoding.temperature
        config.top_p = decoding.top_p
        config.rng_seed = decoding.seed
    if decoding.regex is not None:
        structure = openvino_genai.StructuredOutputConfig()
        structure.regex = tokenizer.pattern(decoding.regex)
        config.structured_output_config = structure
    return config


class GenaiBackend:
    """A loaded ContinuousBatchingPipeline."""

    def __init__(self, pipeline: Any, tokenizer: GenaiTokenizer, card: ModelCard, longest_guess: int) -> None:
        self.tokenizer = tokenizer
        self.card = card
        self._pipeline = pipeline
        self._numbers = count()
        self._stop_tokens = stop_tokens(pipeline.get_config(), tokenizer)
        self._prefixes = PrefixIndex(card.block_size, card.cache_blocks)
        self._generations: list[GenaiGeneration] = []
        self._for_generations = Pipeline(
            self._submit, self._is_free, self._stop_tokens, card.block_size, longest_guess
        )

    def start(self, prompt: Sequence[int], decoding: Decoding) -> GenaiGeneration:
        """Begin a request; the coming steps work on it."""
        held = self._prefixes.cached(prompt)
        generation = GenaiGeneration(self._for_generations, prompt, decoding, held=held)
        self._generations.append(generation)
        return generation

    async def step(self) -> None:
        """Compute one step for all requests under way: a piece of one prompt, a token of each answer.

        Two prompts that go on from the same partly filled block would write into it both.
        """
        in_turn = sorted(self._generations, key=lambda generation: generation.is_writing)
        alone = len(in_turn) == 1
        reading = next((it for it in in_turn if it.advance(self.card.prefill_chunk, alone=alone)), None)
        if self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        for generation in self._generations:
            generation.stepped()
            if generation.ended or generation is reading:
                self._prefixes.remember(generation.computed)
        self._generations = [generation for generation in self._generations if not generation.ended]

    def read(self, tokens: int) -> float:
        """Read a prompt of so many tokens that no one has seen, and return the seconds it took.

        `generate` lets go of Python's interpreter lock, `step` would not.
        """
        draw = random.Random(next(self._numbers))  # noqa: S311 - the cache is to know no beginning of it
        prompt = [draw.randrange(self.tokenizer.size) for _ in range(tokens)]
        began = perf_counter()
        config = generation_config(Decoding(max_tokens=1), self._stop_tokens, self.tokenizer)
        self._pipeline.generate([_tensor(prompt)], [config])
        return perf_counter() - began

    def close(self) -> None:
        """Free the model."""
        self._pipeline = None

    def _submit(self, prompt: Sequence[int], decoding: Decoding, *, echo: bool = False) -> Any:
        config = generation_config(decoding, self._stop_tokens, self.tokenizer)
        config.echo = echo
        try:
            return self._pipeline.add_request(next(self._numbers), _tensor(prompt), config)
        except RuntimeError as error:
            raise EngineError(f"The model does not take this request: {cause(error)}.") from error

    def _is_free(self, decoding: Decoding, generated: Sequence[int]) -> bool:
        if decoding.regex is None:
            return True
        head = decoding.regex.removesuffix(_ANYTHING)
        is_literal = head != decoding.regex and not _SPECIAL.search(head)
        return is_literal and len(self.tokenizer.decode(generated)) > len(head)


_ANYTHING = r"[\s\S]*"
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


def _tensor(tokens: Sequence[int]) -> Any:
    return openvino.Tensor(np.array([tokens], dtype=np.int64))
