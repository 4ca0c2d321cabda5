"""Write a Phi-3 with random Q4_0 weights for llama.cpp: `python -m phial.bench.rivals.gguf_model SHAPE FILE`.

It has no tokenizer and is driven by token ids. Needs the package gguf.
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

_VOCABULARY = 32_064
_CONTEXT = 4096
_SCALE = 0.005
"""Of each block of weights: 4-bit numbers from -8 to 7 become weights of about the usual size."""


@dataclass(frozen=True)
class _Shape:
    width: int
    inner: int
    layers: int
    heads: int


_SHAPES = {"phi-3-mini": _Shape(3072, 8192, 32, 32), "phi-3-tiny": _Shape(256, 512, 4, 4)}


def main(arguments: list[str]) -> int:
    """Write the shape that is named first to the file that is named second; it is whole or not there."""
    shape, file = _SHAPES[arguments[0]], Path(arguments[1])
    draft = file.with_suffix(".draft")
    writer = gguf.GGUFWriter(draft, "phi3")
    _describe(writer, shape)
    _add_tensors(writer, shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    draft.replace(file)
    return 0


def _describe(writer: Any, shape: _Shape) -> None:
    writer.add_context_length(_CONTEXT)
    writer.add_rope_scaling_orig_ctx_len(_CONTEXT)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.inner)
    writer.add_block_count(shape.layers)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_vocab_size(_VOCABULARY)
    writer.add_tokenizer_model("no_vocab")


def _add_tensors(writer: Any, shape: _Shape) -> None:
    """Add what llama.cpp's own conversion has; as there, the last matrix is Q6_K."""
    width, inner = shape.width, shape.inner
    noise = np.random.default_rng(0)
    _add_matrix(writer, noise, "token_embd.weight", _VOCABULARY, width)
    for layer in range(shape.layers):
        _add_ones(writer, f"blk.{layer}.attn_norm.weight", width)
        _add_matrix(writer, noise, f"blk.{layer}.attn_qkv.weight", 3 * width, width)
        _add_matrix(writer, noise, f"blk.{layer}.attn_output.weight", width, width)
        _add_ones(writer, f"blk.{layer}.ffn_norm.weight", width)
        _add_matrix(writer, noise, f"blk.{layer}.ffn_up.weight", 2 * inner, width)
        _add_matrix(writer, noise, f"blk.{layer}.ffn_down.weight", width, inner)
    _add_ones(writer, "output_norm.weight", width)
    _add_last_matrix(writer, noise, _VOCABULARY, width)


def _add_ones(writer: Any, name: str, width: int) -> None:
    writer.add_tensor(name, np.ones(width, np.float32))


def _add_matrix(writer: Any, noise: np.random.Generator, name: str, rows: int, columns: int) -> None:
    """Add a matrix in Q4_0: blocks of 32 weights, a scale in half precision and 16 bytes."""
    blocks = noise.integers(0, 256, (rows, columns // 32, 18), np.uint8)
    blocks[:, :, :2] = _half(_SCALE)
    kind = gguf.GGMLQuantizationType.Q4_0
    writer.add_tensor(name, blocks.reshape(rows, -1), raw_dtype=kind)


def _add_last_matrix(writer: Any, noise: np.random.Generator, rows: int, columns: int) -> None:
    """Add a matrix in Q6_K: blocks of 256 weights, 192 bytes, 16 scales, and one for those in half precision."""
    blocks = noise.integers(0, 256, (rows, columns // 256, 210), np.uint8)
    blocks[:, :, 208:] = _half(_SCALE / 64)
    kind = gguf.GGMLQuantizationType.Q6_K
    writer.add_tensor("output.weight", blocks.reshape(rows, -1), raw_dtype=kind)


def _half(value: float) -> Any:
    return np.array([value], np.float16).view(np.uint8)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
