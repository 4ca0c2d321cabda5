"""What stands around the cursor already: a model likes to write it again."""

from __future__ import annotations

import re
from functools import lru_cache

from phial.assist.excerpt import Excerpt, indentation
from phial.assist.syntax import opens_block
from phial.assist.trim.lines import lines, lines_below


def cut_suffix_lines(text: str, excerpt: Excerpt) -> str:
    """Stop at a line that stands next below the cursor already; a short one, at the same indentation.

    Nearly the same is the same: other quotes, blanks, a comma or semicolon at its end. Other words are
    not: `width` and `height` on lines that are alike otherwise are good code.
    """
    below = next(iter(lines_below(excerpt)), None)
    if below is None:
        return text
    for number, line in enumerate(lines(text)):
        whole = line.text if number else excerpt.line_before + line.text
        if line.text.strip() and _is_same(whole, below):
            return text[: line.start]
    return text


def _is_same(line: str, below: str) -> bool:
    (indent, bare), (indent_below, bare_below) = _skeleton(line), _skeleton(below)
    return bare == bare_below and (indent == indent_below or len(bare) >= _TELLING_CHARS)


def cut_echo(text: str, excerpt: Excerpt) -> str:
    """Drop a text that says what stands left of the cursor, or the line above, once more."""
    typed = excerpt.line_before.lstrip()
    if len(typed) >= _ECHO_CHARS and text.lstrip().startswith(typed):
        return ""
    if opens_block(excerpt) or "\n" not in excerpt.prefix:
        return text
    above = excerpt.prefix.rpartition("\n")[0].rstrip().rpartition("\n")[2].rstrip()
    is_echo = len(above.strip()) >= _ECHO_CHARS and (excerpt.line_before + text).rstrip() == above
    return "" if is_echo and not excerpt.line_after.strip() else text


_ECHO_CHARS = 5
_TELLING_CHARS = 12
"""From here on two lines that are alike are no chance: `return True` may stand at any depth."""


# The line below is compared with each line of each text.
@lru_cache(maxsize=32)
def _skeleton(line: str) -> tuple[str, str]:
    """Return a line's indentation, and the rest without what an author may write in one way or another."""
    bare = re.sub(r"\s+", "", line).replace("'", '"')
    return indentation(line), bare.rstrip(",;") or bare
