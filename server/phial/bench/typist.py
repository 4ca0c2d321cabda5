"""What the keys of a recording do to a file, whatever ghost text there is: pure.

The file ends as it was recorded with any model. What was accepted stays as far as the recording goes on with it,
and these characters need not be typed any more; the rest is removed again by the next key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from phial.bench.recordings import Accept, Erase, Key, Move, Press, Recording, Type

Place = tuple[int, int]


@dataclass(frozen=True)
class Edit:
    """A change of the file as LSP tells it: a range, by lines and columns from 0, and the text in its place."""

    start: Place
    end: Place
    text: str


@dataclass(frozen=True)
class Stroke:
    """What a key has done; `asks` is whether an editor asks for ghost text after it."""

    key: Key
    edits: tuple[Edit, ...] = ()
    asks: bool = False


class Typist:
    """A file in which a recording is typed, and the cursor in it."""

    def __init__(self, recording: Recording) -> None:
        self.text = recording.text
        self.accepted = 0
        """Characters that were accepted, and stayed."""
        self._presses = recording.presses
        self._cursor = 0
        self._next = 0
        self._typed_already = 0
        self._surplus = 0

    @property
    def place(self) -> Place:
        """The cursor's line and column."""
        return self._place(self._cursor)

    def presses(self) -> Iterator[Press]:
        """Yield the keys that are to be pressed, one by one: those whose text was accepted are not."""
        for number, press in enumerate(self._presses):
            self._next = number + 1
            if self._typed_already and isinstance(press.key, Type):
                self._typed_already -= len(press.key.text)
                continue
            yield press

    def press(self, key: Key, ghost: str | None) -> Stroke:
        """Press a key while a ghost text is shown, or none."""
        if isinstance(key, Accept):
            return self._accept(ghost)
        tidied = self._without_surplus()
        if isinstance(key, Move):
            self._cursor = self._offset(key.line, key.column)
            return Stroke(key, tidied)
        start = self._cursor - 1 if isinstance(key, Erase) else self._cursor
        edit = self._replace(start, self._cursor, key.text if isinstance(key, Type) else "")
        return Stroke(key, (*tidied, edit), asks=True)

    def insertable(self, ghost: str, replaces: int) -> str | None:
        """Return what a ghost text adds at the cursor: what it takes the place of, its end says again."""
        replaced = self.text[self._cursor : self._cursor + replaces]
        return ghost.removesuffix(replaced) or None if ghost.endswith(replaced) else None

    def _accept(self, ghost: str | None) -> Stroke:
        if not ghost:
            return Stroke(Accept())
        tidied = self._without_surplus()
        kept = self._agreed(ghost)
        edit = self._replace(self._cursor, self._cursor, ghost)
        self.accepted += kept
        self._typed_already, self._surplus = kept, len(ghost) - kept
        return Stroke(Accept(), (*tidied, edit), asks=True)

    def _agreed(self, ghost: str) -> int:
        """Return how many characters of a ghost text are what is typed next, key by key."""
        agreed = 0
        for text in _texts(self._presses[self._next :]):
            if not ghost.startswith(text, agreed):
                break
            agreed += len(text)
        return agreed

    def _without_surplus(self) -> tuple[Edit, ...]:
        surplus, self._surplus = self._surplus, 0
        return (self._replace(self._cursor - surplus, self._cursor, ""),) if surplus else ()

    def _replace(self, start: int, end: int, text: str) -> Edit:
        edit = Edit(self._place(start), self._place(end), text)
        self.text = self.text[:start] + text + self.text[end:]
        self._cursor = start + len(text)
        return edit

    def _place(self, offset: int) -> Place:
        line_start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, offset), offset - line_start

    def _offset(self, line: int, column: int) -> int:
        offset = 0
        for _ in range(line):
            offset = self.text.index("\n", offset) + 1
        return offset + column


def _texts(presses: Sequence[Press]) -> Iterator[str]:
    """Yield what is typed next, until another key is pressed."""
    for press in presses:
        if not isinstance(press.key, Type):
            return
        yield press.key.text
