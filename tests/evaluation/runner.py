"""One run: asks for each hole that has not been asked for yet, and writes a line about it."""

from __future__ import annotations

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


async def run(
    holes: Sequence[Hole],
    ask: Ask,
    asked: Asked,
    lines: Lines,
    told: Callable[[Line], None] = lambda _: None,
) -> list[Line]:
    """Return a line for each hole, in their order; those that stand in the file already are not asked again.

    `told` hears of each.
    """
    found = []
    code = (
        code_fingerprint()
    )  # of the code that the server has loaded, whatever becomes of the files meanwhile
    for hole in holes:
        key = key_of(hole, asked, code)
        if key not in lines:
            lines.add({"key": key, **await _answered(hole, ask, asked)})
        elif lines[key]["scored_by"] != scorer_fingerprint():
            lines.add({**lines[key], **await _scored(hole, _shown_in(lines[key]))})
        told(lines[key])
        found.append(lines[key])
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
