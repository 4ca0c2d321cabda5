from __future__ import annotations

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.errors import OutOfMemory
from phial.host.memory import check_memory
from phial.models.memory import CachePlan, plan_cache

GIB = 1 << 30


@given(st.integers(1, 1 << 17), st.sampled_from([16, 32]), st.integers(1, 1 << 20))
def test_the_cache_holds_a_whole_context_and_half_of_another(
    context_length: int, block_size: int, bytes_per_token: int
) -> None:
    plan = plan_cache(bytes_per_token=bytes_per_token, context_length=context_length, block_size=block_size)
    assert 0 <= plan.blocks * block_size - 1.5 * context_length <= 2 * block_size
    assert plan.bytes == plan.blocks * block_size * bytes_per_token


def test_too_little_memory_says_how_much_is_needed() -> None:
    with pytest.raises(OutOfMemory) as caught:
        check_memory(model="Huge", weights=1000 * GIB, cache=CachePlan(1, 100 * GIB))
    assert "The model Huge needs about 2100.5 GB of free memory (100.0 GB of it for its context)" in str(
        caught.value
    )


def test_a_model_that_fits_passes() -> None:
    free = psutil.virtual_memory().available
    assert free > 2 * GIB, "this machine is too small for the test"
    check_memory(model="Small", weights=free // 8, cache=CachePlan(1, free // 8))
