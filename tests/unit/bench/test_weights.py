from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phial.bench.weights import bytes_per_token, operations_per_token
from phial.models.store import Model, resolve

SEPARATE = {"tie_word_embeddings": False, "vocab_size": 10, "hidden_size": 20}
PHI_3_MINI = {
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
}
QWEN_HALF_BILLION = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_attention_heads": 14,
    "num_hidden_layers": 24,
    "num_key_value_heads": 2,
}


@pytest.mark.parametrize(
    ("config", "expected"),
    [(None, 1000), (SEPARATE, 800), ({**SEPARATE, "tie_word_embeddings": True}, 1000), ({}, 1000)],
)
def test_embeddings_that_are_read_by_the_row_do_not_count(
    tmp_path: Path, config: dict[str, Any] | None, expected: int
) -> None:
    assert bytes_per_token(model(tmp_path, config)) == expected


@pytest.mark.parametrize(
    ("config", "weights"), [(PHI_3_MINI, 3_623_878_656), (QWEN_HALF_BILLION, 357_826_560)]
)
def test_a_token_of_a_prompt_takes_two_operations_for_each_weight_of_the_layers(
    tmp_path: Path, config: dict[str, Any], weights: int
) -> None:
    assert operations_per_token(model(tmp_path, config)) == 2 * weights


def test_nothing_is_made_up_where_no_configuration_tells(tmp_path: Path) -> None:
    assert operations_per_token(model(tmp_path, None)) is None


def model(folder: Path, config: dict[str, Any] | None) -> Model:
    for name in ("openvino_model.xml", "openvino_tokenizer.xml", "openvino_detokenizer.xml"):
        (folder / name).touch()
    (folder / "openvino_model.bin").write_bytes(bytes(1000))
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return resolve(str(folder))
