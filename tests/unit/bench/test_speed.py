from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phial.bench.bandwidth import bandwidth_share
from phial.bench.speed import weights_bytes
from phial.models.store import resolve

SEPARATE = {"tie_word_embeddings": False, "vocab_size": 10, "hidden_size": 20}


@pytest.mark.parametrize(
    ("config", "expected"),
    [(None, 1000), (SEPARATE, 800), ({**SEPARATE, "tie_word_embeddings": True}, 1000), ({}, 1000)],
)
def test_embeddings_that_are_read_by_the_row_do_not_count(
    tmp_path: Path, config: dict[str, Any] | None, expected: int
) -> None:
    for name in ("openvino_model.xml", "openvino_tokenizer.xml", "openvino_detokenizer.xml"):
        (tmp_path / name).touch()
    (tmp_path / "openvino_model.bin").write_bytes(bytes(1000))
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    assert weights_bytes(resolve(str(tmp_path))) == expected


def test_a_token_reads_all_weights_once() -> None:
    assert bandwidth_share(2_000, 5.0, 20_000.0) == 0.5
