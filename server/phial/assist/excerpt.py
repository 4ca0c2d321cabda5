"""What stands around the cursor, as plain text: the last place that knows of positions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

PREFIX_CHARS = 4_000
SUFFIX_CHARS = 1_500
"""The most that a model is told of the lines below the cursor's, and of the rest of that line."""

_STEPS = 4
"""In how many steps a window moves through its own length."""


@dataclass(frozen=True)
class Snippet:
    """A piece of code from somewhere else."""

    code: str
    path: str = ""
    language: str = ""


@dataclass(frozen=True)
class Excerpt:
    """The text before and after the cursor, with the file's path and language id as the editor knows them.

    `related` is what a model may read first; it makes no other excerpt of the same place.
    """

    prefix: str
    suffix: str
    path: str = ""
    language: str = ""
    related: tuple[Snippet, ...] = field(default=(), compare=False)

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.prefix.rpartition("\n")[2]

    @property
    def line_after(self) -> str:
        """The cursor's line from the cursor on, without its line end."""
        return self.suffix.partition("\n")[0]

    @property
    def below(self) -> str:
        """What stands behind the cursor and does not change while one types: the next lines that say something.

        With the rest of the cursor's line, where that is more than an editor closes by itself. What only
        closes is left out further down as well, so that Enter between two brackets changes nothing.
        """
        is_closed = _ONLY_CLOSES.fullmatch(self.line_after)
        return _CLOSED.sub("", self.suffix.partition("\n")[2] if is_closed else self.suffix)

    @property
    def indentation(self) -> str:
        """The blanks that the cursor's line begins with."""
        return indentation(self.line_before)


def excerpt_around(
    before: str, after: str, *, sizes: tuple[int, int] | None = None, path: str = "", language: str = ""
) -> Excerpt:
    """Make an excerpt of the windows around the cursor; one cut by the window ends on a line end.

    The texts may be all that there is. Of a large document they may be `PREFIX_CHARS` and twice
    `SUFFIX_CHARS`; `sizes` are then those of the whole. A window moves by a quarter of its length at a time:
    until then a prompt only grows at its end, and the cache holds the rest of it. Line ends become LF, and a
    byte order mark is dropped: a model has seen neither.
    """
    size_before, size_after = sizes or (len(before), len(after))
    prefix = _window_before(before, size_before)
    suffix = _window_after(after, size_after)
    return Excerpt(_plain(prefix).removeprefix("\ufeff"), _plain(suffix), path, language)


def whole_lines_before(prefix: str) -> str:
    """Drop the first line, which a window has cut, unless it is all there is."""
    return prefix.partition("\n")[2] or prefix


def whole_lines_after(suffix: str) -> str:
    """Drop the last line, which a window has cut, unless it is all there is."""
    head, newline, _ = suffix.rpartition("\n")
    return head + newline or suffix


def _window_before(text: str, size: int) -> str:
    """Cut a text of which the end counts; the cut stands at a multiple of the step from its beginning."""
    kept = _kept(size, PREFIX_CHARS)
    return text if kept == size else whole_lines_before(text[-kept:])


def _window_after(text: str, size: int) -> str:
    """Cut a text of which the beginning counts; the cut stands at a multiple of the step from its end.

    The cursor's line does not count: typing in it, with all that an editor closes, moves no window.
    """
    rest, newline, below = text.partition("\n")
    if len(rest) >= SUFFIX_CHARS:
        return rest[:SUFFIX_CHARS]
    below_size = size - len(rest) - len(newline)
    kept = _kept(below_size, SUFFIX_CHARS)
    return rest + newline + (below if kept == below_size else whole_lines_after(below[:kept]))


def _kept(size: int, longest: int) -> int:
    """Return how much of a text to keep, so that what is dropped is a multiple of the step."""
    step = longest // _STEPS
    return size - max(0, -(-(size - longest) // step)) * step


_ONLY_CLOSES = re.compile(r"[)\]}>\"'`,;: \t]*")
_CLOSED = re.compile(r"\A(?:[)\]}>\"'`,;: \t]*\n)*(?:[)\]}>\"'`,;: \t]*\Z)?")


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def indentation(line: str) -> str:
    """Return the blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]
