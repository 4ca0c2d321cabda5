"""All models at one look: what each is, whether it fits this machine, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from phial.models import hosts, manifest, store
from phial.models.catalog import CATALOG, CatalogEntry, Device
from phial.models.memory import AttentionShape, needed_bytes
from phial.models.store import Model

Obtain = Literal["installed", "pull", "export"]


@dataclass(frozen=True)
class ModelRow:
    """A model as a list or a picker shows it; None stands for what nobody knows.

    A model with missing files counts as not installed: what brings it here repairs it. `id` is what the setting `phial.model` and `phial models use` take: for a folder of the user's own, its
    path. `context_length` is in tokens. `memory_bytes` is what it takes while it runs, with all of its
    context; `fits` compares that with what is free at this moment. `device` is what suits it; the CPU runs
    each of them.
    """

    id: str
    title: str
    source: str
    licence: str | None
    download_bytes: int | None
    context_length: int | None
    memory_bytes: int | None
    fits: bool | None
    device: Device | None
    fill_in_middle: bool | None
    installed: bool
    in_use: bool
    starter: bool
    obtain: Obtain
    note: str

    @property
    def command(self) -> str:
        """The command that brings it here, "" where it is here."""
        commands = {"pull": f"phial models pull {self.id}", "export": f"phial models export {self.source}"}
        return commands.get(self.obtain, "")


def overview(entries: Sequence[CatalogEntry] = CATALOG) -> list[ModelRow]:
    """Return the models of the catalog, then what else is installed or in use."""
    used = store.in_use()
    models = {model.id: model for model in store.installed()}
    rows = [_catalog_row(entry, models.pop(entry.id, None), used) for entry in entries]
    rows += [_own_row(model, used) for model in models.values()]
    if used and not store.is_managed(used):
        rows.append(_own_row(used, used))
    return rows


_LARGE_WEIGHTS = 1_200_000_000
"""Bytes of weights from which on a CPU takes long to read a prompt."""


def _catalog_row(entry: CatalogEntry, model: Model | None, used: Model | None) -> ModelRow:
    weights = (_weights_bytes(model.folder) if model else None) or entry.weights_bytes
    context_length = (model.context_length if model else None) or entry.context_length
    memory = needed_bytes(weights=weights, shape=entry.shape, context_length=context_length)
    obtain = _obtain(entry)
    return ModelRow(
        id=entry.id,
        title=entry.title,
        source=entry.source,
        licence=entry.licence,
        download_bytes=entry.download_bytes,
        context_length=context_length,
        memory_bytes=memory,
        fits=_fits(memory, model),
        device=entry.device,
        fill_in_middle=entry.fill_in_middle,
        installed=obtain == "installed",
        in_use=model is not None and model == used,
        starter=entry.starter,
        obtain=obtain,
        note=entry.note,
    )


def _own_row(model: Model, used: Model | None) -> ModelRow:
    content = manifest.read(model.folder)
    managed = store.is_managed(model)
    weights = _weights_bytes(model.folder)
    shape = _shape(model.folder)
    memory = (
        needed_bytes(weights=weights, shape=shape, context_length=model.context_length)
        if weights and shape and model.context_length
        else None
    )
    return ModelRow(
        id=model.id if managed else str(model.folder),
        title=model.title,
        source=content.source if content else str(model.folder),
        licence=content.licence if content else None,
        download_bytes=None,
        context_length=model.context_length,
        memory_bytes=memory,
        fits=_fits(memory, model),
        device=None if weights is None else "GPU" if weights > _LARGE_WEIGHTS else "CPU",
        fill_in_middle=None,
        installed=managed,
        in_use=model == used,
        starter=model.starter,
        obtain="installed",
        note="",
    )


def _obtain(entry: CatalogEntry) -> Obtain:
    if store.find_installed(entry.id):
        return "installed"
    return "pull" if entry.ready_made or entry.starter else "export"


def _fits(memory: int | None, model: Model | None) -> bool | None:
    if model and hosts.serving(model.folder):  # what it takes is taken already
        return True
    return None if memory is None else memory <= psutil.virtual_memory().available


def _weights_bytes(folder: Path) -> int | None:
    try:
        return (folder / "openvino_model.bin").stat().st_size
    except OSError:
        return None


def _shape(folder: Path) -> AttentionShape | None:
    """Return the shape that a model's config.json tells, in the names that most models use."""
    config = manifest.read_json(folder / "config.json")
    if not isinstance(config, dict):
        return None
    heads = _count(config.get("num_attention_heads"))
    layers = _count(config.get("num_hidden_layers"))
    key_value_heads = _count(config.get("num_key_value_heads", heads))
    width = _count(config.get("hidden_size"))
    size = _count(config.get("head_dim")) or (width // heads if width and heads else None)
    if not (layers and key_value_heads and size):
        return None
    return AttentionShape(layers, key_value_heads, size)


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
