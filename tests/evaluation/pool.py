"""Which holes to use: those whose examples pass untouched and fail when nothing is put there."""

from __future__ import annotations

import functools
import hashlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evaluation import javascript, python_code, sandbox
from evaluation.holes import Function, Half, Hole, Kind, dig, distinct
from evaluation.lines import Lines
from evaluation.sources import CACHE, PACKAGES, Language, sources
from evaluation.verdict import examine

SIZES: dict[Language, int] = {"python": 120, "javascript": 40}
"""Holes of each kind in each half, at most."""

_OF_ONE_PACKAGE = 150
"""Functions in each half, at most: no package is to decide alone."""

_TRIES = 4
"""Holes of a kind to try in a function: most that pass when empty stand in branches that no example takes."""

_SLOWEST = 2.0
"""Seconds that a function's examples may take, the start of the interpreter included."""

_BATCH = 8


class Pool:
    """Knows, across runs, which functions and holes are good. `judge` is told each that it has to try."""

    def __init__(self, seed: int, *, jobs: int, judged: Callable[[str], None] = lambda _: None) -> None:
        self._seed = seed
        self._jobs = jobs
        self._judged = judged
        self._known = Lines(CACHE / f"holes-{_fingerprint()}.jsonl")

    def choose(self, language: Language, kind: Kind, half: Half, wanted: int) -> list[Hole]:
        """Return holes of a kind, one per function: the same for the same seed, and fewer are a head of more."""
        found: list[Hole] = []
        order = ordered(functions(language), half, self._seed)
        with ThreadPoolExecutor(self._jobs) as threads:
            for batch in _batches(order):
                if len(found) >= wanted:
                    break
                holes = threads.map(functools.partial(self._first, kind), batch)
                found += [hole for hole in holes if hole]
        return found[:wanted]

    def _first(self, kind: Kind, function: Function) -> Hole | None:
        candidates = [hole for hole, _ in zip(dig(function, kind, self._seed), range(_TRIES), strict=False)]
        if not candidates or not self._recall(function.id, lambda: _passes_untouched(function)):
            return None
        return next((hole for hole in candidates if self._recall(hole.id, lambda: _fails_empty(hole))), None)  # noqa: B023 - called at once

    def _recall(self, name: str, judge: Callable[[], bool]) -> bool:
        if name not in self._known:
            self._judged(name)
            self._known.add({"key": name, "good": judge()})
        return bool(self._known[name]["good"])


@functools.cache
def functions(language: Language) -> tuple[Function, ...]:
    """Return all functions with examples, no two with the same body."""
    find = {"python": python_code.functions, "javascript": javascript.functions}[language]
    return tuple(distinct(function for source in sources(language) for function in find(source)))


def ordered(found: Sequence[Function], half: Half, seed: int) -> list[Function]:
    """Return the functions of a half in the order to use them in."""
    order = [function for function in found if function.half == half]
    random.Random(seed).shuffle(order)
    counts: Counter[str] = Counter()
    kept = []
    for function in order:
        counts[function.source.package.name] += 1
        if counts[function.source.package.name] <= _OF_ONE_PACKAGE:
            kept.append(function)
    return kept


def _passes_untouched(function: Function) -> bool:
    began = time.monotonic()
    return examine(function, function.source.text).passed and time.monotonic() - began < _SLOWEST


def _fails_empty(hole: Hole) -> bool:
    return not examine(hole.function, hole.filled("")).passed


def _batches(order: Sequence[Function]) -> Iterator[Sequence[Function]]:
    return (order[at : at + _BATCH] for at in range(0, len(order), _BATCH))


def _fingerprint() -> str:
    """Return what changes when a hole that was good may no longer be."""
    digest = hashlib.sha256(repr((PACKAGES, sys.version_info[:2])).encode())
    here = Path(__file__).parent
    for file in (*sorted(sandbox.INSIDE.glob("*.*")), here / "verdict.py", here / "sandbox.py"):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
