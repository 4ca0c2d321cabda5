"""The work done by llama.cpp, where llama-cpp-python is installed, on a model of the same shape."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from functools import partial
from pathlib import Path

import anyio.to_thread

from phial import folders
from phial.bench.rivals.work import Pace
from phial.errors import ModelError, UsageError
from phial.models.interpreter import run_module

_SECONDS = 3600.0
_SHAPES = ("phi-3-mini", "phi-3-tiny")
_EMBEDDINGS = 32_064 * 3072 * 18 // 32
"""Bytes of Phi-3-mini's embeddings in Q4_0, of which a token reads one row."""


def check(shape: str) -> None:
    """Raise `UsageError` unless llama.cpp is there, and the shape is one that it can be given too."""
    missing = [name for name in ("llama_cpp", "gguf") if importlib.util.find_spec(name) is None]
    if missing:
        command = f"{sys.executable} -m pip install llama-cpp-python gguf"
        raise UsageError(
            "llama.cpp is not installed.", advice=f"Run `{command}`; it is compiled for minutes."
        )
    if shape not in _SHAPES:
        raise UsageError(
            "llama.cpp can be compared with by random weights only.", advice=f"Add `--shape {_SHAPES[0]}`."
        )


def obtain(shape: str) -> Path:
    """Return the file of a shape with random Q4_0 weights; built once, then kept. Raises `ModelError`."""
    file = folders.bench_folder() / f"{shape}-q4_0.gguf"
    if not file.is_file():
        _run("phial.bench.rivals.gguf_model", shape, str(file))
    return file


def weights(file: Path) -> int:
    """Return how many bytes of weights are read for each token."""
    size = file.stat().st_size
    return size - _EMBEDDINGS if size > _EMBEDDINGS else size


async def pace(file: Path, *, seed: int) -> Pace:
    """Have llama.cpp do the work in a process of its own. Raises `ModelError`."""
    run = partial(_run, "phial.bench.rivals.llama_cpp_worker", str(file), str(seed), str(os.cpu_count()))
    printed = await anyio.to_thread.run_sync(run)
    return Pace(**json.loads(printed.splitlines()[-1]))


def _run(module: str, *arguments: str) -> str:
    result = run_module(module, *arguments, folder=folders.logs_folder(), seconds=_SECONDS)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        raise ModelError(f"llama.cpp failed: {lines[-1]}", advice="Look at the message above.")
    return result.stdout
