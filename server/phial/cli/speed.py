"""How fast the model in use is, how fast the default model is to be expected, and what would make them faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import anyio
import psutil

from phial.bench.measure import Figures, measure
from phial.engine import launcher
from phial.errors import PhialError
from phial.models import store
from phial.models.catalog import DEFAULT, find
from phial.models.store import Model

_READING_PACE = 8.0
"""Tokens per second that a person reads."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `advice` says what to do where it is not good."""

    name: str
    verdict: Literal["good", "note", "wrong"]
    detail: str
    advice: str = ""


def speed_findings() -> Iterator[Finding]:
    """Measure the model in use by a short run."""
    try:
        model = store.resolve("")
        figures = anyio.run(_measured, model)
    except PhialError as error:
        yield Finding("Speed", "wrong", error.message, error.next_step)
        return
    yield from judged(model, figures, on_battery=_on_battery())


def judged(model: Model, figures: Figures, *, on_battery: bool) -> Iterator[Finding]:
    """Tell what was measured of a model, and what the default model's speed is to be if it is another."""
    decode, prefill = figures.decode_tokens_per_second, figures.prefill_tokens_per_second
    detail = f"{model.title} on {figures.device}: writes {decode:.0f} tokens/s, reads {prefill:.0f} tokens/s"
    yield Finding("Speed", "good", detail)
    if model.id != DEFAULT:
        yield _expected(model, figures, on_battery=on_battery)


async def _measured(model: Model) -> Figures:
    address = await launcher.find_or_start(model, "AUTO", patience=60)
    await launcher.until_ready(address)
    return await measure(address, load_seconds=0.0, runs=1)


def _expected(model: Model, figures: Figures, *, on_battery: bool) -> Finding:
    """Tell the default model's speed: what limits it is how fast memory hands over the weights."""
    default = find(DEFAULT)
    assert default is not None  # noqa: S101 - it is in the catalog
    weights = (model.folder / "openvino_model.bin").stat().st_size
    pace = figures.decode_tokens_per_second * weights / default.weights_bytes
    detail = f"{default.title} is to be expected at about {pace:.0f} tokens/s here"
    if pace >= _READING_PACE:
        return Finding("Expected speed", "good", detail)
    return Finding("Expected speed", "note", detail, _advice(figures.device, on_battery=on_battery))


def _advice(device: str, *, on_battery: bool) -> str:
    if on_battery:
        return "Plug in the power supply: on battery the processor is held back."
    if device == "CPU":
        return "A GPU would make it faster; so does a smaller model, like qwen2.5-coder-1.5b."
    return "A smaller model is faster, like qwen2.5-coder-1.5b."


def _on_battery() -> bool:
    battery = psutil.sensors_battery()
    return battery is not None and not battery.power_plugged
