"""Which files a developer would have open beside a hole's, and what a model is shown of them: never the answer."""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath

from evaluation.holes import Hole, one_line
from evaluation.sources import Package, Source, sources
from phial.assist.context import OpenText, related
from phial.assist.excerpt import Excerpt, Snippet

_OPEN = 8
"""Files: those that the hole's own names come first, then those in its folder."""


def snippets(hole: Hole, excerpt: Excerpt) -> tuple[Snippet, ...]:
    """Choose what is related to a hole, as if the files around its own were open."""
    here = hole.function.source
    found = related(excerpt, _opened(here, hole.filled("")), [_opened(file) for file in _siblings(here)])
    answer = one_line(hole.truth)
    return tuple(snippet for snippet in found if answer not in one_line(snippet.code))


def _opened(source: Source, text: str = "") -> OpenText:
    return OpenText(text or source.text, source.shown_path, source.package.language)


def _siblings(here: Source) -> list[Source]:
    named = set(
        re.findall(r"\w+", "\n".join(re.findall(r"^.*\b(?:import|require)\b.*", here.text, re.MULTILINE)))
    )
    folder = PurePosixPath(here.path).parent

    def distance(other: Source) -> tuple[bool, bool]:
        path = PurePosixPath(other.path)
        return path.stem not in named, path.parent != folder

    others = [source for source in _files(here.package) if source.path != here.path]
    return sorted(others, key=distance)[:_OPEN]


@functools.cache
def _files(package: Package) -> tuple[Source, ...]:
    return tuple(source for source in sources(package.language) if source.package == package)
