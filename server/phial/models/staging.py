"""How a model's folder comes and goes in one step, wherever a kill may strike.

What is half-built, or to be deleted, stands in a hidden folder beside the models (`.<id>.partial-<random>`)
that the next process to hold the lock clears away. What has arrived of a download stands in
`.downloads/<id>` until its model is installed. What OpenVINO has compiled of a model stands in
`.compiled/<hash of its folder's path>`, of models in the user's own folders too.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from phial import folders
from phial.errors import ModelError


@contextmanager
def locked(patience: float = -1) -> Iterator[None]:
    """Let one process change the models at a time; raises filelock.Timeout after `patience` seconds, if any."""
    with FileLock(folders.models_folder() / ".lock").acquire(timeout=patience):
        for leftover in folders.models_folder().glob(".*.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


@contextmanager
def partial_folder(model_id: str) -> Iterator[Path]:
    """Make a hidden folder that is gone afterwards, whatever stands in it."""
    partial = folders.models_folder() / f".{model_id}.partial-{secrets.token_hex(4)}"
    partial.mkdir()
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def discard(folder: Path) -> None:
    """Delete a model's folder: out of sight in one step, so that a kill in the middle leaves no half model."""
    with partial_folder(folder.name) as rubbish:
        move(folder, rubbish / folder.name)


def move(source: Path, target: Path) -> None:
    """Rename a folder."""
    try:
        source.rename(target)
    except PermissionError as error:
        raise ModelError(
            f"{source} is in use.", advice="Close the editors that use Phial and run the same command again."
        ) from error


def downloads() -> Path:
    """Return the folder with one folder per model that is being fetched."""
    return folders.models_folder() / ".downloads"


def compiled(model: Path) -> Path:
    """Return the folder for what has been compiled of the model in a folder."""
    name = hashlib.sha256(str(model.resolve()).encode()).hexdigest()[:16]
    return folders.models_folder() / ".compiled" / name
