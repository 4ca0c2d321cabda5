"""One run: asks for each hole that has not been asked for yet, and writes a line about it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread

from evaluation import sandbox, score, variants, verdict
from evaluation.askers import Ask, Trigger
from evaluation.holes import Hole, Shown
from evaluation.lines import Line, Lines
from phial import assist


@dataclass(frozen=True)
class Asked:
    """What is asked, beside the hole: of which model, and how."""

    model: str
    starter: bool
    variant: str
    trigger: Trigger
    settings: str


@dataclass(frozen=True)
class Run:
    """A way to ask, and the lines that tell of it."""

    ask: Ask
    asked: Asked
    lines: Lines


async def run(
    holes: Sequence[Hole],
    runs: Sequence[Run],
    told: Callable[[Line], None] = lambda _: None,
    *,
    together: int = 1,
) -> list[list[Line]]:
    """Return the lines of each run, one for each hole in their order; what stands in a file is not asked again.

    A hole is asked of all runs before the next: what there is of runs that were cut off can be compared.
    `together`: holes at the same time. `told` hears of each line.
    """
    code = code_fingerprint()  # of the code that is loaded, whatever becomes of the files meanwhile
    found: list[list[Line]] = [[{}] * len(holes) for _ in runs]
    left = enumerate(holes)

    async def fill() -> None:
        for number, hole in left:
            for lines, one in zip(found, runs, strict=True):
                lines[number] = await _line(hole, one, code)
                told(lines[number])

    filling = [asyncio.create_task(fill()) for _ in range(together)]  # a task group would wrap the errors
    try:
        await asyncio.gather(*filling)
    finally:
        for task in filling:
            task.cancel()
        await asyncio.wait(filling)
    return found


def key_of(hole: Hole, asked: Asked, code: str) -> str:
    """Return what changes with all that decides about an answer; `code` is the fingerprint of what asks."""
    parts = (hole.id, hole.filled(""), hole.spot.start, *asdict(asked).values(), code)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def code_fingerprint() -> str:
    """Return what changes with the code that makes prompts and trims answers.

    How sure a completion must be is not part of it: that is told from the lines.
    """
    files = sorted(Path(assist.__path__[0]).rglob("*.py"))
    return _digest([*(file for file in files if file.name not in _JUDGES), Path(variants.__file__)])


_JUDGES = {"confidence.py", "suggestions.py", "rejections.py", "chat.py"}
"""Files that decide about what has been written, or are no matter of completions."""


def scorer_fingerprint() -> str:
    """Return what changes with the code that scores answers: they are scored again, and not asked for again."""
    return _digest([Path(score.__file__), Path(verdict.__file__), *sorted(sandbox.INSIDE.iterdir())])


async def _line(hole: Hole, run: Run, code: str) -> Line:
    key, lines = key_of(hole, run.asked, code), run.lines
    if key not in lines:
        lines.add({"key": key, **await _answered(hole, run.ask, run.asked)})
    elif lines[key]["scored_by"] != scorer_fingerprint():
        lines.add({**lines[key], **await _scored(hole, _shown_in(lines[key]))})
    return lines[key]


async def _answered(hole: Hole, ask: Ask, asked: Asked) -> dict[str, Any]:
    began = time.perf_counter()
    shown = await ask(hole)
    seconds = time.perf_counter() - began
    function = hole.function
    return {
        "hole": hole.id,
        "function": function.id,
        "language": function.source.package.language,
        "kind": hole.spot.kind,
        "detail": hole.spot.detail,
        "half": function.half,
        **asdict(asked),
        "shown": shown.text if shown else None,
        "replaces": [shown.before, shown.after] if shown else [0, 0],
        "logprobs": shown.logprobs if shown else (),
        "truth": hole.truth,
        "seconds": seconds,
        **await _scored(hole, shown),
    }


async def _scored(hole: Hole, shown: Shown | None) -> dict[str, Any]:
    found = await anyio.to_thread.run_sync(score.score, hole, shown)
    return {**asdict(found), "scored_by": scorer_fingerprint()}


def _shown_in(line: Line) -> Shown | None:
    return Shown(line["shown"], *line["replaces"]) if line["shown"] is not None else None


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
