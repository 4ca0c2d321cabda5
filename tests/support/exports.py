"""Exports of the small Phi-3, made by the real command line and kept in the checkout."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from phial import models
from phial.models import store
from phial.models.store import Model
from support.hub import serve_hub
from support.processes import PHIAL

REPOSITORY = "microsoft/Phi-3-mini-4k-instruct"
"""What the hub of these tests calls the small Phi-3, so that the catalog's entry is meant."""

IDS = {"fp32": "phi3-fp32", "int8": "phi3-int8", "int4": "phi-3-mini-4k"}
"""The exports that are kept, by the format of their weights; int4 comes from a hub, the others from a folder."""


@dataclass(frozen=True)
class Exports:
    """A folder of models below the checkout's cache, in which each export is made once."""

    home: Path
    source: Path

    def get(self, weight_format: str) -> Model:
        """Return an export, made by `phial models export` if it is not there yet."""
        model_id = IDS[weight_format]
        with FileLock(self.home / ".making.lock"), pytest.MonkeyPatch.context() as patch:
            patch.setenv("PHIAL_HOME", str(self.home))
            model = store.find_installed(model_id)
            if model is None:
                self._make(weight_format, model_id)
                model = store.find_installed(model_id)
        assert model, f"{model_id} was not installed"
        return model

    def _make(self, weight_format: str, model_id: str) -> None:
        if weight_format != "int4":
            arguments = (str(self.source), "--id", model_id, "--weight-format", weight_format)
            phial_export(self.home, *arguments).check_returncode()
            return
        with serve_hub() as hub:
            hub.publish(REPOSITORY, {file.name: file.read_bytes() for file in self.source.iterdir()})
            phial_export(self.home, REPOSITORY, variables={"HF_ENDPOINT": hub.url}).check_returncode()


def exports_below(cache: Path, source: Path) -> Exports:
    """Return the exports of a model by the code and the libraries as they are now; those by others are deleted."""
    home = cache / f"exports-{source.name}-{_fingerprint()}"
    for other in cache.glob("exports-*"):
        if other != home:
            shutil.rmtree(other, ignore_errors=True)
    home.mkdir(exist_ok=True)
    return Exports(home, source)


def phial_export(
    home: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `phial models export` to its end; whose login and which CI this is has no say."""
    return subprocess.run(
        [*PHIAL, "models", "export", *arguments],
        env=environment(home, variables),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def environment(home: Path, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a user with this PHIAL_HOME, and a home folder in it."""
    left_out = ("HF_", "PHIAL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    kept.pop("CI", None)  # with it, OpenVINO would not tell who uses it: that is for Phial to see to
    user = home / "user"
    user.mkdir(exist_ok=True)
    return {**kept, "PHIAL_HOME": str(home), "HOME": str(user), "USERPROFILE": str(user), **(variables or {})}


def tell(request: pytest.FixtureRequest, text: Any) -> None:
    """Print a measured figure where it is seen, although the test passes."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(f"  {request.node.name}: {text}")


def _fingerprint() -> str:
    """Return a name for all that determines an export but its source: our code, and the libraries that make it."""
    folder = Path(models.__file__).parent
    names = ("conversion.py", "export.py", "interpreter.py", "manifest.py", "optimum_cli.py", "origin.py")
    code = [(folder / name).read_bytes() for name in names]
    libraries = ("optimum-intel", "transformers", "torch", "nncf", "openvino", "openvino-tokenizers")
    versions = [f"{name} {version(name)}".encode() for name in libraries]
    return hashlib.sha256(b"\n".join([*code, *versions])).hexdigest()[:12]
