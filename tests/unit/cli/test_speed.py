from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phial.bench.measure import Figures
from phial.cli.speed import Finding, judged, speed_findings
from phial.models.catalog import DEFAULT, find
from phial.models.store import Model

FIGURES = Figures(
    model="Other",
    device="CPU",
    backend="openvino-genai",
    load_seconds=0.0,
    cold_first_token_seconds=1.0,
    warm_first_token_seconds=0.1,
    prefill_tokens_per_second=512.4,
    decode_tokens_per_second=39.6,
    memory_bytes=1 << 30,
)


def model_of(folder: Path, model_id: str, share: float) -> Model:
    """Make a model whose weights are this share of the default model's."""
    default = find(DEFAULT)
    assert default
    with (folder / "openvino_model.bin").open("wb") as weights:
        weights.truncate(round(default.weights_bytes * share))  # sparse: it takes no room
    return Model(model_id, "Other", folder, 4096, starter=False)


def test_what_was_measured_is_told_and_what_the_default_model_would_do(tmp_path: Path) -> None:
    measured, expected = judged(model_of(tmp_path, "other", 0.5), FIGURES, on_battery=False)

    assert measured == Finding("Speed", "good", "Other on CPU: writes 40 tokens/s, reads 512 tokens/s")
    assert expected == Finding(
        "Expected speed", "good", "Phi-3-mini-4k-instruct is to be expected at about 20 tokens/s here"
    )


def test_of_the_default_model_nothing_is_expected(tmp_path: Path) -> None:
    [measured] = judged(model_of(tmp_path, DEFAULT, 1.0), FIGURES, on_battery=True)

    assert measured.name == "Speed"


@pytest.mark.parametrize(
    ("device", "on_battery", "advice"),
    [
        ("CPU", False, "A GPU would make it faster"),
        ("GPU.0", False, "A smaller model is faster"),
        ("CPU", True, "Plug in the power supply"),
        ("GPU.0", True, "Plug in the power supply"),
    ],
)
def test_slower_than_a_person_reads_comes_with_advice(
    device: str, on_battery: bool, advice: str, tmp_path: Path
) -> None:
    model = model_of(tmp_path, "other", 0.2)
    _, expected = judged(model, replace(FIGURES, device=device), on_battery=on_battery)

    assert expected.verdict == "note"
    assert "about 8 tokens/s" in expected.detail
    assert expected.advice.startswith(advice)


def test_without_a_model_there_is_nothing_to_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHIAL_HOME", str(tmp_path))

    [finding] = speed_findings()

    assert (finding.verdict, finding.detail) == ("wrong", "No model is installed.")
    assert "phial models pull starter" in finding.advice
