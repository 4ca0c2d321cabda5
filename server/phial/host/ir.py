"""What a model in OpenVINO's format tells of itself without being loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino_tokenizers  # noqa: F401 - teaches openvino to read tokenizer models

from phial.errors import ModelBroken
from phial.host.native import cause
from phial.models.memory import head_bytes


@dataclass(frozen=True)
class Shape:
    """What a model takes in memory, in bytes."""

    weights: int
    cache_per_token: int


def read_shape(core: Any, folder: Path, block_size: int) -> Shape:
    """Read what a model takes, its cache in blocks of so many tokens. Raises `ModelBroken`."""
    weights = (folder / "openvino_model.bin").stat().st_size
    return Shape(weights, _cache_bytes_per_token(core, folder, block_size))


def special_tokens(core: Any, folder: Path) -> re.Pattern[str] | None:
    """Return what the tokenizer itself splits off as control tokens, as its model says."""
    for node in core.read_model(folder / "openvino_tokenizer.xml").get_ops():
        if node.get_type_name() == "SpecialTokensSplit":
            constants = [source.get_source_output().get_node() for source in node.inputs()]
            for constant in constants:
                if constant.get_type_name() == "Constant":
                    return re.compile(constant.get_data().tobytes().decode())
    return None


def _cache_bytes_per_token(core: Any, folder: Path, block_size: int) -> int:
    """Return the bytes of KV cache that a token takes, from the shapes of the model's state."""
    try:
        model = core.read_model(folder / "openvino_model.xml")
    except RuntimeError as error:
        raise ModelBroken(f"OpenVINO cannot read {folder / 'openvino_model.xml'}: {cause(error)}.") from error
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
            total += shape[1].get_length() * head_bytes(shape[3].get_length(), block_size)
    if not total:
        raise ModelBroken(f"{folder} holds no text generation model with a KV cache.")
    return round(total)
