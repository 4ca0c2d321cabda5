"""From what a model wrote to what can be inserted at the cursor: a chain of small pure filters.

Each takes the text so far and the excerpt, and returns a head of the text. None ever adds a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from phial.assist.excerpt import Excerpt, indentation

Filter = Callable[[str, Excerpt], str]

_OPENERS = (":", "{", "(", "[", "=>", "->", "then", "do", "begin")


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
    before = excerpt.prefix.rstrip()
    return before.endswith(_OPENERS)


def cut_fence(text: str, _: Excerpt) -> str:
    """Stop where the model closes its code block."""
    found = re.search(r"^[ \t]*`{3,}", text, re.MULTILINE)
    return text[: found.start()] if found else text


def cut_line(text: str, excerpt: Excerpt) -> str:
    """Stop at the end of the line unless a block begins at the cursor."""
    return text if opens_block(excerpt) else text.partition("\n")[0]


def cut_dedent(text: str, excerpt: Excerpt) -> str:
    """Stop a block where a line is indented no deeper than the one that opened it, or after its bracket."""
    if not opens_block(excerpt):
        return text
    opener = excerpt.prefix.rstrip().rpartition("\n")[2]
    outside = len(indentation(opener))
    for number, line in enumerate(_lines(text)):
        # The first line goes on from the cursor; its indentation stands in the prefix.
        if number and line.text.strip() and len(indentation(line.text)) <= outside:
            return text[: line.end] if line.text.strip()[0] in ")]}" else text[: line.start]
    return text


def cut_suffix_lines(text: str, excerpt: Excerpt) -> str:
    """Stop at a line that stands below the cursor already."""
    below = next((line.strip() for line in excerpt.suffix.split("\n")[1:] if line.strip()), None)
    if below is None:
        return text
    for number, line in enumerate(_lines(text)):
        if number and line.text.strip() == below:
            return text[: line.start]
    return text


def cut_line_rest(text: str, excerpt: Excerpt) -> str:
    """Drop from the end what the rest of the cursor's line says already: brackets closed, words written."""
    rest = excerpt.line_after.strip()
    head = text.rstrip()
    if not rest or "\n" in head:
        return text
    longest = min(len(rest), len(head))
    overlap = next((size for size in range(longest, 0, -1) if head.endswith(rest[:size])), 0)
    # A shorter overlap is chance: `x` typed before `x = 1` repeats nothing.
    return (
        head[: len(head) - overlap]
        if overlap == len(rest) or rest[:overlap].strip(")]}\"'`,;:>") == ""
        else text
    )


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


def _without_last_line(text: str) -> str:
    return text[: text.rfind("\n") + 1]
