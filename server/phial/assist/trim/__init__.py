"""From what a model wrote to what can be inserted at the cursor: a chain of small pure filters.

Each takes the text so far and the excerpt, and returns a head of the text. None ever adds a character.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from phial.assist.excerpt import Excerpt
from phial.assist.syntax import opens_block
from phial.assist.trim.blocks import cut_body, cut_dedent, cut_line
from phial.assist.trim.noise import cut_chatter, cut_control_token, cut_fence, cut_loop, cut_noise
from phial.assist.trim.rest_of_line import Insertion, fit_line_rest
from phial.assist.trim.soundness import sound_head
from phial.assist.trim.surroundings import cut_echo, cut_suffix_lines

__all__ = ["Insertion", "is_complete", "trim"]

Filter = Callable[[str, Excerpt], str]


def trim(text: str, excerpt: Excerpt, *, whole: bool = True, max_lines: int = 12) -> Insertion:
    """Return what of a model's text to insert; "" for nothing. `whole`: the model has ended by itself."""
    if not whole and ("\n" in text or opens_block(excerpt)):
        text = _without_last_line(text)
    while True:
        found = _settled(text, excerpt, max_lines)
        text = cut_noise(sound_head(found.text, excerpt, found.replaces), excerpt).rstrip()
        if text == found.text:
            return found


def is_complete(text: str, excerpt: Excerpt, *, max_lines: int = 12) -> bool:
    """Return whether nothing that the model may still write can become part of what is inserted.

    True once a filter cuts before the last line of the text, which alone may still grow.
    """
    head = _without_last_line(text)
    if head.count("\n") >= max_lines:
        return True
    return len(_cut(text, excerpt)) < len(head)


# These decide line by line: what they cut off stays off, whatever the model still writes.
_CUTS: tuple[Filter, ...] = (
    cut_control_token,
    cut_fence,
    cut_chatter,
    cut_body,
    cut_line,
    cut_dedent,
    cut_suffix_lines,
    cut_echo,
    cut_loop,
)


def _settled(text: str, excerpt: Excerpt, max_lines: int) -> Insertion:
    """Return what the filters leave, again and again: what one cuts can bare what an earlier one is for."""
    while True:
        head = "\n".join(text.split("\n")[:max_lines])
        found = fit_line_rest(_cut(head, excerpt).rstrip(), excerpt)
        if found.text == text:
            return found
        text = found.text


# Asked for the same text by who leaves the model, and by who waits for what it writes.
@lru_cache(maxsize=4)
def _cut(text: str, excerpt: Excerpt) -> str:
    for filtered in _CUTS:
        text = filtered(text, excerpt)
    return text


def _without_last_line(text: str) -> str:
    return text[: text.rfind("\n") + 1]
