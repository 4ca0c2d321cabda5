from __future__ import annotations

from phial.bench.machine import Machine

MACHINE = Machine(bytes_per_second=20_000.0, operations_per_second=40_000.0)


def test_a_token_reads_all_weights_once() -> None:
    assert MACHINE.bandwidth_share(2_000, 5.0) == 0.5


def test_a_token_of_a_prompt_takes_its_operations_once() -> None:
    assert MACHINE.arithmetic_share(2_000.0, 5.0) == 0.25
    assert MACHINE.arithmetic_share(None, 5.0) is None
