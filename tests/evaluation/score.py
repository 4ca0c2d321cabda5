"""What an answer is worth: whether the examples pass with it, and how it looks beside the true text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evaluation import python_code
from evaluation.holes import Hole, Shown
from evaluation.verdict import Verdict, examine

_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})", re.MULTILINE)
_CHATTER = re.compile(
    r"^\s*(?:sure|certainly|of course|here(?:'s| is| are)|the (?:following|code|completed?|missing)|to complete|"
    r"this (?:code|function)|i (?:will|have|'m|am)|explanation|note:)\b",
    re.IGNORECASE | re.MULTILINE,
)
_CONTROL = re.compile(
    r"<\|[^|\s]{1,30}\|>|</?s>|\[/?INST\]|<(?:fim|file)_\w+>|<(?:start|end)_of_turn>|<CURSOR>"
)


@dataclass(frozen=True)
class Score:
    """What there is to say about one answer. `similarity` is that of the first line, from 0 to 1.

    `parses_before` is whether the source parses with nothing in the hole; not known for JavaScript.
    """

    passed: bool
    why: str
    exact: bool
    similarity: float
    repeats: bool
    parses_before: bool | None
    parses_after: bool
    noise: tuple[str, ...]


def score(hole: Hole, shown: Shown | None) -> Score:
    """Score what was shown; where nothing was, nothing has been completed."""
    text = shown.text if shown else ""
    after = hole.completed(shown) if shown else hole.filled("")
    verdict = examine(hole.function, after) if shown else Verdict(False, "none", True)
    python = hole.function.source.package.language == "python"
    return Score(
        passed=verdict.passed,
        why=verdict.why,
        exact=_stripped(text) == _stripped(hole.truth),
        similarity=similarity(_first_line(text), _first_line(hole.truth)),
        repeats=repeats_suffix(text, hole),
        parses_before=python_code.parse(hole.filled("")) is not None if python else None,
        parses_after=python_code.parse(after) is not None if python else verdict.parses,
        noise=noise(text, hole.truth),
    )


def similarity(text: str, truth: str) -> float:
    """Return one less the share of characters to edit, by Levenshtein's distance."""
    longest = max(len(text), len(truth))
    return 1 - _distance(text, truth) / longest if longest else 1.0


def repeats_suffix(text: str, hole: Hole) -> bool:
    """Return whether a line is shown that stands next below the cursor already.

    Brackets alone are none, and a short line, such as `return True`, only at the same depth.
    """
    below = next((line.rstrip() for line in hole.suffix.split("\n")[1:] if line.strip()), "")
    before = hole.prefix.rpartition("\n")[2]
    shown, true = ([before + lines[0], *lines[1:]] for lines in (text.split("\n"), hole.truth.split("\n")))
    if not re.search(r"\w", below) or below.strip() in {line.strip() for line in true}:
        return False
    if len(re.sub(r"\s", "", below)) < _TELLING_CHARS:
        return below in {line.rstrip() for line in shown}
    return below.strip() in {line.strip() for line in shown}


_TELLING_CHARS = 12


def noise(text: str, truth: str) -> tuple[str, ...]:
    """Name what a text has that no code has: fences, what a chat model says beside it, control tokens."""
    patterns = {"fence": _FENCE, "chatter": _CHATTER, "control": _CONTROL}
    return tuple(
        name for name, pattern in patterns.items() if pattern.search(text) and not pattern.search(truth)
    )


def _distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for number, character in enumerate(left, 1):
        diagonal, row[0] = row[0], number
        for at, other in enumerate(right, 1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (character != other))
    return row[-1]


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].rstrip()


def _stripped(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().split("\n")]
