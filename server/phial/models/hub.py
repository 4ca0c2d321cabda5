"""Fetch a model that is published ready-made, as an OpenVINO IR, on the Hugging Face hub.

`huggingface_hub` says what there is to fetch (see `snapshot`). The bytes come by `download.fetch`: the library's
own downloads throw away what has arrived when they are cut off, check no SHA-256, and sit out a rate limit
without a word.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx2

from phial.errors import ModelError
from phial.models import download, manifest, snapshot, store
from phial.models.catalog import CatalogEntry
from phial.models.manifest import FileRecord
from phial.models.progress import Progress, Told
from phial.models.snapshot import Patience, RemoteFile, Snapshot
from phial.models.store import Model


def pull(entry: CatalogEntry, progress: Told, patience: Patience | None = None) -> Model:
    """Install a ready-made model, or return it at once where it is installed already.

    All its files are of the commit that the repository's `main` means at the start. A pull that was cut off
    goes on where it stopped. Raises DownloadError and its kin, or ModelError.
    """
    patience = patience or Patience()
    repository = entry.ready_made or entry.source
    model = store.find_installed(entry.id)
    if model:
        return model
    progress(Progress("finding"))
    found = snapshot.find(repository, _NEEDED.fullmatch, patience)
    _require_model(found)
    downloads = store.downloads_folder(entry.id)

    def build(folder: Path) -> dict[str, FileRecord]:
        arrived = fetch(found, downloads, progress, patience)
        progress(Progress("installing"))
        return {file.name: _put(file, arrived, folder) for file in found.files}

    progress(Progress("waiting"))
    with download.full_disk_told(downloads.parent.parent):
        return store.install(
            entry.id,
            build,
            title=entry.title,
            source=found.origin,
            licence=entry.licence,
            context_length=entry.context_length,
        )


def fetch(found: Snapshot, downloads: Path, progress: Told, patience: Patience) -> Path:
    """Fetch all files of a snapshot into a folder of its own below `downloads`, and return that folder.

    What is there of it already is not fetched again; what is there of other commits is deleted. Raises
    DownloadError and its kin.
    """
    folder = _folder_of_commit(downloads, found.commit)
    total = sum(file.size for file in found.files)
    arrived = sum(_arrived_bytes(folder / file.name) for file in found.files)
    download.require_space(folder, total - arrived)
    before = 0
    with httpx2.Client(headers=found.headers, timeout=patience.answer) as client:
        for file in found.files:
            download.fetch(
                file.url,
                folder / file.name,
                size=file.size,
                checksum=file.checksum,
                place=snapshot.HUB,
                progress=_part_of_all(progress, before, total),
                client=client,
                retry_pauses=patience.pauses,
            )
            before += file.size
    return folder


# what openvino-genai and optimum-intel read, and what the licence asks for; never code
_NEEDED = re.compile(
    r"openvino_\w+\.(xml|bin)|openvino_config\.json|(generation_)?config\.json|chat_template\.(jinja|json)"
    r"|tokenizer(_config)?\.json|tokenizer\.model|(added_tokens|special_tokens_map)\.json"
    r"|(LICENSE|NOTICE)(\.\w+)?",
    re.ASCII,
)


def _require_model(found: Snapshot) -> None:
    names = {file.name for file in found.files}
    missing = next((name for name in store.REQUIRED_FILES if name not in names), None)
    if missing:
        raise ModelError(
            f"{found.repository} holds no OpenVINO model: it has no {missing}.",
            advice="Choose another model: `phial models list` shows them.",
        )


def _folder_of_commit(downloads: Path, commit: str) -> Path:
    folder = downloads / commit
    folder.mkdir(parents=True, exist_ok=True)
    for other in downloads.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _arrived_bytes(target: Path) -> int:
    file = next((file for file in (target, download.part_of(target)) if file.is_file()), None)
    return file.stat().st_size if file else 0


def _part_of_all(progress: Told, before: int, total: int) -> Callable[[int, int], None]:
    return lambda done, _: progress(Progress("downloading", before + done, total))


def _put(file: RemoteFile, arrived: Path, folder: Path) -> FileRecord:
    """Move a file into the model's folder; its bytes were verified when they arrived."""
    source = arrived / file.name
    known = file.checksum.digest if file.checksum.algorithm == "sha256" else manifest.sha256(source)
    source.rename(folder / file.name)
    return FileRecord(file.size, known)
