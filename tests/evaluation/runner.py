"""One run: asks for each hole that has not been asked for yet, and writes a line about it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread

from evaluation import variants
from evaluation.askers import Ask, Trigger
from evaluation.holes import Hole
from evaluation.lines import Line, Lines
from evaluation.score import score
from phial import assist


@dataclass(frozen=True)
class Asked:
    """What is asked, beside the hole: of which model, and how."""

    model: str
    variant: str
    trigger: Trigger
    settings: str


async def run(
    holes: Sequence[Hole],
    ask: Ask,
    asked: Asked,
    lines: Lines,
    told: Callable[[Line], None] = lambda _: None,
) -> list[Line]:
    """Return a line for each hole, in their order; those that stand in the file already are not asked again."""
    found = []
    for hole in holes:
        key = key_of(hole, asked)
        if key not in lines:
            lines.add({"key": key, **await _answered(hole, ask, asked)})
            told(lines[key])
        found.append(lines[key])
    return found


def key_of(hole: Hole, asked: Asked) -> str:
    """Return what changes with all that decides about an answer, the code that asks included."""
    parts = (hole.id, hole.filled(""), str(hole.spot.start), *asdict(asked).values(), code_fingerprint())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def code_fingerprint() -> str:
    """Return what changes with the code that makes prompts and trims answers."""
    digest = hashlib.sha256()
    for file in (*sorted(Path(assist.__path__[0]).rglob("*.py")), Path(variants.__file__)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


async def _answered(hole: Hole, ask: Ask, asked: Asked) -> dict[str, Any]:
    began = time.perf_counter()
    shown = await ask(hole)
    seconds = time.perf_counter() - began
    about = await anyio.to_thread.run_sync(score, hole, shown)
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
        "truth": hole.truth,
        "seconds": seconds,
        **asdict(about),
    }
