"""How much before a cursor is parsed: what belongs to it, and no half of a string."""

from __future__ import annotations

import re
from functools import lru_cache

from phial.assist.excerpt import indentation, whole_lines_before
from phial.assist.languages import language

WINDOW_BEFORE = 2_400
"""Characters: half a millisecond's worth."""


# Asked for the same text by what looks for blocks and by what looks for errors.
@lru_cache(maxsize=8)
def around_definition(prefix: str, language_id: str) -> str:
    """Return the end of a text: in Python from the definition around its last line on, where that is near.

    Other definitions cost time and tell nothing. Elsewhere, the window.
    """
    window = prefix[-WINDOW_BEFORE:]
    window = whole_lines_before(window) if len(prefix) > WINDOW_BEFORE else window
    window = without_cut_off(window, language_id)
    if language_id != "python":
        return window
    lines = window.split("\n")
    least = len(indentation(lines[-1]))
    for number in reversed(range(len(lines) - 1)):
        depth = len(indentation(lines[number]))
        if depth < least and DEFINITION.match(lines[number]):
            return "\n".join(lines[number:])
        if STATEMENT.match(lines[number]):
            least = min(least, depth)
    return window


def without_cut_off(text: str, language_id: str) -> str:
    """Drop the end of a docstring or comment that a window has cut in two: it would turn what follows around."""
    if language_id == "python":
        quotes = min((at for at in map(text.find, ('"""', "'''")) if at >= 0), default=None)
        if quotes is None:
            return text
        line_start = text.rfind("\n", 0, quotes) + 1
        before, behind = text[line_start:quotes], text[quotes + 3 :]
        above = text[:line_start].rstrip()
        alone = not before.strip() and behind.partition("\n")[0].strip() == ""
        ends_prose = before.strip() and not _BEGINS_STRING.search(before)
        is_end = ends_prose or (alone and above != "" and not above.endswith(":"))
        return behind if is_end else text
    if "\n" in text and ("/*", "*/") in language(language_id).block_comments:
        begin, end = text.find("/*"), text.find("*/")
        return text[end + 2 :] if end >= 0 and (begin < 0 or end < begin - 1) else text
    return text


_BEGINS_STRING = re.compile(r"(?:[=(\[{,:+%]|\breturn|\b[rRbBfFuU]{1,2})\s*\Z")
DEFINITION = re.compile(r"[ \t]*(?:async\s+)?(?:def|class)\b")
STATEMENT = re.compile(r"[ \t]*[^\s#*/)\]}.]")
"""A line that begins a statement, or goes on with one at its own depth."""
