"""Export a model as OpenVINO IR on this machine, with optimum-intel, from a local folder or a hub repository."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from phial import folders
from phial.errors import ModelBroken, ModelError
from phial.models import conversion, download, manifest, origin, store
from phial.models.catalog import CATALOG, CatalogEntry
from phial.models.conversion import ExportOptions
from phial.models.origin import Origin
from phial.models.store import Model


@dataclass(frozen=True)
class ExportProgress:
    """How far an export is: waiting (for another install), finding, downloading, loading, converting, compressing or saving.

    `seconds` have passed since it began; `done` and `total` are bytes, 0 where a stage cannot be measured.
    """

    stage: str
    seconds: float
    done: int = 0
    total: int = 0


def export(
    source: str, *, model_id: str, options: ExportOptions, progress: Callable[[ExportProgress], None]
) -> Model:
    """Install a model exported from a folder or a hub repository, or return it where it is installed already.

    Nothing looks installed unless it is whole. Raises ModelError and its kin, DownloadError and its kin.
    """
    require_optimum(options)
    name = origin.name_of(source)
    if store.find_installed(model_id):
        return _same(model_id, name, options)
    began = time.monotonic()

    def told(stage: str, done: int = 0, total: int = 0) -> None:
        progress(ExportProgress(stage, time.monotonic() - began, done, total))

    peak = _PEAK[options.weight_format]
    found = origin.find(name, model_id, lambda now: told(now.stage, now.done, now.total), peak=peak)
    entry = _catalog_entry(name)

    def build(folder: Path) -> None:
        download.require_space(folders.models_folder(), round(found.weights_bytes * peak))
        log = folders.logs_folder() / "export.log"
        conversion.convert(found.folder, folder, options, log=log, told=told)
        _require_complete(folder, log)

    told("waiting")
    with download.full_disk_told(folders.models_folder()):
        store.install(
            model_id,
            build,
            title=_title(name, options),
            source=found.recorded,
            licence=entry.licence if entry else found.licence,
            context_length=entry.context_length if entry else found.context_length,
            made_with=_made_with(found, options),
        )
    return _same(model_id, name, options)


def default_id(source: str, weight_format: str) -> str:
    """Return the id for an export of a folder or a repository: the catalog's where it knows the source.

    A weight format other than the usual int4 is told at the end, so that several can be installed.
    """
    name = origin.name_of(source)
    entry = _catalog_entry(name)
    plain = entry.id if entry else re.sub(r"[^a-z0-9._-]+", "-", _last_part(name).lower()).strip("._-")
    usual = ExportOptions().weight_format
    return (plain or "model") + ("" if weight_format == usual else f"-{weight_format}")


def require_optimum(options: ExportOptions) -> None:
    """Raise ModelError, naming the one command that helps, where what an export needs is not installed."""
    missing = next((name for name, module in _PACKAGES.items() if not _is_there(module)), None)
    if missing:
        raise ModelError(
            f"Exporting a model needs {missing}, which is not installed.",
            advice=f'Run `{sys.executable} -m pip install "phial-ls[optimum]"` and the same command again.',
        )
    if options.dataset not in {None, "auto"} and not _is_there("datasets"):
        raise ModelError(
            f"The data set {options.dataset} needs the package datasets, which is not installed.",
            advice=f"Run `{sys.executable} -m pip install datasets`, or export without a data set.",
        )


_PEAK = {"fp32": 2.1, "fp16": 1.2, "int8": 1.7, "int4": 1.6}
"""Disk space at the peak (the IR before and after compressing), as a multiple of the 16-bit weights it is made of."""

_PACKAGES = {
    "optimum-intel": "optimum.intel",
    "transformers": "transformers",
    "torch": "torch",
    "nncf": "nncf",
    "openvino": "openvino",
    "openvino-tokenizers": "openvino_tokenizers",
}
"""What an export is made with: the names of distributions and of the modules in them."""


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it
        return False


def _same(model_id: str, name: str, options: ExportOptions) -> Model:
    """Return the installed model if it is this export, and not another of the same id."""
    model = store.find_installed(model_id)
    content = manifest.read(model.folder) if model else None
    if model is None or content is None:
        raise ModelBroken(f"The model {model_id} was removed while it was looked at.")
    source = content.source.partition("@")[0] if content.made_with.get("revision") else content.source
    if source == name and content.made_with.get("options") == asdict(options):
        return model
    difference = "with other options" if source == name else f"made of {content.source}"
    raise ModelError(
        f"There is a model {model_id} already, {difference}.",
        advice=f"Run `phial models remove {model_id}` first, or give this one another --id.",
    )


def _made_with(found: Origin, options: ExportOptions) -> dict[str, Any]:
    return {
        "revision": found.revision,
        "options": asdict(options),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _require_complete(folder: Path, log: Path) -> None:
    """Raise ModelError unless what a host needs besides the IR and its tokenizer is there."""
    if not origin.has_chat_template(folder):
        missing = "the chat template"
    elif not (folder / "generation_config.json").is_file():
        missing = "generation_config.json"
    else:
        return
    raise ModelError(f"optimum-intel left out {missing}.", advice=f"The whole log is in {log}.")


def _catalog_entry(name: str) -> CatalogEntry | None:
    return next((entry for entry in CATALOG if entry.source == name), None)


def _title(name: str, options: ExportOptions) -> str:
    usual = options.weight_format == ExportOptions().weight_format
    return _last_part(name) + ("" if usual else f" {options.weight_format}")


def _last_part(name: str) -> str:
    return re.split(r"[\\/]", name.rstrip("\\/"))[-1]
