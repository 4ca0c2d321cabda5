"""Made-up packages to dig holes in, and a way to show a hole."""

from __future__ import annotations

from pathlib import Path

from evaluation import javascript, python_code
from evaluation.holes import Function, Hole, Kind, dig
from evaluation.sources import Language, Package, Source

PYTHON = '''"""A module."""


def count(words, least=1):
    """Count words.

    >>> count(["a", "b", "a"])
    {'a': 2, 'b': 1}
    >>> count(["a", "b", "a"], 2)
    {'a': 2}
    """
    counts = {}
    for word in words:
        seen = counts.get(word, 0)
        counts[word] = seen + 1
    # a comment is no hole
    return {word: number for word, number in counts.items() if number >= least}


def undocumented(value):
    return value


def inner(value):
    """Do it.

    >>> inner(2)
    4
    """
    text = """
    counts = None
    """
    return value * 2 if text else None
'''

JAVASCRIPT = """var other = require('./other');

/**
 * Counts.
 *
 * @example
 *
 * var words = ['a', 'b', 'a'];
 * _.count(words);
 * // => { 'a': 2, 'b': 1 }
 */
function count(words) {
  var result = {};
  words.forEach(function(word) {
    var seen = result[word] || 0;
    result[word] = other(seen);
  });
  return result;
}

module.exports = count;
"""

OTHER = "module.exports = function(value) { return value + 1; };\n"


def package(language: Language = "python") -> Package:
    return Package({"python": "made", "javascript": "lodash"}[language], "1.0", "", language, "made")


def function(text: str = PYTHON, name: str = "count") -> Function:
    source = Source(package(), "made/words.py", text)
    return next(found for found in python_code.functions(source) if found.name == name)


def javascript_function() -> Function:
    (found,) = javascript.functions(Source(package("javascript"), "made/count.js", JAVASCRIPT))
    return found


def holes(kind: Kind, found: Function | None = None) -> list[Hole]:
    """Return all holes of a kind, in their order in the text."""
    dug = dig(found or function(), kind, seed=0)
    return sorted(dug, key=lambda hole: (hole.spot.start, hole.spot.end))


def shown(hole: Hole) -> str:
    """Return the lines of a hole, without their indentation, with the hole in brackets."""
    before = hole.prefix.rpartition("\n")[2]
    after = hole.suffix.partition("\n")[0]
    return f"{before}«{hole.truth}»{after}".strip()


def install(folder: Path) -> None:
    """Write the packages where `Package.folder` looks, below what stands for the cache."""
    for name, file, text in (
        ("made-1.0", "made/words.py", PYTHON),
        ("lodash-1.0", "made/count.js", JAVASCRIPT),
        ("lodash-1.0", "made/other.js", OTHER),
    ):
        target = folder / "packages" / name / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
