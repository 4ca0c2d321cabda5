"""The installed models: one folder each below `folders.models_folder()`, with a manifest written last.

`staging` keeps what is half-built out of sight until one rename puts it in place, so a folder with a sound
manifest is a whole model; `choice` remembers which one is in use.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from filelock import Timeout

from phial import folders
from phial.errors import ModelBroken, ModelError, ModelNotFound, NoModel, UsageError
from phial.models import catalog, choice, hosts, manifest, staging
from phial.models.manifest import FileRecord, Manifest


@dataclass(frozen=True)
class Model:
    """A model that a host can load; `context_length` is in tokens, None where nothing tells it."""

    id: str
    title: str
    folder: Path
    context_length: int | None
    starter: bool


def installed() -> list[Model]:
    """Return the installed models, best first; a folder without a sound manifest is passed over."""
    models = [_managed_model(folder) for folder in folders.models_folder().iterdir()]
    return sorted((model for model in models if model), key=_rank)


def resolve(spec: str) -> Model:
    """Return the model that a setting means: "" (the one in use), an id, or the path of a folder.

    An id goes before a folder of the same name in the current directory: `./starter` means the folder.
    Raises ModelNotFound or ModelBroken.
    """
    spec = spec.strip()
    if _is_path(spec):
        return _model_at(spec)
    model = in_use() if spec == "" else _installed(spec)
    if model:
        _require_ir(model.folder, advice=_repair(model.id))
        return model
    if spec == "":
        raise NoModel("No model is installed.")
    if catalog.find(spec):
        raise ModelNotFound(
            f"The model {spec} is not installed.", advice=f"Run `phial models pull {spec}` to fetch it."
        )
    if _is_folder(Path(spec)):
        return _model_at(spec)
    raise ModelNotFound(f"There is no model {spec}.")


def use(spec: str) -> Model:
    """Let "" mean the model of that id or path from now on. Raises ModelNotFound or ModelBroken."""
    model = resolve(spec)
    choice.write(model.id if is_managed(model) else str(model.folder))
    return model


def in_use() -> Model | None:
    """Return the model that "" means: the one chosen with `use`, the best installed one where that has gone."""
    return _chosen(choice.read()) or next(iter(installed()), None)


def lost_choice() -> str:
    """Return the id or path of the model that was chosen with `use` and has gone, or ""."""
    spec = choice.read()
    return "" if _chosen(spec) else spec


def is_managed(model: Model) -> bool:
    """Tell whether a model stands in the store, and not in a folder of the user's own."""
    return model.folder.parent == folders.models_folder() and _managed_model(model.folder) is not None


def find_installed(model_id: str) -> Model | None:
    """Return the installed model of that id if each of its files is there in its full size."""
    folder = _folder_of(model_id)
    content = manifest.read(folder)
    if content is None or manifest.size_problems(folder, content):
        return None
    return _model(folder, content)


def install(
    model_id: str,
    build: Callable[[Path], Mapping[str, FileRecord] | None],
    *,
    title: str,
    source: str,
    licence: str,
    context_length: int | None,
    starter: bool = False,
    made_with: Mapping[str, Any] | None = None,
) -> Model:
    """Let `build` fill an empty folder with an OpenVINO IR and put it in place as the model of that id.

    `build` may return the records of its files where it knows them; otherwise they are measured. One process
    installs at a time; one that waited and finds the model there does not build. Raises what `build` raises,
    and then nothing is left behind but what stands in `downloads_folder`.
    """
    folder = _folder_of(model_id)
    with staging.locked():
        model = find_installed(model_id)
        if model:
            return model
        if folder.exists() and not (folder / manifest.FILE_NAME).is_file():
            raise ModelBroken(
                f"{folder} is in the way: Phial did not put it there.", advice="Move it elsewhere."
            )
        with staging.partial_folder(model_id) as partial:
            files = build(partial)
            _require_ir(partial, advice="Nothing was installed: choose another source for this model.")
            files = dict(files or manifest.records(partial))
            content = Manifest(
                model_id, title, source, licence, context_length, starter, files, dict(made_with or {})
            )
            manifest.write(partial, content)
            if folder.exists():  # ours, but files are missing
                _discard(folder)
            staging.move(partial, folder)
        shutil.rmtree(downloads_folder(model_id), ignore_errors=True)
        return _model(folder, content)


def remove(model_id: str) -> None:
    """Delete an installed model, a broken one too, and what has arrived of one that is not installed yet.

    Raises ModelNotFound where there is neither, ModelError while a host serves it or another model is being
    fetched.
    """
    downloads = downloads_folder(model_id)
    try:
        with staging.locked(patience=0):
            if not downloads.exists() or _folder_of(model_id).exists():
                folder = _managed_folder(model_id)
                _require_unused(folder)
                _discard(folder)
            shutil.rmtree(downloads, ignore_errors=True)
    except Timeout as error:
        raise ModelError(
            "A model is being fetched or removed at this moment.",
            advice="Wait for that to end, then run the same command again.",
        ) from error


def managed() -> list[str]:
    """Return the ids of all models in the store, broken ones too."""
    found = [folder for folder in folders.models_folder().iterdir() if not folder.name.startswith(".")]
    return sorted(folder.name for folder in found if (folder / manifest.FILE_NAME).is_file())


def verify(model_id: str) -> list[str]:
    """Compare an installed model with its manifest, byte for byte, and return what is wrong."""
    folder = _managed_folder(model_id)
    content = manifest.read(folder)
    if content is None:
        return [f"{manifest.FILE_NAME} cannot be read"]
    return manifest.content_problems(folder, content)


def downloads_folder(model_id: str) -> Path:
    """Return the folder for what has arrived of a model; whoever downloads makes it."""
    return staging.downloads() / _folder_of(model_id).name


def compiled_folder(model: Model) -> Path:
    """Return the folder for what OpenVINO has compiled of a model, never inside the model's; OpenVINO makes it."""
    return staging.compiled(model.folder)


_IR = ("openvino_model.xml", "openvino_model.bin")
_TOKENIZER = ("openvino_tokenizer.xml", "openvino_detokenizer.xml")
REQUIRED_FILES = (*_IR, *_TOKENIZER)
"""What no model can do without."""


def _rank(model: Model) -> tuple[bool, int, str]:
    known = [entry.id for entry in catalog.CATALOG]
    return model.starter, known.index(model.id) if model.id in known else len(known), model.id


def _is_path(spec: str) -> bool:
    return "/" in spec or "\\" in spec or spec.startswith((".", "~")) or PureWindowsPath(spec).drive != ""


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long, a folder above that cannot be read
        return False


def _installed(model_id: str) -> Model | None:
    return next((model for model in installed() if model.id == model_id), None)


def _chosen(spec: str) -> Model | None:
    if not _is_path(spec):
        return _installed(spec)
    return _model_in(Path(spec)) if _is_folder(Path(spec)) else None


def _model_at(path: str) -> Model:
    try:
        folder = Path(path).expanduser()
    except RuntimeError:  # ~someone, and there is no such user
        folder = Path(path)
    if not _is_folder(folder):
        raise ModelNotFound(f"There is no folder {path}.")
    folder = folder.resolve() if folder.name in {"", ".."} else folder.absolute()
    _require_ir(folder)
    return _model_in(folder)


def _model_in(folder: Path) -> Model:
    return _managed_model(folder) or Model(
        folder.name, folder.name, folder, _configured_context_length(folder), starter=False
    )


def _managed_model(folder: Path) -> Model | None:
    content = manifest.read(folder)
    return _model(folder, content) if content else None


def _model(folder: Path, content: Manifest) -> Model:
    return Model(content.id, content.title, folder, content.context_length, content.starter)


def _require_ir(folder: Path, advice: str | None = None) -> None:
    missing = next((name for name in _IR if not (folder / name).is_file()), None)
    if missing:
        raise ModelBroken(f"{folder} has no {missing}: it is not a whole OpenVINO model.", advice=advice)
    missing = next((name for name in _TOKENIZER if not (folder / name).is_file()), None)
    if missing:
        raise ModelBroken(f"The tokenizer is missing: {folder} has no {missing}.", advice=advice)


def _repair(model_id: str) -> str | None:
    return f"Run `phial models pull {model_id}` to fetch it again." if catalog.find(model_id) else None


def _configured_context_length(folder: Path) -> int | None:
    config = manifest.read_json(folder / "config.json")
    length = config.get("max_position_embeddings") if isinstance(config, dict) else None
    return length if type(length) is int and length > 0 else None


def _folder_of(model_id: str) -> Path:
    # lower case only: two ids must not share a folder where the file system ignores case
    if not re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", model_id):
        raise UsageError(
            f"`{model_id}` cannot be the id of a model.",
            advice="Use lower-case letters, digits, dots, dashes and underscores.",
        )
    return folders.models_folder() / model_id


def _managed_folder(model_id: str) -> Path:
    folder = _folder_of(model_id)
    if not (folder / manifest.FILE_NAME).is_file():
        raise ModelNotFound(f"The model {model_id} is not installed.")
    return folder


def _discard(folder: Path) -> None:
    shutil.rmtree(staging.compiled(folder), ignore_errors=True)
    staging.discard(folder)


def _require_unused(folder: Path) -> None:
    host = hosts.serving(folder)
    if host:
        raise ModelError(
            f"The model {folder.name} is loaded: {host} serves it.",
            advice="Close the editors that use it, or end that process, and run the same command again.",
        )
