"""Models of a real size with random weights, for measuring speed where the real weights cannot be had."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from phial import folders
from phial.errors import ModelError, UsageError
from phial.models import download, store
from phial.models.conversion import ExportOptions
from phial.models.export import ExportProgress, export, require_optimum
from phial.models.interpreter import run_module
from phial.models.store import Model

_BUILD_SECONDS = 3600.0
_ADVICE = "Look at the message above; the extra `optimum` and about 24 GB of memory are needed."


@dataclass(frozen=True)
class Shape:
    """A size to build; `disk_bytes` is what lies on the disk at the peak."""

    id: str
    title: str
    disk_bytes: int


SHAPES = (
    Shape("phi-3-mini", "Phi-3-mini's size, random weights", 11_000_000_000),
    Shape("phi-3-tiny", "A tiny Phi-3, random weights", 200_000_000),
)


def obtain(shape_id: str, ratio: float, progress: Callable[[ExportProgress], None]) -> Model:
    """Return the model of a shape, as int4 with this share of its layers in 4 bits; built once, then kept.

    Raises `ModelError`, and `UsageError` for a shape that is not known.
    """
    shape = next((shape for shape in SHAPES if shape.id == shape_id), None)
    if shape is None:
        names = ", ".join(shape.id for shape in SHAPES)
        raise UsageError(f"There is no shape {shape_id}.", advice=f"Choose one of {names}.")
    model_id = f"bench-{shape.id}-int4-r{round(100 * ratio)}"
    if model := store.find_installed(model_id):
        return model
    options = ExportOptions("int4", 128, ratio, sym=True)
    require_optimum(options)
    source = store.downloads_folder(model_id) / f"bench-{shape.id}"
    if not (source / "config.json").is_file():
        source.parent.mkdir(parents=True, exist_ok=True)
        download.require_space(source.parent, shape.disk_bytes)
        progress(ExportProgress("building", 0.0))
        _build(shape, source)
    model = export(str(source), model_id=model_id, options=options, progress=progress)
    shutil.rmtree(source, ignore_errors=True)  # the installation has tidied up where it could
    return model


def _build(shape: Shape, target: Path) -> None:
    """Build in a process of its own, whose memory goes with it; the folder is whole or not there."""
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        result = run_module(
            "phial.host.random_model",
            shape.id,
            str(draft),
            folder=folders.logs_folder(),
            seconds=_BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError("Building the model took too long.", advice=_ADVICE) from error
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        raise ModelError(f"The model could not be built: {lines[-1]}", advice=_ADVICE)
    draft.rename(target)
