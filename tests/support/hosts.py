"""Running model hosts for tests: real processes, ended when the test is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
from prometheus_client.parser import text_string_to_metric_families

from phial.address import HostAddress, HostFiles
from phial.engine import launcher
from phial.models import store


@asynccontextmanager
async def running_host(model: Path, device: str = "CPU") -> AsyncIterator[HostAddress]:
    """Start a host as a window would, wait until its model is ready, and shut it down at the end."""
    address = await launcher.find_or_start(store.resolve(str(model)), device, patience=60)
    try:
        await until_ready(address)
        yield address
    finally:
        await shut_down(model, device)


async def until_ready(address: HostAddress) -> None:
    """Follow a host's lease until its model is ready."""
    async with launcher.client(address) as http, http.stream("GET", "/lease?keep_alive=60") as response:
        async for line in response.aiter_lines():
            assert '"failed"' not in line, line
            if '"ready"' in line:
                return
    raise AssertionError("the host ended while its model was loading")


async def shut_down(model: Path, device: str = "CPU") -> None:
    """Have the host of a model leave, if there is one, and wait until it has gone."""
    files = HostFiles.of(model, device)
    address = files.read()
    if address is None:
        return
    try:
        async with launcher.client(address) as http:
            await http.post("/shutdown")
    except httpx2.HTTPError:
        return
    lock = files.alive()
    await anyio.to_thread.run_sync(lock.acquire)
    lock.release()


async def metrics(address: HostAddress) -> dict[str, float]:
    """Read a host's counters by name, labels in braces: `phial_requests_total{stop}`."""
    async with launcher.client(address) as http:
        text = (await http.get("/metrics")).text
    return {
        sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
