"""What each request for a completion cost, for who measures: numbers only, never a text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

How = Literal["declined", "typed-through", "joined", "asked"]
"""Where an answer came from: nobody was asked for one; one that was there already went on serving; one that was
being written was joined; the model was asked for it."""

_KEPT = 1000


@dataclass
class Answer:
    """A request for a completion; `number` counts them from 0, in the order in which they came.

    `how` is what it has come to so far: whoever answers it says so.
    """

    number: int
    how: How = "declined"
    seconds: float = 0.0
    whole: bool = False
    """Whether it was answered: one that was cancelled, or failed, was not."""


class Counters:
    """The latest requests of one window, until somebody takes them."""

    def __init__(self) -> None:
        self._begun = 0
        self._ended: deque[Answer] = deque(maxlen=_KEPT)

    @contextmanager
    def request(self) -> Iterator[Answer]:
        """Count a request from its beginning to its end, however that comes."""
        answer = Answer(self._begun)
        self._begun += 1
        began = perf_counter()
        try:
            yield answer
            answer.whole = True
        finally:
            answer.seconds = perf_counter() - began
            self._ended.append(answer)

    def take(self) -> list[Answer]:
        """Return the requests that have ended since the last time, the latest thousand of them."""
        taken = list(self._ended)
        self._ended.clear()
        return taken
