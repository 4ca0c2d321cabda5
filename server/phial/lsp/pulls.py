"""Fetch a model for a client, in a process of its own: to cancel is to end it, and the store stays sound."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from phial import errors
from phial.errors import DownloadError

Told = Callable[[str, float | None], None]
"""Is told what is being done, and which fraction of that is."""


async def pull(model: str, told: Told) -> None:
    """Run `phial models pull`, telling how far it is. Raises the error that it ends with."""
    last: dict[str, Any] = {}
    async with _running("models", "pull", model, "--json") as process:
        async for line in _lines(process):
            last = json.loads(line)
            if "stage" in last:
                told(_described(last), last["done"] / last["total"] if last["total"] else None)
        exit_code = await process.wait()
    if error := last.get("error"):
        raise errors.from_wire(error["code"], error["message"])
    if exit_code:
        raise DownloadError(f"{model} could not be fetched: the download ended with code {exit_code}.")


@asynccontextmanager
async def _running(*arguments: str) -> AsyncIterator[Process]:
    """Run `phial` with arguments; leaving the context ends it and what it has started."""
    process = await anyio.open_process(
        [sys.executable, "-m", "phial", *arguments],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(sys.executable).parent,  # `python -m` would import from the user's folder first
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            _end(process.pid)
            await process.aclose()


def _end(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        for child in (*process.children(recursive=True), process):
            child.kill()
    except psutil.NoSuchProcess:  # it has ended by itself
        return


async def _lines(process: Process) -> AsyncIterator[str]:
    assert process.stdout  # noqa: S101 - asked for above
    rest = ""
    async for text in TextReceiveStream(process.stdout):
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line


def _described(step: dict[str, Any]) -> str:
    name = _STAGES[step["stage"]]
    if not step["total"]:
        return name
    return f"{name}: {step['done'] / 1e6:,.0f} of {step['total'] / 1e6:,.0f} MB"


_STAGES = {
    "waiting": "Waiting for another install",
    "finding": "Finding the model",
    "downloading": "Downloading",
    "extracting": "Unpacking",
    "converting": "Converting to OpenVINO",
    "installing": "Installing",
}
