"""What a window and its host take while somebody types, while nobody does, and after a day of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from phial.bench import keystrokes, processes, recordings
from phial.bench.cancels import Freed, until_freed
from phial.bench.counts import host_counts
from phial.bench.figures import Figure, percentile
from phial.bench.keystrokes import Replay
from phial.bench.replay import replay
from phial.bench.running import RunningHost, own_host
from phial.lsp.session import Session, editor_session
from phial.models.store import Model

_SETTLING = 3.0
"""Seconds after which nothing is under way any more."""

_WARM_UP = 2000
"""Keys after which a server's memory is what it is: parsers are loaded, caches are filled."""

Told = Callable[[str], None]


@dataclass(frozen=True)
class Window:
    """A language server with its host, ready to be typed in; files lie in a folder that is not there."""

    session: Session
    host: RunningHost
    folder: Path

    @property
    def pids(self) -> list[int]:
        """The processes of the server and of the host."""
        return [self.session.pid, self.host.address.pid]


@asynccontextmanager
async def opened_window(model: Model, device: str) -> AsyncIterator[Window]:
    """Start a host and a language server that uses it. Raises `PhialError`."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"model": str(model.folder), "device": device}
        async with (
            own_host(model, device) as host,
            editor_session(settings=settings, folder=Path(folder)) as session,
        ):
            await session.until_ready()
            yield Window(session, host, Path(folder))


async def typed(
    window: Window, names: Sequence[str], most: int | None, told: Told
) -> tuple[list[Figure], list[Replay]]:
    """Type recordings, or so many keys of each, at the pace at which they were typed."""
    replays: list[Replay] = []
    long: list[Figure] = []
    for name in names:
        told(f"Typing {name} ...")
        recording = recordings.load(name)
        folder = window.folder / name
        done = await replay(
            window.session, window.host.http, window.pids, recording, folder=folder, most=most
        )
        replays.append(done)
        if name == recordings.LONG_FILE:
            long = [keystrokes.warm_prefill(done)]
    tokens = sum([await _tokens(window.host, text) for done in replays for text in done.shown])
    server, host = map(processes.memory_bytes, window.pids)
    figures = [
        *keystrokes.figures(replays, shown_tokens=tokens),
        *long,
        Figure("server_memory_megabytes", "Language server's memory", server / 1e6, "MB"),
        Figure("host_memory_megabytes", "Host's memory", host / 1e6, "MB"),
    ]
    return figures, replays


async def chats_cancelled(window: Window, count: int) -> list[Figure]:
    """Cancel so many chats as an editor does, when their first words are there, and see when the host has let go."""
    freed = [await _chat_cancelled(window) for _ in range(count)]
    milliseconds = [1000 * each.seconds for each in freed]
    steps = percentile([each.steps for each in freed], 0.99)
    return [
        Figure("cancel_request_p99_steps", "Chat cancelled by the editor, p99", steps, "steps", at_most=2),
        Figure("cancel_request_p50_milliseconds", "The same, p50", percentile(milliseconds, 0.5), "ms"),
        Figure("cancel_request_p99_milliseconds", "The same, p99", percentile(milliseconds, 0.99), "ms"),
    ]


async def idle(window: Window, seconds: float) -> list[Figure]:
    """Watch what server and host compute while nobody types."""
    await anyio.sleep(_SETTLING)
    share = await processes.cpu_share(window.pids, seconds)
    return [
        Figure("idle_cpu_share", "CPU while nobody types, of one core", share, at_most=0.005),
        Figure("idle_seconds", "Watched for", seconds, "s"),
    ]


async def soaked(window: Window, keys: int) -> list[Figure]:
    """Type so many keys, each at once after the one before, and look at the server's memory."""
    await _type_fast(window, _WARM_UP, "warm-up")
    before = processes.memory_bytes(window.session.pid)
    await _type_fast(window, keys, "soak")
    after = processes.memory_bytes(window.session.pid)
    return [
        Figure("soak_keystrokes", "Keys of a day", keys),
        Figure("soak_server_before_megabytes", "Language server before it", before / 1e6, "MB"),
        Figure("soak_server_after_megabytes", "Language server after it", after / 1e6, "MB"),
        Figure("soak_server_growth_megabytes", "Growth over a day", (after - before) / 1e6, "MB", at_most=10),
    ]


async def _chat_cancelled(window: Window) -> Freed:
    http = window.host.http
    before = await host_counts(http)
    begun = anyio.Event()

    async def ask() -> None:
        await window.session.ask("Tell a long story of the sea.", lambda _: begun.set())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await begun.wait()
        began = time.perf_counter()
        tasks.cancel_scope.cancel()
    return await until_freed(http, before, began)


async def _type_fast(window: Window, keys: int, label: str) -> None:
    """Type all recordings over and over, each time as a file that was never opened before."""
    every = [recordings.load(name) for name in recordings.names()]
    typed_keys, turn = 0, 0
    while typed_keys < keys:
        recording = every[turn % len(every)]
        most = min(keys - typed_keys, len(recording.presses))
        folder = window.folder / f"{label}-{turn}"
        await replay(
            window.session, window.host.http, window.pids, recording, folder=folder, paced=False, most=most
        )
        typed_keys, turn = typed_keys + most, turn + 1


async def _tokens(host: RunningHost, text: str) -> int:
    response = await host.http.post("/tokenize", json={"prompt": text})
    response.raise_for_status()
    return int(response.json()["count"])
