"""The host as a process: finds its port, tells its address, serves and leaves."""

from __future__ import annotations

import os
import secrets
import socket

import anyio
import uvicorn
from filelock import Timeout

from phial import __version__
from phial.address import HostAddress, HostFiles
from phial.errors import HostFailed
from phial.host import loading
from phial.host.app import create_app
from phial.host.host import Host, Loader
from phial.models.store import Model

_LOCK_WAIT = 5.0
"""Seconds that a host about to end may take to let go of its lock."""


async def serve(model: Model, device: str, *, patience: float, load: Loader = loading.load) -> None:
    """Serve a model until nobody needs it; `patience` is how many seconds the first lease may take.

    Raises `HostFailed` if there is such a host already, or if the model stopped working.
    """
    files = HostFiles.of(model.folder, device)
    try:
        lock = files.alive().acquire(timeout=_LOCK_WAIT)
    except Timeout as error:
        raise HostFailed(f"There is a host for {model.title} on {device} already.", advice="") from error
    # Only where the protocol is named does asyncio send small pieces at once: each answer is 40 ms sooner.
    with lock, socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        address = HostAddress(
            port=listener.getsockname()[1],
            token=secrets.token_urlsafe(32),
            pid=os.getpid(),
            version=__version__,
            model=model.id,
            device=device,
        )
        try:
            host = Host(model, device, load=load)
            await _serve(host, address, files, listener, patience)
        finally:
            files.forget()


async def _serve(
    host: Host, address: HostAddress, files: HostFiles, listener: socket.socket, patience: float
) -> None:
    server = _Server(
        uvicorn.Config(
            create_app(host, token=address.token),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )

    async def listen() -> None:
        await server.serve(sockets=[listener])
        host.leave()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await server.listening.wait()
        files.write(address)
        tasks.start_soon(host.run)
        await host.until_unused(patience)
        files.forget()
        server.should_exit = True
        await server.ended.wait()
        tasks.cancel_scope.cancel()


class _Server(uvicorn.Server):
    """A uvicorn server that tells when it listens and when it has ended."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = anyio.Event()
        self.ended = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self.ended.set()
