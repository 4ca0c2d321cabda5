"""What the user has been shown and would not have: shown twice for nothing, it is not shown again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from phial.assist.excerpt import Excerpt

Key = TypeVar("Key")
Value = TypeVar("Value")

_REMEMBERED = 64
_TWICE = 2
_TELLING = 200
"""So many characters stand in one place only, as good as always."""


@dataclass
class Rejections:
    """Counts, by document, the ghost texts that were typed past. Nothing tells of it but the next keystrokes."""

    _shown: OrderedDict[str, tuple[Excerpt, tuple[str, ...]]] = field(default_factory=OrderedDict)
    _counts: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)

    def look(self, document: str, excerpt: Excerpt) -> None:
        """Find out from where the cursor is now what became of what was shown last."""
        before, texts = self._shown.get(document, (None, ()))
        if before is None:
            return
        typed = _typed(before, excerpt)
        if typed is not None and any(text.startswith(typed) for text in texts):
            return  # it may still be taken
        del self._shown[document]
        if typed is not None and not any(typed.startswith(text) for text in texts):
            key = _place(before), texts[0]
            _remember(self._counts, key, self._counts.get(key, 0) + 1)

    def show(self, document: str, excerpt: Excerpt, *texts: str) -> None:
        """Remember that a text is being shown, or several to choose from, the first of them at once."""
        _remember(self._shown, document, (excerpt, texts))

    def goes_on(self, document: str, excerpt: Excerpt, text: str) -> bool:
        """Return whether a text is the rest of one that is being shown, as far as it has been typed."""
        before, shown = self._shown.get(document, (None, ()))
        typed = None if before is None else _typed(before, excerpt)
        return typed is not None and typed + text in shown

    def is_unwanted(self, excerpt: Excerpt, text: str) -> bool:
        """Return whether the user has typed past the same text in such a line twice."""
        return self._counts.get((_place(excerpt), text), 0) >= _TWICE


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Put a value last, and forget those that were put there longest ago."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)


def _typed(before: Excerpt, now: Excerpt) -> str | None:
    """Return what was typed since, or None where the cursor went elsewhere."""
    if now.suffix != before.suffix:
        return None
    if now.prefix.startswith(before.prefix):
        return now.prefix[len(before.prefix) :]
    # The window over a long file has moved, or the cursor: what is compared ends where it ended.
    end = before.prefix[-_TELLING:]
    at = now.prefix.rfind(end)
    return None if at < 0 or len(end) < _TELLING else now.prefix[at + len(end) :]


def _place(excerpt: Excerpt) -> str:
    return excerpt.line_before.strip()
