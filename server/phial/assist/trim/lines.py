"""A text's lines, with where they stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from phial.assist.excerpt import Excerpt


@dataclass(frozen=True)
class Line:
    """A line without its line end, and where it starts."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the line ends, before its line end."""
        return self.start + len(self.text)


def lines(text: str) -> Iterator[Line]:
    """Yield the lines of a text, the last one too if it is empty."""
    start = 0
    for line in text.split("\n"):
        yield Line(line, start)
        start += len(line) + 1


# Several filters ask at every token for the same excerpt.
@lru_cache(maxsize=4)
def lines_below(excerpt: Excerpt) -> tuple[str, ...]:
    """Return the lines below the cursor's that are not blank."""
    return tuple(line.rstrip() for line in excerpt.suffix.split("\n")[1:] if line.strip())
