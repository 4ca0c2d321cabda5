"""A host for measuring alone: started anew, so that its load is measured too, and gone afterwards."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from phial.address import HostAddress
from phial.engine import launcher
from phial.models.store import Model

_READ_TIMEOUT = 600.0


@dataclass(frozen=True)
class RunningHost:
    """A host whose model is ready, and a client for it."""

    address: HostAddress
    http: httpx2.AsyncClient
    load_seconds: float


@asynccontextmanager
async def own_host(model: Model, device: str, *options: str) -> AsyncIterator[RunningHost]:
    """Start a host, with more options of `phial host`; one that there is already leaves first. Raises `PhialError`."""
    await launcher.end(model, device)
    began = time.perf_counter()
    address = await launcher.find_or_start(model, device, patience=60, options=options)
    try:
        await launcher.until_ready(address)
        load_seconds = time.perf_counter() - began
        async with launcher.client(address, read_timeout=_READ_TIMEOUT) as http:
            yield RunningHost(address, http, load_seconds)
    finally:
        await launcher.end(model, device)
