"""`phial-model.json`: what an installed model is, and the size and SHA-256 of each of its files."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

FILE_NAME = "phial-model.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class FileRecord:
    """A file as it was when it was installed: bytes and hexadecimal digest."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The content of a manifest; `files` maps paths relative to the model's folder, with forward slashes.

    `made_with` tells how a model was made on this machine, if it was: its origin's revision, options, versions.
    """

    id: str
    title: str
    source: str
    licence: str
    context_length: int | None
    starter: bool
    files: dict[str, FileRecord]
    made_with: dict[str, Any] = field(default_factory=dict)


def read(folder: Path) -> Manifest | None:
    """Return a folder's manifest, or None where it is missing, broken, of another schema or folder."""
    raw = read_json(folder / FILE_NAME)
    if (
        not isinstance(raw, dict)
        or raw.get("schema_version") != SCHEMA_VERSION
        or raw.get("id") != folder.name
    ):
        return None
    raw = {"made_with": {}, **raw}
    values: dict[str, Any] = {item.name: raw.get(item.name) for item in fields(Manifest)}
    if any(type(values[name]) not in types for name, types in _TYPES.items()):
        return None
    if not all(_is_record(record) for record in raw["files"].values()):
        return None
    values["files"] = {name: FileRecord(item["size"], item["sha256"]) for name, item in raw["files"].items()}
    return Manifest(**values)


def write(folder: Path, manifest: Manifest) -> None:
    """Write a manifest and wait until the disk has it."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(manifest)}, indent=2)
    with (folder / FILE_NAME).open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f"{text}\n")
        stream.flush()
        os.fsync(stream.fileno())


def records(folder: Path) -> dict[str, FileRecord]:
    """Measure each file of a folder."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        file.relative_to(folder).as_posix(): FileRecord(file.stat().st_size, sha256(file)) for file in files
    }


def size_problems(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Name each file that is missing or has another size, without reading any."""
    problems = {}
    for name, record in manifest.files.items():
        file = folder / name
        if not file.is_file():
            problems[name] = f"{name} is missing"
        elif (size := file.stat().st_size) != record.size:
            problems[name] = f"{name} has {size} bytes instead of {record.size}"
    return problems


def content_problems(folder: Path, manifest: Manifest) -> list[str]:
    """Name each file that is not as it was installed, byte for byte."""
    problems = size_problems(folder, manifest)
    for name, record in manifest.files.items():
        if name not in problems and sha256(folder / name) != record.sha256:
            problems[name] = f"{name} has changed: its SHA-256 is another"
    return list(problems.values())


def sha256(file: Path) -> str:
    """Return the hexadecimal digest of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_json(file: Path) -> Any:
    """Return the content of a JSON file, or None where there is none that can be read."""
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "title": (str,),
    "source": (str,),
    "licence": (str,),
    "context_length": (int, type(None)),
    "starter": (bool,),
    "files": (dict,),
    "made_with": (dict,),
}


def _is_record(record: object) -> bool:
    return isinstance(record, dict) and type(record.get("size")) is int and type(record.get("sha256")) is str
