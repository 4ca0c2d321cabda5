"""A hole: a piece cut out of a function whose examples tell whether what is put there instead does the same."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from evaluation.sources import Source

Kind = Literal["rest", "line", "block", "word", "closed"]
Half = Literal["train", "test"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""`word` begins behind a letter of a name, `closed` ends before brackets that the editor has closed already."""

_CHANCE = 20
"""Characters: what is no longer than this may well stand twice in a file."""


@dataclass(frozen=True)
class Spot:
    """Where a hole can be dug: offsets into the source's text, and which sort of its kind it is."""

    kind: Kind
    detail: str
    start: int
    end: int


@dataclass(frozen=True)
class Function:
    """A function with examples, and all spots in its body. `tests` is what its language's scorer takes."""

    source: Source
    name: str
    tests: str
    body: str
    spots: tuple[Spot, ...]

    @property
    def id(self) -> str:
        """What names it across runs."""
        package = self.source.package
        return f"{package.name}-{package.version}/{self.source.path}:{self.name}"

    @property
    def half(self) -> Half:
        """The half that it is in with all its holes, whatever the seed."""
        return "train" if hashlib.sha256(self.id.encode()).digest()[0] % 2 else "test"


@dataclass(frozen=True)
class Shown:
    """Ghost text, and how many characters before and after the cursor it takes the place of.

    `logprobs` are those of its tokens, and of the one behind them, where they are known.
    """

    text: str
    before: int = 0
    after: int = 0
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Hole:
    """A spot of a function."""

    function: Function
    spot: Spot

    @property
    def id(self) -> str:
        """What names it across runs."""
        return f"{self.function.id}:{self.spot.kind}:{self.spot.start}-{self.spot.end}"

    @property
    def prefix(self) -> str:
        """All that stands before it: it ends at the cursor."""
        return self.function.source.text[: self.spot.start]

    @property
    def truth(self) -> str:
        """What has been cut out."""
        return self.function.source.text[self.spot.start : self.spot.end]

    @property
    def suffix(self) -> str:
        """All that stands behind it."""
        return self.function.source.text[self.spot.end :]

    def filled(self, text: str) -> str:
        """Return the whole source with a text in the hole."""
        return self.prefix + text + self.suffix

    def completed(self, shown: Shown) -> str:
        """Return the whole source as it is once what is shown has been accepted."""
        prefix = self.prefix[: len(self.prefix) - shown.before]
        return prefix + shown.text + self.suffix[shown.after :]


def dig(function: Function, kind: Kind, seed: int) -> Iterator[Hole]:
    """Yield the holes of a kind in a function, in an order that the seed decides; each sort has the same chance.

    One whose answer stands in the context is none.
    """
    draw = random.Random(f"{seed} {function.id} {kind}")
    spots = [spot for spot in function.spots if spot.kind == kind]
    draw.shuffle(spots)
    sorts = {detail: [spot for spot in spots if spot.detail == detail] for detail in _details(spots)}
    while sorts:
        detail = draw.choice(list(sorts))
        hole = Hole(function, sorts[detail].pop())
        sorts = {name: left for name, left in sorts.items() if left}
        if not tells_answer(hole):
            yield hole


def tells_answer(hole: Hole) -> bool:
    """Return whether the hole's text, however it is indented and wrapped, stands elsewhere in the file."""
    answer = one_line(hole.truth)
    return len(answer) > _CHANCE and (answer in one_line(hole.prefix) or answer in one_line(hole.suffix))


def distinct(functions: Iterable[Function]) -> Iterator[Function]:
    """Drop the functions whose body another one has as well: the two halves share none."""
    seen: set[str] = set()
    for function in functions:
        body = one_line(function.body)
        if body not in seen:
            seen.add(body)
            yield function


def _details(spots: Iterable[Spot]) -> list[str]:
    return sorted({spot.detail for spot in spots})


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
