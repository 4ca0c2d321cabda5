"""Models for tests: a published one of made-up files, and an empty store for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phial.models import store
from phial.models.catalog import CATALOG, CatalogEntry
from phial.models.store import Model

IR_FILES = (
    "openvino_model.xml",
    "openvino_model.bin",
    "openvino_tokenizer.xml",
    "openvino_detokenizer.xml",
)

PUBLISHED = {
    ".gitattributes": b"*.bin filter=lfs",
    "README.md": b"# A model",
    "modeling.py": b"raise RuntimeError('run')",
    "LICENSE": b"Do what you like.",
    "config.json": b'{"max_position_embeddings": 4096}',
    "generation_config.json": b"{}",
    "tokenizer.json": b"[1]" * 10_000,
    "openvino_config.json": b"{}",
    "openvino_model.xml": b"<net/>" * 20_000,
    "openvino_model.bin": bytes(range(256)) * 2_000,
    "openvino_tokenizer.xml": b"<net name='tokenizer'/>",
    "openvino_tokenizer.bin": b"tokens" * 5_000,
    "openvino_detokenizer.xml": b"<net name='detokenizer'/>",
    "onnx/openvino_model.bin": b"elsewhere",
}
"""What a hub repository holds: a model, and what is not needed of it."""

NEEDED = {
    name: content
    for name, content in PUBLISHED.items()
    if name not in {".gitattributes", "README.md", "modeling.py", "onnx/openvino_model.bin"}
}

ENTRY = next(entry for entry in CATALOG if entry.ready_made)
"""A model of the catalog that a hub has ready-made."""


def repository_of(entry: CatalogEntry) -> str:
    """Return the hub repository of a model that is ready-made."""
    assert entry.ready_made
    return entry.ready_made


def build_ir(folder: Path) -> None:
    """Write what looks like a model."""
    folder.mkdir(exist_ok=True)
    for name in IR_FILES:
        (folder / name).write_text(f"the {name}")


def install(model_id: str, build: Callable[[Path], None] = build_ir, *, starter: bool = False) -> Model:
    """Install what looks like a model."""
    return store.install(
        model_id,
        build,
        title=model_id.title(),
        source="a test",
        licence="MIT",
        context_length=4096,
        starter=starter,
    )


def names(folder: Path) -> list[str]:
    """Return what stands in a folder, locks left out."""
    return sorted(item.name for item in folder.iterdir() if not item.name.endswith(".lock"))
