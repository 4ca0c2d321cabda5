"""Where holes can be dug in Python: in the bodies of functions whose docstrings hold doctests."""

from __future__ import annotations

import ast
import io
import keyword
import threading
import token as token_types
import tokenize
import warnings
from collections.abc import Iterator
from itertools import accumulate

from evaluation.holes import Function, Spot
from evaluation.sources import Source

_SHORTEST_LINE = 8
_SHORTEST_REST = 3
_SHORTEST_WORD = 3
_BLOCK_LINES = range(2, 13)

_PARSER = threading.Lock()
"""Answers are scored in threads: Python 3.11 fails where two of them parse at once (python/cpython#106905)."""

_Def = ast.FunctionDef | ast.AsyncFunctionDef
_Lines = dict[int, list[tokenize.TokenInfo]]


def functions(source: Source) -> Iterator[Function]:
    """Yield the functions and methods of a file that have doctests, with their spots."""
    tree = parse(source.text)
    if tree is None or ">>>" not in source.text:
        return
    starts = [0, *accumulate(len(line) for line in source.text.splitlines(keepends=True))]
    lines = _code_lines(source.text)
    for name, node in _definitions(tree):
        docstring = ast.get_docstring(node, clean=False) or ""
        if ">>>" in docstring and len(node.body) > 1:
            body = range(node.body[1].lineno, (node.end_lineno or 0) + 1)
            spots = [
                *_line_spots(source.text, starts, {row: lines[row] for row in body if row in lines}),
                *_block_spots(source.text, starts, node),
            ]
            text = source.text[starts[body.start - 1] : starts[body.stop - 1]]
            yield Function(source, name, docstring, text, tuple(spots))


def parse(text: str) -> ast.Module | None:
    """Return the syntax tree, or None where there is none."""
    with _PARSER, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python thinks of an escape sequence is not the matter here
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def module_name(source: Source) -> str:
    """Return the name that a file is imported by."""
    return source.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _definitions(tree: ast.Module) -> Iterator[tuple[str, _Def]]:
    for node in tree.body:
        if isinstance(node, _Def):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{item.name}", item) for item in node.body if isinstance(item, _Def))


def _code_lines(text: str) -> _Lines:
    """Return the tokens of each line that is code and nothing else: no comment, no part of a longer string."""
    lines: _Lines = {}
    spoiled: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        first, last = token.start[0], token.end[0]
        if token.type == tokenize.COMMENT or _is_format_string(token):
            spoiled.add(first)
        elif token.type == tokenize.STRING and last > first:
            spoiled.update(range(first, last + 1))
        elif token.type in {tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING}:
            lines.setdefault(first, []).append(token)
    return {row: tokens for row, tokens in lines.items() if row not in spoiled}


def _is_format_string(token: tokenize.TokenInfo) -> bool:
    """Python 3.12 and later look into it, earlier ones do not: without, all dig the same holes."""
    name = token_types.tok_name[token.type]
    quoted = token.type == tokenize.STRING and "f" in token.string.partition(token.string[-1])[0].lower()
    return quoted or name.startswith("FSTRING")


def _line_spots(text: str, starts: list[int], lines: _Lines) -> Iterator[Spot]:
    for row, tokens in lines.items():
        start, end = starts[row - 1], starts[row] - 1
        line = text[start:end].rstrip()
        end = start + len(line)
        if len(line.strip()) < _SHORTEST_LINE or line.endswith("\\"):
            continue
        yield Spot("line", "", end - len(line.lstrip()), end)
        for token in tokens[1:]:
            at = start + token.start[1]
            if end - at >= _SHORTEST_REST and not _is_word(text[at - 1]):
                yield Spot("rest", "", at, end)
        yield from _closed_spots(tokens, start)
        for token in tokens:
            yield from _word_spots(token, start, end)


def _closed_spots(tokens: list[tokenize.TokenInfo], start: int) -> Iterator[Spot]:
    """Yield the spots behind an opening bracket whose closing one ends the line."""
    code = tokens[:-1] if tokens[-1].string in {":", ","} else tokens
    opened: list[tokenize.TokenInfo] = []
    for number, token in enumerate(code):
        if token.string in {"(", "[", "{"}:
            opened.append(token)
        elif token.string in {")", "]", "}"} and opened:
            opener = opened.pop()
            closes_line = all(later.string in {")", "]", "}"} for later in code[number:])
            if closes_line and token.start[1] - opener.end[1] >= _SHORTEST_REST:
                yield Spot("closed", "", start + opener.end[1], start + token.start[1])


def _word_spots(token: tokenize.TokenInfo, start: int, end: int) -> Iterator[Spot]:
    """Yield a spot behind each letter of a name: its last letter is the end of the word."""
    if token.type != tokenize.NAME or keyword.iskeyword(token.string) or len(token.string) < _SHORTEST_WORD:
        return
    first, last = start + token.start[1], start + token.end[1]
    yield from (Spot("word", "inside", at, end) for at in range(first + 1, last))
    if end - last >= _SHORTEST_REST:
        yield Spot("word", "end", last, end)


def _block_spots(text: str, starts: list[int], definition: _Def) -> Iterator[Spot]:
    yield from _suite_spot(text, starts, definition.body[1:], "body")
    for node in ast.walk(definition):
        for field in ("body", "orelse", "finalbody"):
            suite = getattr(node, field, None)
            if node is not definition and isinstance(suite, list) and not _is_elif(node, field):
                yield from _suite_spot(text, starts, suite, "suite")


def _suite_spot(text: str, starts: list[int], suite: list[ast.stmt], detail: str) -> Iterator[Spot]:
    """Yield the whole of a suite: the cursor stands in its first line, which an editor has indented."""
    if not suite:
        return
    first = min(item.lineno for item in (suite[0], *getattr(suite[0], "decorator_list", [])))
    last = suite[-1].end_lineno or 0
    line = text[starts[first - 1] : starts[first] - 1]
    start = starts[first] - 1 - len(line.lstrip())
    # it does not where it stands on its opener's line
    begins_line = suite[0].col_offset == len(line) - len(line.lstrip())
    if begins_line and last - first + 1 in _BLOCK_LINES:
        yield Spot("block", detail, start, starts[last] - 1)


def _is_elif(node: ast.AST, field: str) -> bool:
    """Its suite is the next `if`, which stands as deep as the first."""
    return (
        isinstance(node, ast.If)
        and field == "orelse"
        and len(node.orelse) == 1
        and isinstance(node.orelse[0], ast.If)
    )


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
