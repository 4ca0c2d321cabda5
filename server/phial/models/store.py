"""The installed models: one folder each below `folders.models_folder()`, with a manifest written last.

What is half-built stands in a hidden folder beside them (`.<id>.partial-<random>`) until one rename puts it
in place, so a folder with a sound manifest is a whole model.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from filelock import FileLock

from phial import folders
from phial.errors import ModelBroken, ModelError, ModelNotFound, UsageError
from phial.models import catalog, manifest
from phial.models.manifest import Manifest


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
    """Return the model that a setting means: "" (the best that is installed), an id, or the path of a folder.

    An id goes before a folder of the same name in the current directory: `./starter` means the folder.
    Raises ModelNotFound or ModelBroken.
    """
    spec = spec.strip()
    if _is_path(spec):
        return _model_at(spec)
    models = installed()
    model = next((model for model in models if spec in {"", model.id}), None)
    if model:
        _require_ir(model.folder, advice=_repair(model.id))
        return model
    if spec == "":
        raise ModelNotFound(
            "No model is installed.",
            advice="Run `phial models pull starter` to fetch the small starter model.",
        )
    if catalog.find(spec):
        raise ModelNotFound(
            f"The model {spec} is not installed.", advice=f"Run `phial models pull {spec}` to fetch it."
        )
    if _is_folder(Path(spec)):
        return _model_at(spec)
    raise ModelNotFound(f"There is no model {spec}.")


def find_installed(model_id: str) -> Model | None:
    """Return the installed model of that id if each of its files is there in its full size."""
    folder = _folder_of(model_id)
    content = manifest.read(folder)
    if content is None or manifest.size_problems(folder, content):
        return None
    return _model(folder, content)


def install(
    model_id: str,
    build: Callable[[Path], None],
    *,
    title: str,
    source: str,
    licence: str,
    context_length: int | None,
    starter: bool = False,
) -> Model:
    """Let `build` fill an empty folder with an OpenVINO IR and put it in place as the model of that id.

    One process installs at a time; one that waited and finds the model there does not build. Raises what
    `build` raises, and then nothing is left behind.
    """
    folder = _folder_of(model_id)
    with _locked():
        model = find_installed(model_id)
        if model:
            return model
        if folder.exists() and not (folder / manifest.FILE_NAME).is_file():
            raise ModelBroken(
                f"{folder} is in the way: Phial did not put it there.", advice="Move it elsewhere."
            )
        with _partial_folder(model_id) as partial:
            build(partial)
            _require_ir(partial, advice="Nothing was installed: choose another source for this model.")
            files = manifest.records(partial)
            content = Manifest(model_id, title, source, licence, context_length, starter, files)
            manifest.write(partial, content)
            if folder.exists():  # ours, but files are missing
                _discard(folder)
            _move(partial, folder)
        return _model(folder, content)


def remove(model_id: str) -> None:
    """Delete an installed model, a broken one too; raises ModelNotFound where there is none."""
    with _locked():
        _discard(_managed_folder(model_id))


def verify(model_id: str) -> list[str]:
    """Compare an installed model with its manifest, byte for byte, and return what is wrong."""
    folder = _managed_folder(model_id)
    content = manifest.read(folder)
    if content is None:
        return [f"{manifest.FILE_NAME} cannot be read"]
    return manifest.content_problems(folder, content)


_IR = ("openvino_model.xml", "openvino_model.bin")
_TOKENIZER = ("openvino_tokenizer.xml", "openvino_detokenizer.xml")


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


def _model_at(path: str) -> Model:
    try:
        folder = Path(path).expanduser()
    except RuntimeError:  # ~someone, and there is no such user
        folder = Path(path)
    if not _is_folder(folder):
        raise ModelNotFound(f"There is no folder {path}.")
    folder = folder.resolve() if folder.name in {"", ".."} else folder.absolute()
    _require_ir(folder)
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


@contextmanager
def _locked() -> Iterator[None]:
    with FileLock(folders.models_folder() / ".lock"):
        for leftover in folders.models_folder().glob(".*.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


@contextmanager
def _partial_folder(model_id: str) -> Iterator[Path]:
    partial = folders.models_folder() / f".{model_id}.partial-{secrets.token_hex(4)}"
    partial.mkdir()
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _discard(folder: Path) -> None:
    # out of sight in one step: a kill in the middle must not leave half a model
    with _partial_folder(folder.name) as rubbish:
        _move(folder, rubbish / folder.name)


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except PermissionError as error:
        raise ModelError(
            f"{source} is in use.", advice="Close the editors that use Phial and run the same command again."
        ) from error
