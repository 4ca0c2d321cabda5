"""How far a pull is, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["waiting", "finding", "downloading", "extracting", "converting", "installing"]


@dataclass(frozen=True)
class Progress:
    """How far a stage is; `waiting` is for another install to end.

    `done` and `total` are bytes; a `total` of 0 means that the stage cannot be measured.
    """

    stage: Stage
    done: int = 0
    total: int = 0


Told = Callable[[Progress], None]
"""Is told each step of a pull."""
