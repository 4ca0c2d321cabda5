"""What needs the extra `optimum`: exports, and the reference backend that the default one is measured against."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from phial.host.backend import Backend
from support import phi3
from support.answers import EXACT, SHIPPED, BackendOf
from support.exports import Exports, environment, exports_below

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session", autouse=True)
def extra() -> None:
    """Fail each test here, rather than skip it, where the extra is missing."""
    if importlib.util.find_spec("optimum.intel") is None:
        pytest.fail("These tests need the extra: .venv/bin/python -m pip install --editable '.[optimum]'")


@pytest.fixture(scope="session")
def small_phi3(extra: None) -> Path:
    """The folder of a small Phi-3 as transformers saves it, kept in the checkout."""
    kept = ROOT / ".phial"
    kept.mkdir(exist_ok=True)
    return phi3.build(kept)


@pytest.fixture(scope="session")
def exports(small_phi3: Path) -> Exports:
    """Its exports, kept in the checkout."""
    return exports_below(ROOT / ".phial", small_phi3)


@pytest.fixture(scope="session")
def backend_of(exports: Exports) -> Iterator[BackendOf]:
    """Loads each backend once, and frees it at the end."""
    loaded: list[Backend] = []

    @cache
    def load(name: str, weight_format: str, exact: bool) -> Backend:
        from phial.host import genai, optimum

        backends: dict[str, Any] = {"genai": genai, "optimum": optimum}
        properties = EXACT if exact else SHIPPED
        model = exports.get(weight_format)
        backend: Backend = backends[name].load(model, "CPU", lambda *_: None, properties)
        loaded.append(backend)
        return backend

    yield load
    for backend in loaded:
        backend.close()


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PHIAL_HOME without models; whose login this is has no say."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path
