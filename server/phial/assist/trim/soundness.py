"""Which head of a text leaves the file no worse than it was, as a parser sees it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from phial.assist.excerpt import Excerpt, indentation
from phial.assist.syntax import (
    CLOSER_OF,
    COMMENT_BEGIN,
    block_at,
    brackets_left_open,
    error_count,
    is_at_depth,
    is_inside_text,
)
from phial.assist.trim.lines import lines_below
from phial.assist.window import DEFINITION, STATEMENT, around_definition, without_cut_off

WINDOW_AFTER = 800
"""Characters parsed after the cursor."""


def sound_head(written: str, excerpt: Excerpt, replaces: int = 0) -> str:
    """Return the longest head of whole lines with which the file parses no worse than without.

    What a head leaves open may be closed further down, or not yet: both are tried. Without a grammar for
    the language, and inside a comment or a long string, all of it is sound.
    """
    if is_inside_text(without_cut_off(excerpt.prefix, excerpt.language), excerpt.language):
        return written
    if written[:1] in {" ", "\t"} and is_at_depth(excerpt):
        return ""
    prefix, suffix = _window(excerpt)
    lines = written.split("\n")
    # A parse costs half a millisecond: what is wrong further up is looked for in larger steps.
    sizes = {len(lines), len(lines) - 1, len(lines) - 2, len(lines) // 2, len(lines) // 4, 1} - {-1, 0}
    for size in sorted(sizes, reverse=True):
        head = "\n".join(lines[:size])
        if not _fits_below(head, excerpt):
            continue
        rest = suffix[replaces:] if head == written else suffix
        texts = dict.fromkeys((_closed(head, excerpt), head))
        counts = (error_count(prefix + text + rest, excerpt.language) or 0 for text in texts)
        without = _without(prefix, suffix, excerpt, strict=not _goes_on(head, excerpt))
        if any(_is_no_worse(errors, without, excerpt.language) for errors in counts):
            return head
    return ""


def _closed(head: str, excerpt: Excerpt) -> str:
    """Close what a text leaves open, in the simplest way: for a parser, never for a user."""
    closers = "".join(CLOSER_OF[bracket] for bracket in reversed(brackets_left_open(head)))
    last_line = (excerpt.line_before + head).rpartition("\n")[2]
    if excerpt.language == "python" and not closers and last_line.rstrip().endswith(":"):
        return f"{head}\n{indentation(last_line)}        pass\n"
    opener = re.search(r"\b(do|then)\s*\Z", last_line)
    if excerpt.language == "shellscript" and opener:
        return f"{head}\n:\n{_SHELL_END[opener.group(1)]}{closers}"
    return head + closers


_SHELL_END = {"do": "done", "then": "fi"}


def _fits_below(head: str, excerpt: Excerpt) -> bool:
    """Return whether the line below may stand there by its indentation, which the parser does not mind."""
    below = next(iter(lines_below(excerpt)), None)
    if excerpt.language != "python" or excerpt.line_after.strip() or (below is None and "\n" not in head):
        return True
    above = excerpt.prefix.removesuffix(excerpt.line_before)
    code = above + _COMMENTS_AT_END.sub("", (excerpt.line_before + head).rstrip())
    *_, last = code.split("\n")
    if (
        last.lstrip().startswith("#")
        or last.endswith("\\")
        or brackets_left_open(around_definition(code, excerpt.language))
    ):
        return True
    block = block_at(replace(excerpt, prefix=code))
    is_opener = block is not None and block.opener != ""
    return is_opener == (below is not None and len(indentation(below)) > len(indentation(last)))


_COMMENTS_AT_END = re.compile(r"(?:\n[ \t]*#.*|\n[ \t]*)+\Z")


def _goes_on(head: str, excerpt: Excerpt) -> bool:
    """Return whether the last line of a text is to go on below it: in open brackets, or after an operator."""
    last_line = (excerpt.line_before + head).rpartition("\n")[2]
    is_open = brackets_left_open(last_line + excerpt.line_after) != []
    return is_open or last_line.rstrip().endswith(tuple("([{,+-*/%&|=<>?:.\\"))


def _without(prefix: str, suffix: str, excerpt: Excerpt, *, strict: bool) -> Sequence[str]:
    """Return what stands around a cursor; `strict`: first without its line, which may be an error by itself."""
    whole = prefix + suffix
    if not strict:
        return (whole,)
    return prefix.rpartition("\n")[0] + suffix[len(excerpt.line_after) :], whole


def _is_no_worse(errors: int, without: Sequence[str], language_id: str) -> bool:
    # A text without errors is parsed fast, and one with errors slowly: the likelier to have none comes first.
    return not errors or all(errors <= (error_count(text, language_id) or 0) for text in without)


def _window(excerpt: Excerpt) -> tuple[str, str]:
    """Return as much around the cursor as is parsed: whole lines, from one that is indented the least.

    What stands outside of the block that the window begins in would close brackets that it has not.
    """
    above = around_definition(excerpt.prefix, excerpt.language).split("\n")
    depths = {n: len(indentation(line)) for n, line in enumerate(above[:-1]) if STATEMENT.match(line)}
    least = min(depths.values(), default=0)
    first = next((number for number, depth in depths.items() if depth == least), 0)
    if DEFINITION.match(above[first]) and len(excerpt.indentation) > least:
        least += 1  # nothing below the definition is of it
    suffix = excerpt.suffix[:WINDOW_AFTER]
    below = suffix.split("\n")
    if len(suffix) == WINDOW_AFTER:
        below = below[:-1] or below
    outside = (
        n for n, line in enumerate(below) if n and STATEMENT.match(line) and len(indentation(line)) < least
    )
    suffix = "\n".join(below[: next(outside, len(below))])
    open_comment = next(
        (found.start() for found in COMMENT_BEGIN.finditer(suffix) if suffix.find("*/", found.end()) < 0),
        None,
    )
    return "\n".join(above[first:]), suffix[:open_comment]
