"""The life of a model host: it loads, serves while somebody holds a lease, and leaves."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread

from phial import __version__
from phial.errors import EngineError, HostFailed, PhialError
from phial.host.backend import Backend
from phial.host.metrics import Metrics
from phial.host.scheduler import Scheduler
from phial.models.store import Model

Progress = Callable[[str, float], None]
Loader = Callable[[Model, str, Progress], Backend]


_log = logging.getLogger(__name__)

_FAILED_STAY = 30.0
"""Seconds that a host whose model could not be loaded stays to tell why."""


class ModelLoading(EngineError):
    """The model is still being loaded."""

    code = "loading"
    advice = "Try again in a moment."


@dataclass(frozen=True)
class Loaded:
    """A model ready to serve, and since when in seconds of the Unix epoch."""

    backend: Backend
    scheduler: Scheduler
    since: int


class Host:
    """One model on one device, from its load to its end."""

    def __init__(self, model: Model, device: str, *, load: Loader) -> None:
        self.metrics = Metrics()
        self.leases = Leases()
        self._model = model
        self._device = device
        self._load = load
        self._loaded: Loaded | None = None
        self._error: PhialError | None = None
        self._stage, self._fraction = "starting", 0.0
        self._changed = anyio.Event()
        self._leaving = anyio.Event()

    async def run(self) -> None:
        """Load the model and serve it. If the model stops working, the host leaves: a new one is sound."""
        try:
            backend = await anyio.to_thread.run_sync(self._load_with_progress, abandon_on_cancel=True)
        except PhialError as error:
            self._fail(error)
            return
        scheduler = Scheduler(backend, self.metrics, ended=self._tell)
        self._loaded = Loaded(backend, scheduler, int(time.time()))
        self._tell()
        try:
            await scheduler.run()
        except Exception as error:  # noqa: BLE001 - a native library's, after which nothing is known to work
            _log.exception("The model stopped working")
            self._loaded = None
            self._fail(EngineError(f"The model stopped working: {error}"))
            self.leave()
        finally:
            backend.close()

    def loaded(self) -> Loaded:
        """Return what serves requests. Raises `ModelLoading`, or the error of the load."""
        if self._loaded:
            return self._loaded
        raise self._error or ModelLoading(f"{self._model.title} is loading: {self._stage}.")

    def health(self) -> dict[str, Any]:
        """Return how the host is, ready for JSON."""
        about = {
            "version": __version__,
            "model": self._model.id,
            "title": self._model.title,
            "device": self._device,
            "starter": self._model.starter,
        }
        if self._error:
            return {
                **about,
                "status": "failed",
                "error": {"message": str(self._error), "code": self._error.code},
            }
        if not self._loaded:
            return {**about, "status": "loading", "stage": self._stage, "fraction": self._fraction}
        card = self._loaded.backend.card
        return {
            **about,
            "status": "ready",
            "device": card.device,
            "device_reason": card.device_reason,
            "backend": card.backend,
            "regex": card.regex,
            "fill_in_middle": card.fill_in_middle is not None,
            "chat": card.chat,
            "context_length": card.max_model_len,
            "tokens_per_second": self._loaded.scheduler.tokens_per_second,
        }

    @property
    def changed(self) -> anyio.Event:
        """Set as soon as the health is another."""
        return self._changed

    def leave(self) -> None:
        """Ask the host to end."""
        self._leaving.set()

    async def leave_if_unused(self, within: float) -> bool:
        """End if nobody holds a lease, or will in so many seconds; return whether it does."""
        with anyio.move_on_after(within):
            await self.leases.until_free()
            self.leave()
            return True
        return False

    async def until_unused(self, patience: float) -> None:
        """Return when the host should end: asked to, or without a lease for long enough.

        `patience` is how many seconds the first lease may take to come.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._cancel_when_unneeded, tasks.cancel_scope, patience)
            await self._leaving.wait()
            tasks.cancel_scope.cancel()

    async def _cancel_when_unneeded(self, scope: anyio.CancelScope, patience: float) -> None:
        await self.leases.until_given_up(patience)
        scope.cancel()

    def _load_with_progress(self) -> Backend:
        """Load in a worker thread; whatever a library raises becomes an error with advice."""
        try:
            return self._load(self._model, self._device, self._progress_from_thread)
        except PhialError:
            raise
        except Exception as error:  # whatever a native library raises
            _log.exception("The model could not be loaded")
            raise HostFailed(f"{self._model.title} could not be loaded: {error}.") from error

    def _progress_from_thread(self, stage: str, fraction: float) -> None:
        anyio.from_thread.run_sync(self._progress, stage, fraction)

    def _progress(self, stage: str, fraction: float) -> None:
        self._stage, self._fraction = stage, fraction
        self._tell()

    def _fail(self, error: PhialError) -> None:
        self._error = error
        self.leases.shorten(_FAILED_STAY)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class Leases:
    """Who still needs the host."""

    def __init__(self) -> None:
        self._holders = 0
        self._patience = 0.0
        self._longest = math.inf
        self._changed = anyio.Event()

    def shorten(self, longest: float) -> None:
        """From now on, stay at most this many seconds without a holder."""
        self._longest = longest
        self._tell()

    @asynccontextmanager
    async def hold(self, keep_alive: float) -> AsyncIterator[None]:
        """Keep the host; once the last holder has left, it stays for that holder's `keep_alive` seconds.

        A host that waits for ever for its first holder, one started by hand, never leaves by itself.
        """
        self._holders += 1
        self._tell()
        try:
            yield
        finally:
            self._holders -= 1
            self._patience = keep_alive if math.isfinite(self._patience) else math.inf
            self._tell()

    async def until_free(self) -> None:
        """Return when nobody holds a lease."""
        while self._holders:
            await self._changed.wait()

    async def until_given_up(self, patience: float) -> None:
        """Return when nobody has held a lease for as long as the last holder wished."""
        self._patience = patience
        while True:
            if self._holders:
                await self._changed.wait()
                continue
            with anyio.move_on_after(min(self._patience, self._longest)) as waited:
                await self._changed.wait()
            if waited.cancelled_caught:
                return

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
