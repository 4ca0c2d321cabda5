"""A small Phi-3 answers an editor, by either backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from phial.address import HostAddress, HostFiles
from phial.engine import launcher
from phial.lsp.session import editor_session
from phial.models.store import Model
from support.exports import Exports
from support.hosts import shut_down
from support.processes import output

NAMES = {"openvino-genai": "openvino-genai", "optimum": "optimum-intel"}
"""What a backend is asked for by, and what it calls itself."""


@pytest.mark.parametrize("backend", NAMES)
async def test_it_answers_through_the_language_server(backend: str, exports: Exports, tmp_path: Path) -> None:
    model = exports.get("int8")
    process, address = await started(model, backend)
    settings = {"model": str(model.folder), "device": "CPU", "chat": {"maxTokens": 24}}
    pieces: list[str] = []
    try:
        await launcher.until_ready(address)
        health = await launcher.health(address)
        assert health
        assert health["backend"] == NAMES[backend]
        async with editor_session(settings=settings, folder=tmp_path) as session:
            ready = await session.until_ready()
            answer = await session.ask("What is a fjord?", pieces.append)
            uri = session.open(tmp_path / "add.py", "def add(a, b):\n    retu")
            ghost = await session.complete(uri, 1, 8)
    finally:
        await shut_down(model.folder)
    assert await output(process) is not None
    assert (ready.device, ready.starter) == ("CPU", False)
    assert answer.text == "".join(pieces) != ""
    assert 0 < answer.usage.completion_tokens <= 24
    assert ghost is None or ghost


async def started(model: Model, backend: str) -> tuple[subprocess.Popen[str], HostAddress]:
    """Start a host by hand, as its user would, and find it as a window does."""
    command = ["-m", "phial", "host", "--model", str(model.folder), "--device", "CPU", "--backend", backend]
    process = subprocess.Popen(  # noqa: ASYNC220 - read to its end in a thread
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    files = HostFiles.of(model.folder, "CPU")
    while (address := files.read()) is None:
        assert process.poll() is None, "the host ended before it listened"
        await anyio.sleep(0.05)
    return process, address
