"""One host that all tests share, and homes of their own for those that destroy something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from phial.address import HostAddress
from phial.engine.base import Abilities
from phial.engine.client import Endpoint, OpenAIEngine
from support.editors import Editor, editor
from support.hosts import running_host
from support.processes import hosts_in


@pytest.fixture(scope="session")
async def host(starter: Path) -> AsyncIterator[HostAddress]:
    """A running host with the starter model, ready; to be left as it is."""
    async with running_host(starter) as address:
        yield address


@pytest.fixture
async def engine(host: HostAddress) -> AsyncIterator[OpenAIEngine]:
    """The shared host as `phial.assist` knows it, without a language server between."""
    engine = OpenAIEngine(Endpoint(host.url, host.token, local=True, abilities=Abilities(regex=True)))
    yield engine
    await engine.close()


@pytest.fixture(scope="session")
def settings(starter: Path, host: HostAddress) -> dict[str, Any]:
    """The settings of a window that uses the shared host."""
    return {"model": str(starter), "device": host.device}


@pytest.fixture(scope="module")
async def window(settings: dict[str, Any]) -> AsyncIterator[Editor]:
    """A window whose model is ready, for a file of tests; its answers are short."""
    async with editor({**settings, "chat": {"maxTokens": 24}}) as window:
        await window.until_ready()
        yield window


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A PHIAL_HOME for one test alone, with nothing in it; its hosts end with the test."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("PHIAL_HOME", str(folder))
    yield folder
    left = hosts_in(folder)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=30)
