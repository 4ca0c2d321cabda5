"""Which packages holes are dug in, and how they get here: as data, pinned, never installed or imported."""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Language = Literal["python", "javascript"]

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".phial" / "evaluation"


@dataclass(frozen=True)
class Package:
    """A published file. `top` is the folder in it that holds the code; without, others only need it."""

    name: str
    version: str
    sha256: str
    language: Language
    top: str = ""

    @property
    def folder(self) -> Path:
        """Where it is unpacked."""
        return CACHE / "packages" / f"{self.name}-{self.version}"


@dataclass(frozen=True)
class Source:
    """A file of a package; `path` is relative to the package's folder, `text` has LF at its line ends."""

    package: Package
    path: str
    text: str

    @property
    def shown_path(self) -> str:
        """The path as a developer of the package has it: npm packs everything below `package`."""
        return self.path.replace("package/", f"{self.package.name}/", 1)


PACKAGES = (
    Package(
        "more-itertools",
        "10.8.0",
        "52d4362373dcf7c52546bc4af9a86ee7c4579df9a8dc268be0a2f949d376cc9b",
        "python",
        "more_itertools",
    ),
    Package(
        "toolz",
        "1.1.0",
        "15ccc861ac51c53696de0a5d6d4607f99c210739caf987b5d2054f3efed429d8",
        "python",
        "toolz",
    ),
    Package(
        "boltons",
        "25.0.0",
        "dc9fb38bf28985715497d1b54d00b62ea866eca3938938ea9043e254a3a6ca62",
        "python",
        "boltons",
    ),
    Package(
        "sortedcontainers",
        "2.4.0",
        "a163dcaede0f1c021485e957a39245190e74249897e2ae4b2aa38595db237ee0",
        "python",
        "sortedcontainers",
    ),
    Package(
        "pydash",
        "8.0.5",
        "b2625f8981862e19911daa07f80ed47b315ce20d9b5eb57aaf97aaf570c3892f",
        "python",
        "pydash",
    ),
    Package(
        "networkx",
        "3.4.2",
        "df5d4365b724cf81b8c6a7312509d0c22386097011ad1abe274afd5e9d3bbc5f",
        "python",
        "networkx",
    ),
    Package(
        "algorithms",
        "1.0.1",
        "f45568f40011b264195e7879ef42b043ea1be744479e7b3292a895edef167f64",
        "python",
        "algorithms",
    ),
    Package(
        "typing-extensions",
        "4.15.0",
        "f0fa19c6845758ab08074a0cfa8b7aecb71c999ca73d62883bc25cc018c4e548",
        "python",
    ),
    Package(
        "lodash",
        "4.17.21",
        "6a087ac9e5702a0c9d60fbcd48696012646ec8df1491dea472b150e79fcaf804",
        "javascript",
        "package",
    ),
    Package(
        "ramda",
        "0.30.1",
        "76a1e5c64d5e46c58067f90fb556f7e803bcc741228312ce8bb88035a2157d9a",
        "javascript",
        "package/src",
    ),
)


def packages(language: Language) -> tuple[Package, ...]:
    """Return the packages in a language."""
    return tuple(package for package in PACKAGES if package.language == language)


def sources(language: Language) -> Iterator[Source]:
    """Yield the files of all packages in a language, tests left out, in the order of their names."""
    pattern = {"python": "*.py", "javascript": "*.js"}[language]
    for package in packages(language):
        _obtain(package)
        if not package.top:
            continue
        for file in sorted((package.folder / package.top).rglob(pattern)):
            path = file.relative_to(package.folder).as_posix()
            text = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
            # other line ends make the parsers and an editor disagree about what a line is
            if "/tests/" not in path and not set("\r\f\v\x85\u2028\u2029") & set(text):
                yield Source(package, path, text)


def _obtain(package: Package) -> None:
    """Download and unpack a package, unless it is there; a folder that is there is whole."""
    if package.folder.is_dir():
        return
    package.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.folder.parent) as draft:
        download = Path(draft, "download")
        download.mkdir()
        if package.language == "python":
            _download_wheel(package, download)
        else:
            _download_tarball(package, download)
        (file,) = (item for item in download.iterdir() if item.suffix in {".whl", ".tgz"})
        if hashlib.sha256(file.read_bytes()).hexdigest() != package.sha256:
            raise ValueError(f"{package.name} {package.version} is not the file that was pinned.")
        unpacked = Path(draft, "unpacked")
        _unpack(file, unpacked)
        if package.language == "python":
            compileall.compile_dir(unpacked, quiet=2)
        unpacked.rename(package.folder)


def _download_wheel(package: Package, folder: Path) -> None:
    wanted = f"{package.name}=={package.version}"
    _run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", wanted],
        folder,
    )


def _download_tarball(package: Package, folder: Path) -> None:
    npm = shutil.which("npm", path=_path_with_node())
    if npm is None:
        raise FileNotFoundError("npm is needed for the holes in JavaScript: run scripts/setup editor.")
    _run([npm, "pack", "--silent", "--ignore-scripts", f"{package.name}@{package.version}"], folder)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PATH": _path_with_node()},
    )


def _path_with_node() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _unpack(file: Path, target: Path) -> None:
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            wheel.extractall(target)
        return
    with tarfile.open(file) as tarball:
        tarball.extractall(target, filter="data")
