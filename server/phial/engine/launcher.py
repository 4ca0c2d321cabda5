"""Finds the local model host, or starts one: exactly one, however many windows ask at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx2
from filelock import AsyncFileLock, Timeout

from phial import __version__, errors
from phial.address import HostAddress, HostFiles
from phial.errors import HostFailed
from phial.models.store import Model

_START_TIMEOUT = 60.0
"""Seconds until a started host must listen. Loading the model comes after that."""

_ANSWER_TIMEOUT = 10.0
"""Seconds that a host may take to answer: as long as the longest step of a large model, and some."""

_POLL = 0.05
"""Seconds between looks at the file in which a started host tells its address."""


async def find_or_start(
    model: Model, device: str, *, patience: float, options: Sequence[str] = ()
) -> HostAddress:
    """Return the host of a model on a device, which listens, though it may still be loading.

    A host started here waits `patience` seconds for a lease; `options` are more of `phial host`'s.
    Raises `HostFailed`.
    """
    files = HostFiles.of(model.folder, device)
    if address := await _usable(files):
        return address
    async with AsyncFileLock(files.starting().lock_file):
        if address := await _usable(files):
            return address
        command = [
            *(sys.executable, "-m", "phial", "host", "--model", str(model.folder)),
            *("--device", device, "--patience", str(patience), *options),
        ]
        return await _make_room(files) or await _start(files, command)


async def health(address: HostAddress) -> dict[str, Any] | None:
    """Return how a host is, or None if it does not answer."""
    async with client(address) as http:
        try:
            response = await http.get("/health")
            return dict(response.json()) if response.is_success else None
        except (httpx2.HTTPError, ValueError):
            return None


async def until_ready(address: HostAddress) -> None:
    """Wait until a host's model is ready. Raises the error of its load, or `HostFailed` if the host ends."""
    async with client(address, read_timeout=None) as http, http.stream("GET", "/lease") as response:
        async for line in response.aiter_lines():
            health = json.loads(line[5:]) if line.startswith("data:") else {}
            if health.get("status") == "failed":
                raise errors.from_wire(health["error"]["code"], health["error"]["message"])
            if health.get("status") == "ready":
                return
    raise HostFailed("The model host ended while its model was loading.")


async def end(model: Model, device: str) -> None:
    """Have the host of a model on a device leave, if there is one, and wait until it has."""
    await _make_room(HostFiles.of(model.folder, device))


async def end_if_unused(address: HostAddress) -> None:
    """Have a host end unless a window still uses it; one that has gone already is no error."""
    async with client(address) as http:
        with suppress(httpx2.HTTPError):
            await http.post("/shutdown", params={"unused": "true"})


def client(address: HostAddress, *, read_timeout: float | None = _ANSWER_TIMEOUT) -> httpx2.AsyncClient:
    """Return an HTTP client for a host's own routes."""
    return httpx2.AsyncClient(
        base_url=address.url,
        headers={"authorization": f"Bearer {address.token}"},
        timeout=httpx2.Timeout(_ANSWER_TIMEOUT, read=read_timeout),
        trust_env=False,
    )


async def _usable(files: HostFiles) -> HostAddress | None:
    """Return the running host, if it answers, has not failed and is no older than we are."""
    address = files.read()
    if address is None or _release(address.version) < _release(__version__):
        return None
    state = await health(address)
    return address if state and state.get("status") != "failed" else None


async def _make_room(files: HostFiles) -> HostAddress | None:
    """Have whatever host there is leave: an old one, a failed one, or one that no longer answers.

    Returns the host that turns out to be usable after all: one that was just starting, whose starter has ended.
    """
    address = files.read()
    if address:
        async with client(address) as http:
            with suppress(httpx2.HTTPError):  # it is gone already, or hangs: the lock tells
                await http.post("/shutdown")
    with anyio.move_on_after(_ANSWER_TIMEOUT):
        while True:
            with suppress(Timeout), files.alive().acquire(timeout=0):
                files.forget()
                return None
            if started := await _usable(files):
                return started
            await anyio.sleep(_POLL)
    pid = f" (process {address.pid})" if address else ""
    raise HostFailed(f"An earlier model host{pid} does not answer.", advice="End that process.")


async def _start(files: HostFiles, command: Sequence[str]) -> HostAddress:
    with files.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - it must outlive this event loop
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(sys.executable).parent,  # `python -m` would import from the user's folder first
            **_detached(),
        )
    # It outlives whoever asked for it; when it ends, somebody has to take note of it.
    threading.Thread(target=process.wait, name="host ended", daemon=True).start()
    with anyio.move_on_after(_START_TIMEOUT):
        while process.poll() is None:
            address = files.read()
            if address and await health(address):
                return address
            await anyio.sleep(_POLL)
    process.kill()
    raise HostFailed(f"The model host did not start: {_last_line(files.log)}")


def _detached() -> dict[str, Any]:
    """Return what keeps a process alive when the editor that started it ends."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it ended without a word."


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparing."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
