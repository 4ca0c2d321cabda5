"""Do the work by llama.cpp: `python -m phial.bench.rivals.llama_cpp_worker FILE SEED THREADS`; prints a pace as JSON.

Speaks to its C API by way of llama-cpp-python: the model has no tokenizer, which the rest of that wants.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import llama_cpp
import numpy as np

from phial.bench import processes
from phial.bench.rivals.work import ANSWER, ENDING, PROMPT, Pace, prompts

_CONTEXT = 2048
_WARM_UP = 8


def main(arguments: list[str]) -> int:
    """Load a model, do the work, and tell how fast."""
    file, seed, threads = arguments[0], int(arguments[1]), int(arguments[2])
    llama_cpp.llama_backend_init()
    model = _Model(file, threads)
    model.read(list(range(1, _WARM_UP)), 0)
    model.forget(0)
    print(json.dumps(asdict(_worked(model, seed))))  # noqa: T201 - for whoever started this
    return 0


class _Model:
    """A model with one sequence in its cache."""

    def __init__(self, file: str, threads: int) -> None:
        self._model = llama_cpp.llama_model_load_from_file(
            file.encode(), llama_cpp.llama_model_default_params()
        )
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = _CONTEXT
        params.n_threads = params.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model))

    def read(self, tokens: Sequence[int], chunk: int) -> int:
        """Compute tokens after those that are there, and return the likeliest next."""
        size = chunk or len(tokens)
        for start in range(0, len(tokens), size):
            part = tokens[start : start + size]
            array = (llama_cpp.llama_token * len(part))(*part)
            status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(part)))
            if status != 0:
                raise SystemExit(f"llama_decode returned {status}")
        logits = ctypes.cast(
            llama_cpp.llama_get_logits_ith(self._context, -1), ctypes.POINTER(ctypes.c_float)
        )
        return int(np.argmax(np.ctypeslib.as_array(logits, shape=(self._size,))))

    def forget(self, start: int) -> None:
        """Drop all tokens from a place on."""
        llama_cpp.llama_memory_seq_rm(self._memory, 0, start, -1)


def _worked(model: _Model, seed: int) -> Pace:
    first, second = prompts(seed)
    began = time.perf_counter()
    model.read(first, 512)
    prefill = time.perf_counter() - began
    model.forget(PROMPT - ENDING)
    began = time.perf_counter()
    token = model.read(second[-ENDING:], 0)
    first_token = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(ANSWER - 1):
        token = model.read([token], 0)
    decode = (ANSWER - 1) / (time.perf_counter() - began)
    return Pace(PROMPT / prefill, first_token, decode, processes.memory_bytes(os.getpid()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
