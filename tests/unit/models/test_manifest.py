from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phial import folders
from phial.models import store


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PHIAL_HOME", str(tmp_path))
    folder = folders.models_folder() / "phi"
    folder.mkdir()
    return folder


def sound_manifest() -> dict[str, Any]:
    return {
        "schema_version": 1,
        "id": "phi",
        "title": "Phi",
        "source": "a test",
        "licence": "MIT",
        "context_length": 4096,
        "starter": False,
        "files": {"openvino_model.xml": {"size": 1, "sha256": "00"}},
    }


def test_the_sound_manifest_is_accepted(folder: Path) -> None:
    (folder / "phial-model.json").write_text(json.dumps(sound_manifest()))

    assert [model.id for model in store.installed()] == ["phi"]


WRONG_FIELDS: list[dict[str, Any]] = [
    {"schema_version": 2},
    {"id": "other"},
    {"id": None},
    {"title": 1},
    {"context_length": "4096"},
    {"context_length": True},
    {"starter": 1},
    {"files": []},
    {"files": {"a": None}},
    {"files": {"a": {"size": "1", "sha256": "00"}}},
]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000], ids=lambda content: repr(content[:9])
)
def test_a_manifest_that_is_none_is_passed_over(folder: Path, content: bytes) -> None:
    (folder / "phial-model.json").write_bytes(content)
    (folder.parent / "a file").write_text("")

    assert store.installed() == []
    assert store.verify("phi") == ["phial-model.json cannot be read"]


@pytest.mark.parametrize("change", WRONG_FIELDS, ids=repr)
def test_a_broken_manifest_is_passed_over(folder: Path, change: dict[str, Any]) -> None:
    (folder / "phial-model.json").write_text(json.dumps(sound_manifest() | change))

    assert store.installed() == []
