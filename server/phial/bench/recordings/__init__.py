"""Recorded typing: a file as it was, and each key with the milliseconds since the one before. Made by ourselves.

A recording is a file of JSON lines. The first has `path` and `lines`, the file. Each other has `after`, the
milliseconds before each of its keys, and what they do: `type` a text, `erase` so many characters to the left,
`move` the cursor to these lines and columns, or `accept` the ghost text. A line end is typed together with the
indentation after it, as editors do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

LONG_FILE = "scheduler"
"""The recording of twenty lines typed in a file of six hundred."""

_KEY = re.compile(r"\n[ \t]*|[^\n]")


@dataclass(frozen=True)
class Type:
    """Type a character, or a line end with indentation."""

    text: str


@dataclass(frozen=True)
class Erase:
    """Erase the character left of the cursor."""


@dataclass(frozen=True)
class Move:
    """Move the cursor."""

    line: int
    column: int


@dataclass(frozen=True)
class Accept:
    """Insert the ghost text, if there is any."""


Key: TypeAlias = "Type | Erase | Move | Accept"


@dataclass(frozen=True)
class Press:
    """A key, and how many seconds it comes after the one before."""

    key: Key
    after: float


@dataclass(frozen=True)
class Recording:
    """A file, and what was typed in it."""

    name: str
    path: str
    text: str
    presses: tuple[Press, ...]


def names() -> list[str]:
    """Return the names of all recordings."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".jsonl") for file in files if file.name.endswith(".jsonl"))


def load(name: str) -> Recording:
    """Read a recording."""
    return parse(name, resources.files(__name__).joinpath(f"{name}.jsonl").read_text(encoding="utf-8"))


def parse(name: str, lines: str) -> Recording:
    """Return the recording that JSON lines describe."""
    head, *rest = map(json.loads, lines.splitlines())
    presses = tuple(press for line in rest for press in _presses(line))
    return Recording(name, head["path"], "\n".join(head["lines"]), presses)


def _presses(line: dict[str, Any]) -> Iterator[Press]:
    keys = list(_keys(line))
    for key, milliseconds in zip(keys, line["after"], strict=True):
        yield Press(key, milliseconds / 1000)


def _keys(line: dict[str, Any]) -> Iterator[Key]:
    yield from map(Type, _KEY.findall(line.get("type", "")))
    yield from (Erase() for _ in range(line.get("erase", 0)))
    yield from (Move(*place) for place in line.get("move", ()))
    if line.get("accept"):
        yield Accept()
