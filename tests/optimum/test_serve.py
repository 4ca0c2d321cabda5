"""A small Phi-3 answers an editor, by either backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from phial.engine import launcher
from phial.lsp.session import editor_session
from support.exports import Exports
from support.hosts import host_by_hand

NAMES = {"openvino-genai": "openvino-genai", "optimum": "optimum-intel"}
"""What a backend is asked for by, and what it calls itself."""


@pytest.mark.parametrize("backend", NAMES)
async def test_it_answers_through_the_language_server(backend: str, exports: Exports, tmp_path: Path) -> None:
    model = exports.get("int8")
    settings = {"model": str(model.folder), "device": "CPU", "chat": {"maxTokens": 24}}
    pieces: list[str] = []
    async with host_by_hand(model.folder, backend=backend) as address:
        health = await launcher.health(address)
        assert health
        assert health["backend"] == NAMES[backend]
        async with editor_session(settings=settings, folder=tmp_path) as session:
            ready = await session.until_ready()
            answer = await session.ask("What is a fjord?", pieces.append)
            uri = session.open(tmp_path / "add.py", "def add(a, b):\n    retu")
            ghost = await session.complete(uri, 1, 8)
    assert (ready.device, ready.starter) == ("CPU", False)
    assert answer.text == "".join(pieces) != ""
    assert 0 < answer.usage.completion_tokens <= 24
    assert ghost is None or ghost
