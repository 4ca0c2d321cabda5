"""A text's lines, with where they stand in it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from phial.assist.excerpt import Excerpt


class Line(NamedTuple):
    """A line without its line end, and where it starts."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the line ends, before its line end."""
        return self.start + len(self.text)


# Several filters ask for the same text.
@lru_cache(maxsize=4)
def lines(text: str) -> tuple[Line, ...]:
    """Return the lines of a text, the last one too if it is empty."""
    found, start = [], 0
    for line in text.split("\n"):
        found.append(Line(line, start))
        start += len(line) + 1
    return tuple(found)


# Several filters ask at every token for the same excerpt.
@lru_cache(maxsize=4)
def lines_below(excerpt: Excerpt) -> tuple[str, ...]:
    """Return the lines below the cursor's that are not blank."""
    return tuple(line.rstrip() for line in excerpt.suffix.split("\n")[1:] if line.strip())
