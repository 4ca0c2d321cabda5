"""What all tests share: the starter model, fetched once, and a home of their own for each run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from phial.models.starter import pull_starter

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the starter model: fetched by the product itself, kept in the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHIAL_HOME", str(ROOT / ".phial"))
        return pull_starter(lambda _: None).folder


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """PHIAL_HOME for all processes of this run: no test touches what its user has."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHIAL_HOME", str(folder))
        for name in [name for name in os.environ if name.startswith("PHIAL_") and name != "PHIAL_HOME"]:
            patch.delenv(name)
        yield folder
