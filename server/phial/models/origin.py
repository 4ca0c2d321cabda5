"""Where an export comes from: a folder as transformers saves it, of the user's own or fetched from the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from phial.errors import ModelError, ModelNotFound
from phial.models import catalog, download, hub, manifest, snapshot, staging, store
from phial.models.progress import Progress, Told
from phial.models.snapshot import Patience, Snapshot


@dataclass(frozen=True)
class Origin:
    """A folder with a model's configuration, weights and tokenizer; `revision` is the hub's commit of it."""

    name: str
    folder: Path
    revision: str | None = None

    @property
    def recorded(self) -> str:
        """What a manifest calls it."""
        return f"{self.name}@{self.revision}" if self.revision else self.name

    @property
    def weights_bytes(self) -> int:
        """The size of the weights."""
        return sum(file.stat().st_size for file in _weights(self.folder))

    @property
    def licence(self) -> str:
        """What the model card says, or "unknown"."""
        try:
            card = (self.folder / "README.md").read_text("utf-8", errors="replace")
        except OSError:
            return "unknown"
        found = re.search(r"^license: *[\"']?([\w.+-]+)", card.partition("\n---")[0], re.MULTILINE)
        return found[1] if found else "unknown"

    @property
    def context_length(self) -> int | None:
        """How many tokens of context to use, None where nothing tells it."""
        config = _config(self.folder)
        scaling = config.get("rope_scaling") or config.get("rope_parameters") or {}
        lengths = [config.get("max_position_embeddings")]
        if (scaling.get("rope_type") or scaling.get("type")) in {"longrope", "su"}:
            # beyond these it uses other rotary factors, which an export does not hold
            lengths.append(config.get("original_max_position_embeddings"))
        known = [length for length in lengths if type(length) is int and length > 0]
        return min([*known, _LONGEST_CONTEXT]) if known else None


def name_of(source: str) -> str:
    """Return the absolute path of a folder, or the name of a hub repository; a catalog id means its origin.

    Raises ModelNotFound where it is neither.
    """
    source = source.strip()
    folder = _folder(source)
    if folder:
        return str(folder.absolute())
    looks_like_path = source.startswith((".", "~", "/")) or "\\" in source or PureWindowsPath(source).drive
    entry = catalog.find(source)
    if entry and not entry.starter:
        return entry.source
    if looks_like_path or not re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        raise ModelNotFound(
            f"There is no folder {source}.",
            advice="Name a folder with a model as transformers saves it, or a repository as owner/name.",
        )
    return source


def find(name: str, model_id: str, progress: Told, *, peak: float) -> Origin:
    """Find a model, fetching it if it is not a folder; what was fetched stays until its export is installed.

    `peak` is the disk space that the export takes, as a multiple of the weights. Raises ModelError, or
    DownloadError and its kin.
    """
    if Path(name).is_absolute():
        origin = Origin(name, Path(name))
        _require_exportable(origin)
        return origin
    progress(Progress("finding"))
    found = snapshot.find(name, _NEEDED.fullmatch, Patience())
    _require_published(found)
    downloads = store.downloads_folder(model_id)
    progress(Progress("waiting"))
    with staging.locked(), download.full_disk_told(downloads.parent.parent):
        _require_space(found, downloads, peak)
        origin = Origin(name, hub.fetch(found, downloads, progress, Patience()), found.commit)
    _require_exportable(origin)
    return origin


def has_chat_template(folder: Path) -> bool:
    """Tell whether a folder's tokenizer knows how a conversation is written."""
    config = manifest.read_json(folder / "tokenizer_config.json")
    return (folder / "chat_template.jinja").is_file() or (
        isinstance(config, dict) and bool(config.get("chat_template"))
    )


_LONGEST_CONTEXT = 16_384
"""Tokens; no prompt of an editor gets near them, and the KV cache of more does not fit a laptop."""


# what transformers reads, and what tells the licence; never code, and no pickles, which may hold some
_NEEDED = re.compile(
    r"(generation_)?config\.json|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json"
    r"|tokenizer(_config)?\.json|tokenizer\.model|(added_tokens|special_tokens_map|vocab)\.json|merges\.txt"
    r"|chat_template\.(jinja|json)|README\.md|(LICENSE|NOTICE)(\.\w+)?",
    re.ASCII,
)


def _require_published(found: Snapshot) -> None:
    """Raise ModelError before anything is fetched that could not be exported."""
    names = {file.name for file in found.files}
    if "config.json" not in names:
        message = f"{found.repository} has no config.json: there is no model of transformers in it."
    elif not _weights_bytes(found):
        message = f"{found.repository} has no weights as safetensors, the only form that Phial reads."
    else:
        return
    raise ModelError(message, advice="Choose another model: `phial models list` shows some.")


def _require_space(found: Snapshot, downloads: Path, peak: float) -> None:
    arrived = sum(file.stat().st_size for file in downloads.rglob("*") if file.is_file())
    total = sum(file.size for file in found.files) + round(_weights_bytes(found) * peak)
    download.require_space(downloads.parent.parent, total - arrived)


def _weights_bytes(found: Snapshot) -> int:
    return sum(file.size for file in found.files if file.name.endswith(".safetensors"))


def _require_exportable(origin: Origin) -> None:
    """Raise ModelError at once for what an export would fail for after minutes."""
    folder, name = origin.folder, origin.name
    advice = (
        "Name a folder with a model as transformers saves it: config.json, *.safetensors, tokenizer.json."
    )
    if (folder / "openvino_model.xml").is_file():
        raise ModelError(
            f"{name} is exported already.", advice=f"Use it as it is: set `phial.model` to {folder}."
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{name} has no config.json: there is no model in it.", advice=advice)
    if not _config(folder).get("model_type"):
        raise ModelError(f"{name} cannot be exported: its config.json names no model_type.", advice=advice)
    if not _weights(folder):
        raise ModelError(
            f"{name} has no weights as safetensors, the only form that Phial reads.", advice=advice
        )
    if not has_chat_template(folder):
        raise ModelError(
            f"{name} has no chat template: it is not made for conversations.",
            advice="Choose the edition of it that follows instructions (often named -instruct or -chat).",
        )


def _folder(source: str) -> Path | None:
    try:
        folder = Path(source).expanduser()
        return folder if source and folder.is_dir() else None
    except (OSError, RuntimeError):  # a name too long; ~someone, and there is no such user
        return None


def _config(folder: Path) -> dict[str, Any]:
    config = manifest.read_json(folder / "config.json")
    return config if isinstance(config, dict) else {}


def _weights(folder: Path) -> list[Path]:
    return list(folder.glob("*.safetensors"))
