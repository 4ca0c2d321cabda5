from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from phial import folders
from support.hub import Hub, serve_hub
from support.stored import ENTRY, PUBLISHED, repository_of


@pytest.fixture
def empty_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a store without models; no setting of whoever runs the tests has a say."""
    for name in os.environ:
        if name.upper().startswith("HF_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no login"))
    monkeypatch.setenv("PHIAL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return folders.models_folder()


@pytest.fixture
def hub(empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has one of the models of the catalog."""
    with serve_hub() as hub:
        hub.publish(repository_of(ENTRY), PUBLISHED)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub
