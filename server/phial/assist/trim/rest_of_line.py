"""The rest of the cursor's line: brackets and quotes that the editor has closed, words that stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from phial.assist.excerpt import Excerpt
from phial.assist.syntax import CLOSER_OF, brackets_left_open


@dataclass(frozen=True)
class Insertion:
    """Text for the cursor, in place of the next `replaces` characters on its line, which it holds again.

    So that the cursor ends behind a bracket that the editor has closed, as if it had been typed over.
    """

    text: str
    replaces: int = 0


def fit_line_rest(text: str, excerpt: Excerpt) -> Insertion:
    """Let a text take the place of what the rest of the line says already, or leave off before it.

    In `foo(|)`, `a, b)` and `a, b) + 1` take the bracket's place; in `foo(|) + 1`, `a) * 2` stops at it.
    """
    rest = excerpt.line_after.rstrip()
    if not rest.strip() or not text:
        return Insertion(text)
    if "\n" in text:
        # A block goes where the editor has closed its bracket only if it closes it by itself.
        return Insertion(text, len(rest)) if text.endswith(rest) else Insertion("")
    repeated = _repeated(text, rest)
    if repeated:
        return Insertion(text if len(text) > repeated else "", repeated if len(text) > repeated else 0)
    ends = _closing(text, rest.lstrip(), excerpt.line_before)
    if not ends:
        return Insertion(text)
    if rest[0] in " \t":
        # The blanks before the bracket are not in the text, so it cannot take their place.
        return Insertion(text[: ends[0] - 1].rstrip())
    is_all = len(ends) == len(rest)
    return Insertion(text if is_all else text[: ends[-1]], len(ends))


def _repeated(text: str, rest: str) -> int:
    """Return how much of the rest of the line the text ends with."""
    for size in range(min(len(rest), len(text)), 0, -1):
        repeated = rest[:size]
        # A part of the rest is chance unless it only closes: `x` typed before `x = 1` repeats nothing.
        closes = repeated.strip(_CLOSING) == "" and repeated.strip() != ""
        # A bracket that the text has opened itself is not the one that stands there already.
        own = repeated.lstrip()[:1] in _BRACKETS and brackets_left_open(text[:-size])
        if text.endswith(repeated) and (closes or repeated == rest) and not own:
            return size
    return 0


def _closing(text: str, rest: str, before: str) -> list[int]:
    """Return where a text ends each of the brackets and quotes that the rest of the line begins with.

    Those that the text opens itself are not among them.
    """
    ends: list[int] = []
    if rest[0] not in _BRACKETS + _QUOTES:
        return ends
    for index, mark in _left_to_close(text, _open_quote(before)):
        if len(ends) == len(rest) or (mark != rest[len(ends)] and mark not in _BRACKETS):
            continue
        if mark != rest[len(ends)]:
            break
        ends.append(index + 1)
    return ends


def _left_to_close(text: str, quote: str) -> Iterator[tuple[int, str]]:
    """Yield the marks of a text that may close what was open before it; `quote`: the one that was, or ""."""
    opened: list[str] = [quote] if quote else []
    was_open = len(opened)
    for found in re.finditer(r"\\.|[\"'`()\[\]{};,:>]", text):
        mark = found.group()
        if opened and opened[-1] in _QUOTES:
            if mark != opened[-1]:
                continue
            opened.pop()
            if was_open and not opened:
                was_open = 0
                yield found.start(), mark
        elif mark in _QUOTES:
            # An apostrophe, and a quote that is still open, opens nothing.
            opened += [mark] if text.find(mark, found.end()) >= 0 else []
        elif mark in CLOSER_OF:
            opened.append(mark)
        elif opened and mark == CLOSER_OF[opened[-1]]:
            opened.pop()
        elif not opened:
            yield found.start(), mark


_BRACKETS = ")]}"
_QUOTES = "\"'`"
_CLOSING = _BRACKETS + _QUOTES + ",;:> \t"


def _open_quote(before: str) -> str:
    """Return the quote that is open at the end of a line's beginning, or ""."""
    quote = ""
    for found in re.finditer(r"\\.|[\"'`]", before):
        mark = found.group()
        if mark == quote:
            quote = ""
        elif not quote and mark in _QUOTES:
            quote = mark
    return quote
