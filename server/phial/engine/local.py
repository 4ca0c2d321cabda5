"""The engine on this machine: holds a lease on the shared host, and starts it again when it crashes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import anyio
import httpx2

from phial import errors
from phial.address import HostAddress
from phial.engine import launcher
from phial.engine.base import Abilities, Chunk, Infill, Request, Status
from phial.engine.client import Endpoint, OpenAIEngine
from phial.errors import EngineError, EngineUnreachable, HostLost, PhialError
from phial.models import store

_BACK_OFF = (0.0, 1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds before a crashed host is started again: at once, then ever later while it goes on crashing."""

_NOTICE = 5.0
"""Seconds until a broken lease is noticed at the latest; it breaks with the host."""


@dataclass(frozen=True)
class Wish:
    """Which host to use. `keep_alive` is in minutes."""

    model: str
    device: str
    keep_alive: float


class LocalEngine:
    """Keeps a model host at hand while `run` runs."""

    def __init__(self, wish: Wish, told: Callable[[Status], None]) -> None:
        self._wish = wish
        self._told = told
        self._status = Status("starting", "Looking for the model host.")
        self._engine: OpenAIEngine | None = None
        self._error: PhialError | None = None
        self._abilities = Abilities()
        self._address: HostAddress | None = None
        self._changed = anyio.Event()
        self._asked = anyio.Event()

    @property
    def status(self) -> Status:
        """How the engine is now."""
        return self._status

    @property
    def abilities(self) -> Abilities:
        """What the host's backend and its model can do."""
        return self._abilities

    async def run(self) -> None:
        """Find, start, follow and restart the host until cancelled; who still waits then gets an error."""
        self._told(self._status)
        try:
            await self._keep_host()
        finally:
            self._error = EngineError("Phial changed to another model.", advice="Ask again.")
            self._wake()

    async def _keep_host(self) -> None:
        crashes = 0
        while True:
            try:
                model = store.resolve(self._wish.model)
                address = await launcher.find_or_start(
                    model, self._wish.device, patience=60 * self._wish.keep_alive
                )
                served = await self._follow(address)
            except PhialError as error:
                crashes = 0
                await self._fail_until_asked(error)
                continue
            crashes = 1 if served else crashes + 1
            delay = _BACK_OFF[min(crashes, len(_BACK_OFF)) - 1]
            again = f"in {delay:.0f} s" if delay else "now"
            self._tell(Status("starting", f"The model host stopped unexpectedly; starting it again {again}."))
            await anyio.sleep(delay)

    async def release(self) -> None:
        """Have the host end if no other window uses it: this one has changed to another model."""
        if self._address:
            await launcher.end_if_unused(self._address)

    @asynccontextmanager
    async def stream(self, request: Request | Infill) -> AsyncIterator[AsyncIterator[Chunk]]:
        """Stream the answer to a request, once the model is ready.

        Raises `HostLost` when the host dies on the way; the error of the load when it cannot be loaded.
        """
        answering = False
        while not answering:
            engine = await self._ready_engine()
            try:
                async with engine.stream(request) as chunks:
                    answering = True
                    yield chunks
            except EngineUnreachable as error:
                if answering or not await self._gone(engine):
                    raise HostLost("The model host stopped in the middle of the answer.") from error

    async def _ready_engine(self) -> OpenAIEngine:
        if self._error:
            self._error = None
            self._asked.set()
            self._tell(Status("starting", "Trying the model host again."))
        while self._engine is None:
            if self._error:
                raise self._error
            await self._changed.wait()
        return self._engine

    async def _follow(self, address: HostAddress) -> bool:
        """Hold a lease and tell what the host tells; return, when it has gone, whether it ever was ready.

        Raises the error of the load if the host could not load its model.
        """
        self._address = address
        engine = OpenAIEngine(Endpoint(address.url, address.token, local=True))
        served = False
        lease = _lease(address, keep_alive=60 * self._wish.keep_alive)
        try:
            async with aclosing(lease):
                async for told in lease:
                    if told["status"] == "failed":
                        raise errors.from_wire(told["error"]["code"], told["error"]["message"])
                    if told["status"] == "ready":
                        served = True
                        self._engine = engine
                        self._abilities = _abilities(told)
                    self._tell(_status(told))
        except httpx2.HTTPError:
            pass  # the host has gone, which is what the caller wants to know
        finally:
            self._lose(engine)
            await engine.close()
        return served

    async def _fail_until_asked(self, error: PhialError) -> None:
        """Tell the error and wait: nothing is tried again until somebody asks for something."""
        self._asked = anyio.Event()
        self._error = error
        self._tell(Status("failed", str(error), code=error.code))
        await self._asked.wait()

    async def _gone(self, engine: OpenAIEngine) -> bool:
        """Return whether the host behind an engine is known to be gone, once that can be known."""
        with anyio.move_on_after(_NOTICE):
            while self._engine is engine:
                await self._changed.wait()
        return self._engine is not engine

    def _lose(self, engine: OpenAIEngine) -> None:
        if self._engine is engine:
            self._engine = None
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _tell(self, status: Status) -> None:
        self._wake()
        if status != self._status:
            self._status = status
            self._told(status)


async def _lease(address: HostAddress, keep_alive: float) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the host's health at each change for as long as it lives and the lease is held."""
    async with (
        launcher.client(address, read_timeout=None) as http,
        http.stream("GET", "/lease", params={"keep_alive": keep_alive}) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line[5:])


def _abilities(told: dict[str, Any]) -> Abilities:
    return Abilities(
        regex=told["regex"], fill_in_middle=told["fill_in_middle"], chat=told["chat"], ahead=True
    )


def _status(told: dict[str, Any]) -> Status:
    about = Status(
        state="ready", message="", model=told["title"], device=told["device"], starter=told["starter"]
    )
    if told["status"] == "loading":
        fraction = float(told["fraction"])
        message = f"{told['title']} is loading: {told['stage']}."
        return replace(about, state="loading", message=message, fraction=fraction)
    kind = ", the small starter model," if told["starter"] else ""
    return replace(
        about,
        message=f"{told['title']}{kind} on {told['device']}: {told['device_reason']}.",
        device_reason=told["device_reason"],
        tokens_per_second=told["tokens_per_second"],
        context_length=told["context_length"],
    )
