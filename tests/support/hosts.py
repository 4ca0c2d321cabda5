"""Running model hosts for tests: real processes, ended when the test is over."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
from anyio.abc import SocketAttribute, SocketStream
from prometheus_client.parser import text_string_to_metric_families

from phial.address import HostAddress, HostFiles
from phial.engine import launcher
from phial.models import manifest, store
from support.processes import PHIAL, output


@asynccontextmanager
async def running_host(model: Path, device: str = "CPU") -> AsyncIterator[HostAddress]:
    """Start a host as a window would, wait until its model is ready, and shut it down at the end."""
    address = await launcher.find_or_start(store.resolve(str(model)), device, patience=60)
    try:
        async with leased(address):
            await launcher.until_ready(address)
            yield address
    finally:
        await shut_down(model, device)


@asynccontextmanager
async def host_by_hand(model: Path, *, backend: str, device: str = "CPU") -> AsyncIterator[HostAddress]:
    """Start a host as its user would, by a backend; find it as a window does, and shut it down at the end."""
    command = [*PHIAL, "host", "--model", str(model), "--device", device, "--backend", backend]
    process = subprocess.Popen(  # noqa: ASYNC220 - read to its end in a thread
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    files = HostFiles.of(model, device)
    while (address := files.read()) is None:
        assert process.poll() is None, "the host ended before it listened"
        await anyio.sleep(0.05)
    try:
        await launcher.until_ready(address)
        yield address
    finally:
        await shut_down(model, device)
        await output(process)


@asynccontextmanager
async def leased(
    address: HostAddress, keep_alive: float = 60
) -> AsyncIterator[AsyncGenerator[dict[str, Any], None]]:
    """Hold a lease of a host, and hand out its health at each change; `keep_alive` is in seconds."""
    async with (
        launcher.client(address, read_timeout=None) as http,
        http.stream("GET", "/lease", params={"keep_alive": keep_alive}) as response,
        aclosing(_events(response)) as health,
    ):
        yield health


async def until_loaded(health: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    """Follow a host's lease until its model is ready or has failed, and return which."""
    async for state in health:
        if state["status"] != "loading":
            return state
    raise AssertionError("the host ended while its model was loading")


async def shut_down(model: Path, device: str = "CPU") -> None:
    """Have the host of a model leave, if there is one, and wait until it has gone."""
    files = HostFiles.of(model, device)
    address = files.read()
    if address is None:
        return
    async with launcher.client(address) as http:
        with suppress(httpx2.HTTPError):  # it is leaving already
            await http.post("/shutdown")
    lock = files.alive()
    await anyio.to_thread.run_sync(lock.acquire)
    lock.release()


async def metrics(address: HostAddress) -> dict[str, float]:
    """Read a host's counters by name, labels in braces: `phial_requests_total{stop}`."""
    async with launcher.client(address) as http:
        return await _read_metrics(http)


async def until_counted(address: HostAddress, reached: Callable[[dict[str, float]], bool]) -> None:
    """Look at a host's counters until they are as wanted: it sends no event for that."""
    async with launcher.client(address) as http:
        for _ in range(5_000):
            if reached(await _read_metrics(http)):
                return
    raise AssertionError("the counters never got there")


async def cut_off(
    work: Callable[[], Awaitable[object]],
    host: HostAddress,
    reached: Callable[[dict[str, float]], bool],
) -> dict[str, float]:
    """Send a request, hang up as soon as the host's counters are as wanted, and return them from then."""
    async with anyio.create_task_group() as tasks:

        async def request() -> None:
            await work()
            raise AssertionError("the answer ended before it could be cut off")

        tasks.start_soon(request)
        await until_counted(host, reached)
        tasks.cancel_scope.cancel()
    return await metrics(host)


async def after_many_turns(address: HostAddress) -> dict[str, float]:
    """Read a host's counters after it could have made many steps.

    A host that computes reads requests only between two steps: forty looks, one after the other, take as
    long as some forty steps where there is anything to compute.
    """
    async with launcher.client(address) as http:
        for _ in range(39):
            await _read_metrics(http)
        return await _read_metrics(http)


def linked_model(model: Path, folder: Path, *, without: str = "", context_length: int | None = None) -> Path:
    """Make a model's folder of links to another's files, all but one; what is changed is replaced first."""
    folder.mkdir()
    for file in model.iterdir():
        if file.name not in {without, manifest.FILE_NAME}:
            (folder / file.name).symlink_to(file)
    if context_length is not None:
        content = manifest.Manifest(
            folder.name, "Linked", "a test", "MIT", context_length, starter=False, files={}
        )
        manifest.write(folder, content)
    return folder


@dataclass
class Relay:
    """A port that passes everything on to a host, and keeps what was asked: method, path and JSON body."""

    url: str
    streams: list[bytearray] = field(default_factory=list)
    changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def requests(self) -> list[tuple[str, Any]]:
        """All requests so far, in the order in which their connections were made."""
        return [request for stream in self.streams for request in _http_requests(bytes(stream))]

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The bodies of all requests for an answer so far."""
        return [body for line, body in self.requests if "completions" in line]

    async def until_asked(self, count: int) -> dict[str, Any]:
        """Wait until there are so many requests for an answer, and return the body of the last."""
        while len(self.questions) < count:
            await self.changed.wait()
        return self.questions[-1]


@asynccontextmanager
async def relay_to(address: HostAddress) -> AsyncIterator[Relay]:
    """Listen on a port of loopback and pass on what comes to a host, both ways."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    relay = Relay(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}")

    async def connected(window: SocketStream) -> None:
        seen = bytearray()
        relay.streams.append(seen)

        def keep(data: bytes) -> None:
            seen.extend(data)
            relay.changed.set()
            relay.changed = anyio.Event()

        async with (
            window,
            await anyio.connect_tcp("127.0.0.1", address.port) as host,
            anyio.create_task_group() as both,
        ):
            both.start_soon(_pass_on, window, host, keep)
            await _pass_on(host, window, lambda _: None)
            both.cancel_scope.cancel()

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, connected)
        yield relay
        tasks.cancel_scope.cancel()


async def _pass_on(source: SocketStream, target: SocketStream, keep: Callable[[bytes], None]) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for data in source:
            keep(data)
            await target.send(data)
        await target.send_eof()


def _http_requests(stream: bytes) -> list[tuple[str, Any]]:
    found = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            break
        found.append((head.split(b"\r\n")[0].decode(), json.loads(rest[:size]) if size else None))
        stream = rest[size:]
    return found


async def _events(response: httpx2.Response) -> AsyncGenerator[dict[str, Any], None]:
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            yield json.loads(line[5:])


async def _read_metrics(http: httpx2.AsyncClient) -> dict[str, float]:
    text = (await http.get("/metrics")).text
    return {
        sample.name + (f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
