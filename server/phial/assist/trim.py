"""From what a model wrote to what can be inserted at the cursor: a chain of small pure filters.

Each takes the text so far and the excerpt, and returns a head of the text. None ever adds a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from phial.assist.excerpt import Excerpt, indentation

Filter = Callable[[str, Excerpt], str]

_OPENER = re.compile(r"(?:[:{(\[]|[=-]>|\b(?:then|do|begin))\s*\Z")
_CLOSERS = ")]}"


def trim(text: str, excerpt: Excerpt, *, whole: bool = True, max_lines: int = 12) -> str:
    """Return what of a model's text to insert; "" for nothing. `whole`: the model has ended by itself."""
    if not whole and opens_block(excerpt):
        text = _without_last_line(text)
    for filtered in _FILTERS:
        text = filtered(text, excerpt)
    return "\n".join(text.split("\n")[:max_lines]).rstrip() if text.strip() else ""


def is_complete(text: str, excerpt: Excerpt, *, max_lines: int = 12) -> bool:
    """Return whether nothing that the model may still write can become part of what is inserted.

    True once a filter cuts before the last line of the text, which alone may still grow.
    """
    head = _without_last_line(text)
    if head.count("\n") >= max_lines:
        return True
    kept = text
    for filtered in _FILTERS:
        kept = filtered(kept, excerpt)
    return len(kept) < len(head) or (not opens_block(excerpt) and "\n" in text)


def opens_block(excerpt: Excerpt) -> bool:
    """Return whether a block begins at the cursor: after an opener, with nothing behind it on the line."""
    if excerpt.line_after.strip():
        return False
    return _OPENER.search(_line_said_last(excerpt)) is not None


def cut_fence(text: str, _: Excerpt) -> str:
    """Stop where the model closes its code block."""
    found = re.search(r"^[ \t]*`{3,}", text, re.MULTILINE)
    return text[: found.start()] if found else text


def cut_line(text: str, excerpt: Excerpt) -> str:
    """Stop at the end of the line unless a block begins at the cursor."""
    return text if opens_block(excerpt) else text.partition("\n")[0]


def cut_dedent(text: str, excerpt: Excerpt) -> str:
    """Stop a block where a line is indented no deeper than the one that opened it, or after its bracket.

    A line like `} else {` closes a block and opens the next, which belongs to it.
    """
    if not opens_block(excerpt):
        return text
    outside = len(indentation(_line_said_last(excerpt)))
    for number, line in enumerate(_lines(text)):
        # The first line goes on from the cursor; its indentation stands in the prefix.
        if not number or not line.text.strip() or len(indentation(line.text)) > outside:
            continue
        if line.text.strip()[0] not in _CLOSERS:
            return text[: line.start]
        if not _OPENER.search(line.text):
            return text[: line.end]
    return text


def cut_suffix_lines(text: str, excerpt: Excerpt) -> str:
    """Stop at a line that stands below the cursor already, with the same indentation."""
    below = next((line.rstrip() for line in excerpt.suffix.split("\n")[1:] if line.strip()), None)
    for number, line in enumerate(_lines(text)):
        whole = line.text if number else excerpt.line_before + line.text
        if line.text.strip() and whole.rstrip() == below:
            return text[: line.start]
    return text


def cut_line_rest(text: str, excerpt: Excerpt) -> str:
    """Drop from the end what the rest of the cursor's line says already: brackets closed, words written."""
    rest = excerpt.line_after.strip()
    head = text.rstrip()
    if not rest or "\n" in head:
        return text
    for size in range(min(len(rest), len(head)), 0, -1):
        kept, repeated = head[:-size], rest[:size]
        # A part of the rest is chance unless it only closes: `x` typed before `x = 1` repeats nothing.
        closes = repeated.strip(_CLOSERS + "\"'`,;:>") == ""
        # A bracket that the text has opened itself is not the one that stands there already.
        own = repeated[0] in _CLOSERS and _leaves_open(kept)
        if head.endswith(repeated) and (closes or repeated == rest) and not own:
            return kept
    return text


_FILTERS: tuple[Filter, ...] = (cut_fence, cut_line, cut_dedent, cut_suffix_lines, cut_line_rest)


@dataclass(frozen=True)
class _Line:
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for line in text.split("\n"):
        yield _Line(line, start)
        start += len(line) + 1


def _line_said_last(excerpt: Excerpt) -> str:
    """Return the last line before the cursor that is not blank: what opens a block, if one begins."""
    return excerpt.prefix.rstrip().rpartition("\n")[2]


def _leaves_open(text: str) -> bool:
    depth = 0
    for character in text:
        if character in _CLOSERS:
            depth = max(0, depth - 1)
        elif character in "([{":
            depth += 1
    return depth > 0


def _without_last_line(text: str) -> str:
    return text[: text.rfind("\n") + 1]
