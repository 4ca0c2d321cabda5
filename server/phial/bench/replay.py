"""Types recordings into a real `phial serve`, as VS Code would, and notes how each key was answered."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx2
from anyio.abc import TaskGroup

from phial.bench import processes
from phial.bench.counts import HostCounts, host_counts
from phial.bench.keystrokes import Keystroke, Replay, continues, explained
from phial.bench.recordings import Press, Recording, Type
from phial.bench.typist import Stroke, Typist
from phial.lsp.session import GhostText, Session

_QUICK = 0.02
"""Seconds within which no model has answered. Such keys are not counted for: the host reads a request between two
steps only, and questions about each key would pile up before it."""

_LAST_ANSWER = 10.0
"""Seconds that the answer to the last key may take."""


async def replay(
    session: Session,
    host: httpx2.AsyncClient,
    pids: list[int],
    recording: Recording,
    *,
    folder: Path,
    paced: bool = True,
    most: int | None = None,
) -> Replay:
    """Type a recording, or so many keys of it; unpaced, each key at once after the one before.

    `pids` are the processes whose processor time counts. A file that was opened before needs another folder.
    Raises `PhialError`.
    """
    began = sum(map(processes.cpu_seconds, pids))
    await session.costs()  # what came before is no part of this
    counted = await host_counts(host)
    async with anyio.create_task_group() as tasks, _opened(session, recording, folder) as uri:
        window = _Window(session, host, tasks, Typist(recording), uri, counted)
        due = time.perf_counter()
        for press in itertools.islice(window.typist.presses(), most):
            due = max(due + press.after, time.perf_counter()) if paced else 0.0
            await anyio.sleep(max(0.0, due - time.perf_counter()))
            await window.press(press)
        with anyio.move_on_after(_LAST_ANSWER):
            await window.settled.wait()
        await window.give_up()
    result = window.result
    costs = sorted(await session.costs(), key=lambda cost: cost.number)
    result.keystrokes = explained(result.keystrokes, [(cost.how, cost.seconds) for cost in costs])
    result.counts = (await host_counts(host)).since(counted)
    result.accepted_characters = window.typist.accepted
    result.cpu_seconds = sum(map(processes.cpu_seconds, pids)) - began
    return result


def _set() -> anyio.Event:
    event = anyio.Event()
    event.set()
    return event


@dataclass
class _Window:
    """A file that is typed in: what ghost text it shows, and the one request for the next."""

    session: Session
    host: httpx2.AsyncClient
    tasks: TaskGroup
    typist: Typist
    uri: str
    counted: HostCounts
    result: Replay = field(default_factory=Replay)
    settled: anyio.Event = field(default_factory=_set)
    """Set when nothing is asked for: the last request was answered, or given up."""
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(2))
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    counting: anyio.Lock = field(default_factory=anyio.Lock)
    ghost: str | None = None
    last_shown: str | None = None

    async def press(self, press: Press) -> None:
        """Press a key: change the file, give up what was asked for before, ask anew."""
        stroke = self.typist.press(press.key, self.ghost)
        for edit in stroke.edits:
            self.session.change(self.uri, next(self.versions), edit.start, edit.end, edit.text)
        self.ghost = _left(self.ghost, stroke)
        await self.give_up()
        if stroke.asks:
            self.scope, self.settled = anyio.CancelScope(), anyio.Event()
            self.tasks.start_soon(self._ask, self.scope, self.settled, time.perf_counter())

    async def give_up(self) -> None:
        """Cancel the request that is not answered yet, if there is one."""
        self.scope.cancel()
        await self.settled.wait()

    async def _ask(self, scope: anyio.CancelScope, settled: anyio.Event, began: float) -> None:
        keystroke = Keystroke()
        self.result.keystrokes.append(keystroke)
        try:
            with scope:
                ghost = await self.session.suggest(self.uri, *self.typist.place)
                keystroke.seconds = time.perf_counter() - began
                self._show(keystroke, ghost)
        finally:
            settled.set()
        if keystroke.seconds is not None and keystroke.seconds > _QUICK:
            await self._count(keystroke)

    def _show(self, keystroke: Keystroke, ghost: GhostText | None) -> None:
        self.ghost = self.typist.insertable(ghost.text, ghost.replaces) if ghost else None
        if ghost is None:
            return
        keystroke.shown = True
        if not continues(self.last_shown, ghost.text):
            self.result.shown.append(ghost.text)
        self.last_shown = ghost.text

    async def _count(self, keystroke: Keystroke) -> None:
        """Note what the host has counted since the answer before."""
        async with self.counting:
            counted = await host_counts(self.host)
            keystroke.counts, self.counted = counted.since(self.counted), counted


@asynccontextmanager
async def _opened(session: Session, recording: Recording, folder: Path) -> AsyncIterator[str]:
    uri = session.open(folder / recording.path, recording.text)
    yield uri
    session.close(uri)


def _left(ghost: str | None, stroke: Stroke) -> str | None:
    """Return what an editor still shows of a ghost text after a key: the rest, where the key agrees with it."""
    if ghost and isinstance(stroke.key, Type) and ghost.startswith(stroke.key.text):
        return ghost[len(stroke.key.text) :] or None
    return None
