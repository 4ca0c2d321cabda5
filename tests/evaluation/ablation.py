"""What each of the product's filters brings: what a model wrote, put through all of them but one.

It takes the lines of a run with the variant `untrimmed`, and asks no model again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from evaluation.askers import excerpt_of
from evaluation.holes import Hole, Shown
from evaluation.lines import Line
from evaluation.score import Score, score
from phial.assist import trim as filters
from phial.assist.excerpt import Excerpt
from phial.assist.trim import Insertion
from phial.settings import CompletionSettings

_MAX_LINES = CompletionSettings().max_lines

_ALONE: Mapping[str, Callable[..., object]] = {
    "fit_line_rest": lambda text, _: Insertion(text),
    "sound_head": lambda text, *_: text,
    "cut_noise": lambda text, _: text,
}
"""Filters that stand outside of the chain, each with what does nothing in its place."""

NAMES = (*(cut.__name__ for cut in filters._CUTS), *_ALONE)


@dataclass(frozen=True)
class Ablated:
    """What becomes of a number of answers without a filter, or with all where `without` is "".

    `changed`: how many are others than with all filters. The rest are counts, too.
    """

    without: str
    number: int
    changed: int
    passed: int
    repeats: int
    unparseable: int
    noise: int


def ablate(
    lines: Sequence[Line], holes: Mapping[str, Hole], *, jobs: int, judged: Callable[[], None] = lambda: None
) -> list[Ablated]:
    """Return what all filters make of what a model wrote, and what they make of it without each of them.

    `holes` by id; lines of others are left out. `judged` is told each answer that had to be tried.
    """
    known = [line for line in lines if line["hole"] in holes]
    written = [(excerpt_of(holes[line["hole"]]), str(line["shown"] or "")) for line in known]
    ids = [line["hole"] for line in known]
    texts = {name: _trimmed(written, name) for name in ("", *NAMES)}
    wanted = {key for shown in texts.values() for key in zip(ids, shown, strict=True)}

    def try_out(key: tuple[str, Shown | None]) -> Score:
        found = score(holes[key[0]], key[1])
        judged()
        return found

    with ThreadPoolExecutor(jobs) as threads:
        scores = dict(zip(wanted, threads.map(try_out, wanted), strict=True))
    return [
        _counted(name, texts[""], shown, [scores[key] for key in zip(ids, shown, strict=True)])
        for name, shown in texts.items()
    ]


def _counted(
    name: str, whole: Sequence[Shown | None], shown: Sequence[Shown | None], scores: Sequence[Score]
) -> Ablated:
    return Ablated(
        name,
        len(scores),
        changed=sum(one != other for one, other in zip(shown, whole, strict=True)),
        passed=sum(one.passed for one in scores),
        repeats=sum(one.repeats for one in scores),
        unparseable=sum(not one.parses_after and one.parses_before is not False for one in scores),
        noise=sum(bool(one.noise) for one in scores),
    )


def _trimmed(written: Sequence[tuple[Excerpt, str]], without: str) -> list[Shown | None]:
    with _left_out(without):
        return [_shown(text, excerpt) for excerpt, text in written]


def _shown(text: str, excerpt: Excerpt) -> Shown | None:
    # A model that ends by itself, at its fence, has ended its line before.
    is_whole = text.endswith("\n") or "\n" not in text
    found = filters.trim(text, excerpt, whole=is_whole, max_lines=_MAX_LINES)
    return Shown(found.text, 0, found.replaces) if found.text else None


@contextmanager
def _left_out(name: str) -> Iterator[None]:
    if name in _ALONE:
        with mock.patch.object(filters, name, _ALONE[name]):
            yield
        return
    cuts = tuple(cut for cut in filters._CUTS if cut.__name__ != name)
    with mock.patch.multiple(filters, _CUTS=cuts, _cut=filters._cut.__wrapped__):  # nothing kept from before
        yield
