"""What a model's weights cost: the bytes that a token reads, and the arithmetic that it takes."""

from __future__ import annotations

import json
from typing import Any

from phial.models.store import Model


def bytes_per_token(model: Model) -> int:
    """Return how many bytes of weights are read for each token: all but the embeddings, of which it reads one row.

    Where the embeddings are the last matrix too, all of them are. Separate ones are taken to be 8 bits wide.
    """
    size = (model.folder / "openvino_model.bin").stat().st_size
    config = _config(model)
    if config.get("tie_word_embeddings", True):
        return size
    return size - int(config["vocab_size"]) * int(config["hidden_size"])


def operations_per_token(model: Model) -> float | None:
    """Return the multiplications and additions that reading a token of a prompt takes; None where nothing tells.

    Two for each weight of the layers: attention itself is left out, and the last matrix, which only the last token
    of a prompt meets. For decoders of the usual form, with a gate beside each inner matrix, as Phi-3, Llama and
    Qwen have.
    """
    config = _config(model)
    if not config:
        return None
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    kept_width = width // heads * int(config.get("num_key_value_heads", heads))
    layer = 2 * width * width + 2 * width * kept_width + 3 * width * int(config["intermediate_size"])
    return 2.0 * layer * int(config["num_hidden_layers"])


def _config(model: Model) -> dict[str, Any]:
    file = model.folder / "config.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found
