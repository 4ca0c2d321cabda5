"""Whether the evaluation itself can be believed: the true text passes, nothing does not, no answer lies about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from evaluation.holes import Half, Hole, Kind, Shown, one_line, tells_answer
from evaluation.score import score
from evaluation.siblings import snippets
from evaluation.sources import Language
from evaluation.verdict import examine
from phial.assist.excerpt import excerpt_around

MOST_EMPTY = 0.05
"""The share of holes that may pass with nothing in them."""


@dataclass(frozen=True)
class Honesty:
    """How the holes of a kind in a half do, without any model."""

    language: Language
    kind: Kind
    half: Half
    number: int
    true_passed: int
    empty_passed: int
    answer_in_context: int

    @property
    def holds(self) -> bool:
        """Whether these holes can be believed."""
        return (
            self.number > 0
            and self.true_passed == self.number
            and self.empty_passed < MOST_EMPTY * self.number
            and not self.answer_in_context
        )


def check(
    language: Language,
    kind: Kind,
    half: Half,
    holes: Sequence[Hole],
    *,
    jobs: int,
    judged: Callable[[Hole], None] = lambda _: None,
) -> Honesty:
    """Score the true text and the empty one in each hole."""

    def examined(hole: Hole) -> tuple[bool, bool]:
        true = score(hole, Shown(hole.truth))
        empty = examine(hole.function, hole.filled("")).passed
        judged(hole)
        return true.passed and true.exact and not true.noise, empty

    with ThreadPoolExecutor(jobs) as threads:
        found = list(threads.map(examined, holes))
    return Honesty(
        language,
        kind,
        half,
        len(holes),
        sum(true for true, _ in found),
        sum(empty for _, empty in found),
        sum(tells_answer(hole) or _is_told_by_siblings(hole) for hole in holes),
    )


def _is_told_by_siblings(hole: Hole) -> bool:
    source = hole.function.source
    language = source.package.language
    excerpt = excerpt_around(hole.prefix, hole.suffix, path=source.shown_path, language=language)
    answer = one_line(hole.truth)
    return any(answer in one_line(snippet.code) for snippet in snippets(hole, excerpt))
