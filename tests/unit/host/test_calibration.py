from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from phial.host.calibration import CHUNKS, prefill_chunk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "compiled" / "chunks.json"


def reading(tokens_per_second: float) -> Callable[[int], float]:
    return lambda tokens: tokens / tokens_per_second


def never(_: int) -> float:
    raise AssertionError("it was measured again")


@pytest.mark.parametrize(
    ("tokens_per_second", "chunk"),
    [(10, 32), (60, 32), (127, 32), (129, 64), (193, 96), (400, 128), (600, 256), (5000, 512)],
)
def test_a_step_takes_less_than_half_a_second_and_reads_32_tokens_at_least(
    file: Path, tokens_per_second: float, chunk: int
) -> None:
    assert prefill_chunk(file, "CPU", reading(tokens_per_second)) == chunk


@pytest.mark.parametrize(
    ("seconds", "chunk"),
    [
        ({32: 2.3, 64: 4.4, 96: 4.5, 128: 5.9}, 96),
        ({32: 2.3, 64: 4.4, 96: 6.0, 128: 5.9}, 32),
        ({32: 2.3, 64: 3.0, 96: 3.1, 128: 3.2}, 96),
        ({32: 0.1, 64: 0.45, 96: 0.51, 128: 0.67}, 96),
        ({32: 0.1, 64: 0.45, 96: 0.66, 128: 0.67}, 128),
    ],
    ids=["far faster", "too large", "step by step", "a little longer", "the next but one"],
)
def test_a_longer_step_is_worth_it_where_it_reads_much_faster(
    file: Path, seconds: dict[int, float], chunk: int
) -> None:
    assert prefill_chunk(file, "CPU", seconds.__getitem__) == chunk


def test_what_was_measured_is_remembered_for_each_device(file: Path) -> None:
    assert prefill_chunk(file, "CPU", reading(150)) == 64
    assert prefill_chunk(file, "GPU", reading(2000)) == 512
    assert [prefill_chunk(file, device, never) for device in ("CPU", "GPU")] == [64, 512]


def test_one_slow_step_of_a_busy_machine_decides_nothing(file: Path) -> None:
    measured: list[int] = []

    def measure(tokens: int) -> float:
        measured.append(tokens)
        return 9.0 if measured.count(tokens) == 1 else tokens / 2000

    assert prefill_chunk(file, "CPU", measure) == 512


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"CPU": 7}', '"x"'])
def test_a_file_that_cannot_be_understood_is_written_anew(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    assert prefill_chunk(file, "CPU", reading(150)) == 64
    assert set(json.loads(file.read_text()).values()) == {64}


def test_where_nothing_can_be_written_it_is_measured_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for _ in range(2):
        assert prefill_chunk(tmp_path / "file" / "chunks.json", "CPU", reading(150)) in CHUNKS
