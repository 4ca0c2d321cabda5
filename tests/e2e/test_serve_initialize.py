"""`initialize`: at once, light, and with nothing but LSP on stdout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from phial import __version__
from support.editors import ResponseError, editor, started
from support.processes import HEAVY, LARGEST_SERVER, serve_telling_modules, with_sitecustomize

NOISY_LIBRARY = """
import atexit, os, sys
print("noise held back until the end")
atexit.register(os.write, 1, b"noise at the end\\n")
sys.addaudithook(lambda event, _: event == "socket.connect" and os.write(1, b"noise on the way\\n"))
"""


async def test_answered_at_the_cost_of_little_more_than_its_libraries(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = {"PYTHONDONTWRITEBYTECODE": ""}  # an installed package is compiled already
    ours, theirs = [], []
    for _ in range(4):
        async with started(environment=installed) as window:
            await window.initialize()
            used = psutil.Process(window.process.pid).cpu_times()
            ours.append(used.user + used.system)
        theirs.append(_seconds_of_libraries())
    with capsys.disabled():
        print(f"\ninitialize: {min(ours):.2f} s of CPU, its libraries {min(theirs):.2f} s")  # noqa: T201
    assert min(ours) < 2 * min(theirs)


async def test_capabilities(settings: dict[str, Any]) -> None:
    async with started() as window:
        result = await window.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    assert result["serverInfo"] == {"name": "phial", "version": __version__}
    told = result["capabilities"]
    assert told["inlineCompletionProvider"] == {}
    assert told["executeCommandProvider"] == {"commands": ["phial.ask", "phial.explainSelection"]}
    assert told["textDocumentSync"] == {"openClose": True, "change": 2, "save": True}
    assert told["positionEncoding"] == "utf-16"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_position_encoding_of_the_client(own_home: Path, encoding: str) -> None:
    async with started() as window:
        told = await window.initialize(capabilities={"general": {"positionEncodings": [encoding]}})
    assert told["positionEncoding"] == encoding


async def test_light_while_no_model_is_installed(
    own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modules = tmp_path / "modules"
    async with editor(command=serve_telling_modules(modules)) as window:
        status = await window.status("failed")
        assert status["message"].startswith("No model is installed. Run `phial models pull starter`")
        uri = window.open("def add(a, b):\n    return ")
        assert await window.complete(uri, 1, 11) is None
        with pytest.raises(ResponseError, match="No model is installed") as caught:
            await window.chat("What is a list?")
        assert caught.value.data == {"code": "no_model"}
        memory = psutil.Process(window.process.pid).memory_info().rss
    with capsys.disabled():
        print(f"\nmemory without a model: {memory / 1e6:.0f} MB")  # noqa: T201
    assert memory < LARGEST_SERVER
    imported = set(modules.read_text().split())
    assert "pygls" in imported
    assert not imported & HEAVY


async def test_light_while_it_is_used(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modules = tmp_path / "modules"
    brief = {**settings, "chat": {"maxTokens": 16}}
    async with editor(brief, command=serve_telling_modules(modules)) as window:
        await window.until_ready()
        await window.complete(window.open("def add(a, b):\n    return "), 1, 11)
        await window.chat("What is one and one?")
        memory = psutil.Process(window.process.pid).memory_info().rss
    with capsys.disabled():
        print(f"\nmemory after a chat: {memory / 1e6:.0f} MB")  # noqa: T201
    assert memory < LARGEST_SERVER
    assert not set(modules.read_text().split()) & HEAVY


async def test_stdout_is_for_messages_alone(settings: dict[str, Any], tmp_path: Path) -> None:
    """The window fails on the first byte that is no message."""
    environment = {**with_sitecustomize(tmp_path, NOISY_LIBRARY), "PYTHONUNBUFFERED": ""}
    async with editor({**settings, "chat": {"maxTokens": 16}}, environment=environment) as window:
        await window.until_ready()
        assert (await window.chat("What is one and one?"))["text"]
    for noise in ("noise held back until the end", "noise on the way", "noise at the end"):
        assert noise in window.stderr


async def test_end_without_a_word(own_home: Path) -> None:
    """An editor that dies closes stdin: the server goes too."""
    async with editor() as window:
        assert window.process.stdin
        window.process.stdin.close()
        assert await window.process.wait() == 1


async def test_exit_without_shutdown(own_home: Path) -> None:
    async with editor() as window:
        window.notify("exit", None)
        assert await window.process.wait() == 1
    assert "Traceback" not in window.stderr


def _seconds_of_libraries() -> float:
    """Return the CPU seconds that Python takes to import what no server of LSP in Python does without."""
    program = "import time, anyio, httpx, pygls.lsp.server; print(time.process_time())"
    return float(subprocess.check_output([sys.executable, "-c", program]))
