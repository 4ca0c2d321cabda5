from __future__ import annotations

from pathlib import Path

import openvino
import pytest

from phial.errors import OutOfMemory
from phial.host.memory import check_memory
from phial.models.catalog import CATALOG, CatalogEntry
from phial.models.memory import AttentionShape, cache_bytes_per_token, needed_bytes, plan_cache


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.id)
def test_the_host_needs_what_the_list_says(entry: CatalogEntry) -> None:
    weights = 10**14  # more than any machine has: the host says how much it needs
    needed = needed_bytes(weights=weights, shape=entry.shape, context_length=entry.context_length)
    cache = plan_cache(
        bytes_per_token=cache_bytes_per_token(entry.shape),
        context_length=entry.context_length,
        block_size=32,
    )

    with pytest.raises(OutOfMemory) as caught:
        check_memory(model=entry.title, weights=weights, cache=cache)

    assert f"needs about {needed / (1 << 30):.1f} GB" in str(caught.value)


def test_the_starter_model_has_the_shape_that_the_catalog_says(starter: Path) -> None:
    model = openvino.Core().read_model(starter / "openvino_model.xml")
    states = [node for node in model.get_ops() if node.get_type_name() == "ReadValue"]
    shapes = [state.get_output_partial_shape(0) for state in states]
    caches = [shape for shape in shapes if shape.rank.get_length() == 4]
    [entry] = [entry for entry in CATALOG if entry.starter]

    heads, size = caches[0][1].get_length(), caches[0][3].get_length()
    assert entry.shape == AttentionShape(len(caches) // 2, heads, size)
    assert entry.weights_bytes == (starter / "openvino_model.bin").stat().st_size


def test_a_token_of_phi_3_takes_224_kib() -> None:
    assert cache_bytes_per_token(AttentionShape(layers=32, key_value_heads=32, head_size=96)) == 224 * 1024
