"""What stands elsewhere and is worth reading first: code like that at the cursor, and definitions of what it uses.

Code alike is found by the identifiers that it shares, in windows of a few lines (Jaccard's index, as Copilot
and llama.vim do). The choice stays while the cursor stays in a region, for it stands before the code in the
prompt: any change of it costs the whole cache.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from phial.assist.excerpt import Excerpt, Snippet
from phial.assist.skip import holds_secrets

BUDGET_CHARS = 1_600
"""For all snippets together."""

_LARGEST_DOCUMENT = 200_000
_MOST_DOCUMENTS = 12


@dataclass(frozen=True)
class OpenText:
    """An open document. `edited`: the numbers of the lines that were changed last."""

    text: str = field(repr=False)
    path: str = ""
    language: str = ""
    edited: tuple[int, ...] = ()


def related(excerpt: Excerpt, here: OpenText, others: Sequence[OpenText]) -> tuple[Snippet, ...]:
    """Choose snippets for an excerpt, the most alike last, next to the code that it is like.

    `here` is the whole of the excerpt's own document; `others` come in the order of their use, the latest first.
    """
    readable = [other for other in others if _is_readable(other)][:_MOST_DOCUMENTS]
    around = _identifiers(_surroundings(excerpt))
    shown = set(_telling_lines(excerpt.prefix + excerpt.suffix))
    chosen: list[Snippet] = []
    left = BUDGET_CHARS
    for candidate in (
        *_definitions(around & _imported(here.text), readable),
        *_alike(around, [text for text in (here, *readable) if _is_readable(text)]),
    ):
        lines = _telling_lines(candidate.code)
        if len(candidate.code) > left or sum(line in shown for line in lines) * 2 >= len(lines):
            continue
        chosen.append(candidate)
        shown.update(lines)
        left -= len(candidate.code)
    return tuple(reversed(chosen))


@dataclass
class Regions:
    """Remembers what was chosen for a region of a document, until another document changes."""

    _chosen: OrderedDict[tuple[object, ...], tuple[Snippet, ...]] = field(default_factory=OrderedDict)

    def related(
        self, excerpt: Excerpt, line: int, here: OpenText, others: Sequence[OpenText]
    ) -> tuple[Snippet, ...]:
        """Choose snippets for a cursor on a line, or return what was chosen near it before."""
        # A text keeps its hash, so that it is computed once for each version.
        key = here.path, line // _REGION_LINES, *((other.path, hash(other.text)) for other in others)
        if key not in self._chosen:
            self._chosen[key] = related(excerpt, here, others)
            while len(self._chosen) > _REMEMBERED:
                self._chosen.popitem(last=False)
        return self._chosen[key]


_REGION_LINES = 32
_REMEMBERED = 32

_WINDOW_LINES = 20
_STEP_LINES = 10
_LINES_ABOVE = 20
_LINES_BELOW = 5
_DEFINITION_LINES = 8

_LEAST_ALIKE = 0.2
"""From here on, code alike is no chance."""
_RECENTLY_EDITED = 0.1

_IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")
_IMPORT = re.compile(
    r"^[ \t]*(?:from\s+\S+\s+import\s*\([^)]*\)|(?:from|import|use|using|export\s+\{)\b.*"
    r"|import\s*\{[^}]*\}.*|(?:const|let|var)\b[^=\n]*=\s*require\b.*)",
    re.MULTILINE,
)
_DEFINITION = re.compile(
    r"[ \t]*(?:\w+[ \t]+){0,3}?(?:def|class|function|func|fn|struct|interface|type|enum|trait|record)"
    r"[ \t*]+(?P<name>[^\W\d]\w*)"
)


def _is_readable(text: OpenText) -> bool:
    return len(text.text) <= _LARGEST_DOCUMENT and not holds_secrets(text.path)


def _surroundings(excerpt: Excerpt) -> str:
    above = excerpt.prefix.split("\n")[-_LINES_ABOVE:]
    below = excerpt.suffix.split("\n")[:_LINES_BELOW]
    return "\n".join([*above, *below])


def _imported(text: str) -> set[str]:
    return {name for found in _IMPORT.finditer(text) for name in _IDENTIFIER.findall(found.group())}


def _definitions(names: set[str], texts: Iterable[OpenText]) -> Iterator[Snippet]:
    for text in texts:
        for name, code in _defined(text.text):
            if name in names:
                yield Snippet(code, text.path, text.language)


def _alike(around: set[str], texts: Iterable[OpenText]) -> list[Snippet]:
    found: list[tuple[float, Snippet]] = []
    for text in texts:
        for start, code, identifiers in _windows(text.text):
            likeness = len(around & identifiers) / (len(around | identifiers) or 1)
            is_fresh = any(start <= line < start + _WINDOW_LINES for line in text.edited)
            likeness += is_fresh * _RECENTLY_EDITED
            if likeness >= _LEAST_ALIKE:
                found.append((likeness, Snippet(code, text.path, text.language)))
    return [snippet for _, snippet in sorted(found, key=lambda pair: pair[0], reverse=True)]


# A document is read once for each of its versions, whichever other is being edited.
@lru_cache(maxsize=2 * _MOST_DOCUMENTS)
def _windows(text: str) -> tuple[tuple[int, str, frozenset[str]], ...]:
    """Return where each window of a text starts, its lines, and the identifiers in them."""
    lines = text.splitlines()
    names = [_IDENTIFIER.findall(line) for line in lines]
    return tuple(
        (
            start,
            "\n".join(lines[start : start + _WINDOW_LINES]).strip("\n"),
            frozenset(name for line in names[start : start + _WINDOW_LINES] for name in line),
        )
        for start in range(0, max(1, len(lines) - _STEP_LINES), _STEP_LINES)
    )


@lru_cache(maxsize=2 * _MOST_DOCUMENTS)
def _defined(text: str) -> tuple[tuple[str, str], ...]:
    """Return the names that a text defines, with how each definition begins."""
    lines = text.splitlines()
    found = ((number, _DEFINITION.match(line)) for number, line in enumerate(lines))
    return tuple(
        (match["name"], "\n".join(lines[number : number + _DEFINITION_LINES]).rstrip())
        for number, match in found
        if match
    )


def _identifiers(text: str) -> set[str]:
    return set(_IDENTIFIER.findall(text))


def _telling_lines(text: str) -> list[str]:
    """Return the lines of a text that say something, without their indentation."""
    return [line.strip() for line in text.split("\n") if _IDENTIFIER.search(line)]
