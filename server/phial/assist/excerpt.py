"""What stands around the cursor, as plain text: the last place that knows of positions."""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX_CHARS = 4_000
SUFFIX_CHARS = 1_500


@dataclass(frozen=True)
class Excerpt:
    """The text before and after the cursor, with the file's path and language id as the editor knows them."""

    prefix: str
    suffix: str
    path: str = ""
    language: str = ""

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.prefix.rpartition("\n")[2]

    @property
    def line_after(self) -> str:
        """The cursor's line from the cursor on, without its line end."""
        return self.suffix.partition("\n")[0]

    @property
    def indentation(self) -> str:
        """The blanks that the cursor's line begins with."""
        return indentation(self.line_before)


def excerpt_around(before: str, after: str, *, path: str = "", language: str = "") -> Excerpt:
    """Make an excerpt of the windows around the cursor; one cut by the window ends on a line end.

    Line ends become LF, and a byte order mark is dropped: a model has seen neither.
    """
    prefix = whole_lines_before(before) if len(before) >= PREFIX_CHARS else before
    suffix = whole_lines_after(after) if len(after) >= SUFFIX_CHARS else after
    return Excerpt(_plain(prefix).removeprefix("\ufeff"), _plain(suffix), path, language)


def whole_lines_before(prefix: str) -> str:
    """Drop the first line, which a window has cut, unless it is all there is."""
    return prefix.partition("\n")[2] or prefix


def whole_lines_after(suffix: str) -> str:
    """Drop the last line, which a window has cut, unless it is all there is."""
    head, newline, _ = suffix.rpartition("\n")
    return head + newline or suffix


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def indentation(line: str) -> str:
    """Return the blanks that a line begins with."""
    blanks = re.match(r"[ \t]*", line)
    return blanks.group() if blanks else ""
