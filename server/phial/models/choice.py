"""Which model the user chose: a small file beside the installed models."""

from __future__ import annotations

import json
import os

from filelock import FileLock

from phial import folders
from phial.models import manifest

_FILE_NAME = ".in-use"


def read() -> str:
    """Return the id or the absolute path that was written last, or "" where there is none."""
    content = manifest.read_json(folders.models_folder() / _FILE_NAME)
    model = content.get("model") if isinstance(content, dict) else None
    return model if isinstance(model, str) else ""


def write(model: str) -> None:
    """Remember an id or an absolute path, at once and whole."""
    file = folders.models_folder() / _FILE_NAME
    draft = file.with_name(f"{_FILE_NAME}.draft")
    with FileLock(file.with_name(f"{_FILE_NAME}.lock")):
        with draft.open("w", encoding="utf-8") as stream:
            json.dump({"model": model}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
