"""Where what was wanted ends: the line, or the block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phial.assist.excerpt import Excerpt, indentation
from phial.assist.languages import language
from phial.assist.syntax import CLOSER_OF, Block, block_at, brackets_left_open, opens_block
from phial.assist.trim.lines import Line, lines, lines_below

_CLOSERS = ")]}"


def cut_body(text: str, excerpt: Excerpt) -> str:
    """Stop behind the line that opens a block, where the block stands below already: its line alone was missing."""
    below = next(iter(lines_below(excerpt)), None)
    if below is None or excerpt.line_after.strip() or language(excerpt.language).prose:
        return text
    found = lines(text)
    wholes = [excerpt.line_before + found[0].text, *(line.text for line in found[1:])]
    depth = next((len(indentation(whole)) for whole in wholes if whole.strip()), 0)
    if len(indentation(below)) <= depth:
        return text
    for line, whole in zip(found, wholes, strict=True):
        is_opener = language(excerpt.language).is_opened_by(whole.strip(), fresh=False)
        if is_opener and len(indentation(whole)) == depth:
            return text[: line.end]
    return text


def cut_line(text: str, excerpt: Excerpt) -> str:
    """Stop at the end of the line unless a block begins at the cursor; behind the block if the line opens one."""
    if opens_block(excerpt):
        return text
    line, newline, body = text.partition("\n")
    opened = replace(excerpt, prefix=excerpt.prefix + line)
    block = block_at(opened)
    return line + cut_dedent(newline + body, opened) if newline and block and block.opener else line


def cut_dedent(text: str, excerpt: Excerpt) -> str:
    """Stop a block where a line is indented no deeper than the one that opened it, or after what closes it.

    A line like `} else {` closes a block and opens the next, which belongs to it. Of a paragraph, a blank
    line is the end, too.
    """
    block = block_at(excerpt)
    if block is None:
        return text
    # The first line goes on from the cursor; its indentation stands in the prefix.
    others = lines(text)[1:]
    for number, line in enumerate(others):
        if not line.text.strip():
            continue
        if block.paragraph and _begins_another(text, others, number, excerpt):
            return text[: line.start]
        if len(indentation(line.text)) > block.outside:
            continue
        if not _belongs_to(block, text[: line.start], line, excerpt):
            return text[: line.start]
        if not _goes_on_after(line, excerpt):
            return text[: line.end]
    return text


def _begins_another(text: str, others: Sequence[Line], number: int, excerpt: Excerpt) -> bool:
    """Return whether a line stands after a blank one, and no deeper than the paragraph's first line."""
    if number == 0 or others[number - 1].text.strip() or not text[: others[number].start].strip():
        return False
    first = excerpt.line_before + text.partition("\n")[0]
    if excerpt.line_before.strip() or not first.strip():
        first = next(line.text for line in others if line.text.strip())
    return len(indentation(others[number].text)) <= len(indentation(first))


def _belongs_to(block: Block, head: str, line: Line, excerpt: Excerpt) -> bool:
    """Return whether a line at the opener's side closes what is open and what the suffix does not close."""
    first = line.text.strip()[0]
    known = language(excerpt.language)
    if first in _CLOSERS:
        opened = brackets_left_open(block.opener + head)
        return bool(opened) and CLOSER_OF[opened[-1]] == first and not _is_closed_below(line, block, excerpt)
    if block.paragraph or len(indentation(line.text)) != block.outside:
        return False
    is_word = known.is_ended_by(line.text) or known.is_continued_by(line.text)
    return is_word and not _is_closed_below(line, block, excerpt)


def _is_closed_below(line: Line, block: Block, excerpt: Excerpt) -> bool:
    """Return whether the suffix closes the block: its first line that is no deeper has the same indentation."""
    known = language(excerpt.language)
    below = next((found for found in lines_below(excerpt) if len(indentation(found)) <= block.outside), "")
    if not below or indentation(below) != indentation(line.text):
        return False
    closes = below.strip()[0] in _CLOSERS and below.strip()[0] == line.text.strip()[0]
    return closes or known.is_ended_by(below) or known.is_continued_by(below)


def _goes_on_after(line: Line, excerpt: Excerpt) -> bool:
    known = language(excerpt.language)
    return known.is_continued_by(line.text) or known.is_opened_by(line.text.strip(), fresh=False)
