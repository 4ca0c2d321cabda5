"""Loads a model on the device and by the backend that suit it; what fails gives way to what works, and says so."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from phial.errors import ModelBroken, ModelError
from phial.host import devices
from phial.host.backend import Backend
from phial.host.devices import Choice
from phial.host.prompt_lookup import LONGEST_GUESS
from phial.models.store import Model

_log = logging.getLogger(__name__)

AUTO = "auto"
GENAI = "openvino-genai"
OPTIMUM = "optimum"
BACKENDS = (AUTO, GENAI, OPTIMUM)

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Wanted:
    """What of a backend can be chosen: which one, and how long its guesses may be, in tokens, where it makes any."""

    backend: str = AUTO
    longest_guess: int = LONGEST_GUESS


Loader = Callable[[Model, Choice, Progress, Wanted], Backend]

_BEST = Wanted()


def load(model: Model, device: str, progress: Progress, wanted: Wanted = _BEST) -> Backend:
    """Load a model, warmed up; AUTO and auto leave the choice to Phial. Blocks for seconds.

    A device that cannot load the model gives way to the CPU. Raises `ModelError`, and `DeviceError` where there is
    no such device.
    """
    progress("importing OpenVINO", 0.0)
    choice = devices.choose(device, devices.devices(), _needed(model))
    return load_on(choice, model, progress, wanted)


def load_on(choice: Choice, model: Model, progress: Progress, wanted: Wanted = _BEST) -> Backend:
    """Load a model on a chosen device; where that fails, on the CPU, whose reason then tells why.

    Raises `ModelError`.
    """
    try:
        return _load_by(wanted, choice, model, progress)
    except ModelBroken as error:
        if choice.device == "CPU":
            raise
        _log.warning("%s", error)
        fallback = Choice("CPU", f"{choice.device} failed: {error.message}")
        progress(f"{choice.device} failed, taking the CPU", 0.1)
        return _load_by(wanted, fallback, model, progress)


def _load_by(wanted: Wanted, choice: Choice, model: Model, progress: Progress) -> Backend:
    """Load by the first backend that can; if none can, the first one's error is the one to tell."""
    first, *others = (_LOADERS[name] for name in _candidates(choice.device, wanted.backend))
    try:
        return first(model, choice, progress, wanted)
    except ModelBroken as error:
        _log.warning("%s", error)
        for other in others:
            if backend := _attempted(other, model, choice, progress, wanted):
                return backend
        raise


def _attempted(
    load_by: Loader, model: Model, choice: Choice, progress: Progress, wanted: Wanted
) -> Backend | None:
    try:
        return load_by(model, choice, progress, wanted)
    except ModelError as error:
        _log.warning("%s", error)
        return None


def _candidates(device: str, wanted: str) -> Sequence[str]:
    if device.startswith("NPU"):
        return ("npu",)
    if wanted != AUTO:
        return (wanted,)
    return (GENAI, OPTIMUM) if importlib.util.find_spec("optimum") else (GENAI,)


def _genai(model: Model, choice: Choice, progress: Progress, wanted: Wanted) -> Backend:
    from phial.host import genai

    return genai.load(
        model, choice.device, progress, reason=choice.reason, longest_guess=wanted.longest_guess
    )


def _npu(model: Model, choice: Choice, progress: Progress, _: Wanted) -> Backend:
    from phial.host import llm

    return llm.load(model, choice.device, progress, reason=choice.reason)


def _optimum(model: Model, choice: Choice, progress: Progress, _: Wanted) -> Backend:
    try:
        from phial.host import optimum
    except ImportError as error:
        command = f'{sys.executable} -m pip install "phial-ls[optimum]"'
        raise ModelError("The optimum backend is not installed.", advice=f"Run `{command}`.") from error
    return optimum.load(model, choice.device, progress, reason=choice.reason)


_LOADERS: dict[str, Loader] = {
    GENAI: _genai,
    OPTIMUM: _optimum,
    "npu": _npu,
}


def _needed(model: Model) -> int:
    """Return roughly what a GPU must hold: the weights, and a quarter of that for the cache and the rest."""
    return (model.folder / "openvino_model.bin").stat().st_size * 5 // 4
