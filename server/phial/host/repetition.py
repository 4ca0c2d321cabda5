"""Follows a text, as tokens, where it says again what it has said, and learns what it changes on the way.

An edit is the code again with a few changes, and a rename the same change again and again: what was replaced once is
expected to be replaced the next time.
"""

from __future__ import annotations

from collections.abc import Sequence

_CONTEXT = 6
"""Tokens that must stand before both: fewer are chance."""

_COMPARED = 8
"""Places that are compared by how much more of the text before them is the same, the latest first."""

_REPLAYED = 64
"""Tokens at a prompt's end that are followed: an answer may have been begun there, with a change in it."""

_LONG = 20
"""Tokens in a row that are said again by intent: in code, as many as 12 are the same by chance."""

_REACH = 8
"""Tokens, of what was said and of what is said instead, after which the two must have met again."""

_LONGEST_CHANGE = 4

_Tokens = tuple[int, ...]


class Repetition:
    """A text that grows."""

    def __init__(self) -> None:
        self._followed = 0  # tokens that have been said again in a row, but for changes
        self._text: list[int] = []
        self._places: dict[_Tokens, list[int]] = {}  # behind each run of `_CONTEXT` tokens
        self._at: int | None = None  # the place of the next token, as long as all is said again
        self._left: tuple[int, int] | None = None  # the place where that ended, and where in what is said now
        self._changes: dict[_Tokens, _Tokens] = {}

    @property
    def is_certain(self) -> bool:
        """Whether so much has been said again, or changed, that it is no chance."""
        return self._followed >= _LONG

    def grow(self, tokens: Sequence[int]) -> None:
        """Take what is new of a text that begins with the text so far."""
        followed_from = len(tokens) - _REPLAYED if not self._text else 0
        for number in range(len(self._text), len(tokens)):
            self._append(tokens[number])
            if number >= followed_from:
                self._follow()

    def continuation(self, most: int) -> Sequence[int]:
        """Return what follows if all is said again, at most so many tokens."""
        found: list[int] = []
        at = self._at
        while at is not None and at < len(self._text) and len(found) < most:
            old, new = next(
                (change for change in self._changes.items() if self._stands_at(at, change[0])),
                ((self._text[at],), (self._text[at],)),
            )
            found += new
            at += len(old)
        return found[:most]

    def _append(self, token: int) -> None:
        self._text.append(token)
        if len(self._text) >= _CONTEXT:
            self._places.setdefault(tuple(self._text[-_CONTEXT:]), []).append(len(self._text))

    def _follow(self) -> None:
        token = self._text[-1]
        if self._at is not None and self._text[self._at] == token:
            self._at += 1
            self._followed += 1
            self._forget_changes_not_made(self._at)
            return
        if self._at is not None:
            self._left = (self._at, len(self._text) - 1) if self.is_certain else None
            self._at = None
        if self._left:
            self._rejoin(*self._left)
        if self._at is None:
            self._find()

    def _rejoin(self, place: int, began: int) -> None:
        """Look whether what is said instead has met again with what was said."""
        said = tuple(self._text[began:])
        for old, new in self._changes.items():
            same = _same_at_start(old, new)
            if said == new[same:] and self._stands_at(place - same, old):
                self._at, self._left = place - same + len(old), None
                return
        if len(said) > _REACH:
            self._left, self._followed = None, 0
            return
        for met in range(place + 2, min(place + 2 + _REACH, began) + 1):
            if len(said) >= 2 and self._text[met - 2 : met] == self._text[-2:]:
                self._learn(place, tuple(self._text[place : met - 2]), said[:-2])
                self._at, self._left = met, None
                return

    def _learn(self, place: int, old: _Tokens, new: _Tokens) -> None:
        if not old or not new:  # only together with what stands before is it told from other places
            old, new = (self._text[place - 1], *old), (self._text[place - 1], *new)
        if max(len(old), len(new)) <= _LONGEST_CHANGE:
            self._changes[old] = new

    def _forget_changes_not_made(self, at: int) -> None:
        """Forget what could have been replaced by the last token, and was not."""
        for old, new in list(self._changes.items()):
            same = _same_at_start(old, new)
            # At `at - 1` is what was said again: the first token of `old` in which `new` differs, or what follows.
            if self._stands_at(at - 1 - same, old) and new[same : same + 1] != (self._text[at - 1],):
                del self._changes[old]

    def _find(self) -> None:
        """Find where the last tokens stood before, and of several places that where most before them is the same."""
        places = self._places.get(tuple(self._text[-_CONTEXT:]), [])
        longest = 0
        for place in reversed(places[-_COMPARED - 1 : -1]):
            same = self._same_before(place)
            if same > longest:
                longest, self._at = same, place
        if longest:
            self._left, self._followed = None, longest

    def _same_before(self, place: int) -> int:
        same, text = 0, self._text
        while same < min(place, _LONG) and text[place - 1 - same] == text[len(text) - 1 - same]:
            same += 1
        return same

    def _stands_at(self, place: int, tokens: _Tokens) -> bool:
        return tuple(self._text[place : place + len(tokens)]) == tokens


def _same_at_start(one: _Tokens, other: _Tokens) -> int:
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return same
