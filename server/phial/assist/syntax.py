"""What a text's syntax tells: whether a block begins at the cursor, and whether an insertion parses.

tree-sitter knows strings and comments from code, and finds errors, in a text cut anywhere; a grammar is
imported when its language is first met. What opens a block is told by lines (`languages.py`), for a tree of
code that is being typed is a guess just where the cursor is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module

from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser

from phial.assist.excerpt import Excerpt, indentation
from phial.assist.languages import language
from phial.assist.window import around_definition


@dataclass(frozen=True)
class Block:
    """A block that begins at the cursor.

    It ends with a line that is indented by no more than `outside` characters; a `paragraph`, which a comment
    describes, also with a blank line, unless what follows is indented deeper than its first line. `opener`:
    the code that opens it.
    """

    outside: int
    opener: str = ""
    paragraph: bool = False


def opens_block(excerpt: Excerpt) -> bool:
    """Return whether a block begins at the cursor; else the rest of the line is wanted."""
    return block_at(excerpt) is not None


# A completion asks at every token for the same excerpt.
@lru_cache(maxsize=4)
def block_at(excerpt: Excerpt) -> Block | None:
    """Return the block that begins at the cursor: after what opens one, or what describes one."""
    said = excerpt.prefix.rstrip()
    is_auto_closed = excerpt.line_before.rstrip().endswith("{") and _AUTO_CLOSED.fullmatch(excerpt.line_after)
    if not said or (excerpt.line_after.strip() and not is_auto_closed):
        return None
    newlines = excerpt.prefix.count("\n", len(said))
    if not _may_open(said.rpartition("\n")[2], excerpt.language, newlines):
        return None
    place = _place_at_end(around_definition(said, excerpt.language), excerpt.language)
    line = said.rpartition("\n")[2]
    if place.kind == "comment":
        return _described(line, excerpt.language, newlines)
    if place.kind == "docstring":
        return Block(len(indentation(line)) - 1)
    is_opener = language(excerpt.language).is_opened_by(place.code.strip(), fresh=newlines > 0)
    return _opened(said, place.code, excerpt.language) if place.kind == "code" and is_opener else None


def is_at_depth(excerpt: Excerpt) -> bool:
    """Return whether what comes must begin in the cursor's column: Python minds how deep a statement stands.

    Not where a block begins that the cursor is not in yet, and not inside brackets or text.
    """
    if excerpt.language != "python" or not excerpt.line_before or excerpt.line_before.strip():
        return False
    window = around_definition(excerpt.prefix, excerpt.language)
    if (
        brackets_left_open(window)
        or is_inside_text(window, excerpt.language)
        or window.rstrip().endswith("\\")
    ):
        return False
    block = block_at(excerpt)
    return block is None or len(excerpt.line_before) > block.outside


def error_count(text: str, language_id: str) -> int | None:
    """Return how many errors a parser finds in a text, or None where there is no grammar to tell.

    What is wrong and what is missing count alike.
    """
    root = _root(text, language_id)
    return None if root is None else _errors(root)


def parses_no_worse(before: str, after: str, language_id: str) -> bool:
    """Return whether a text has no more errors after an edit than before; True where nobody can tell."""
    errors = error_count(after, language_id)
    # Without any, what was there before does not matter.
    return not errors or errors <= (error_count(before, language_id) or 0)


def brackets_left_open(text: str) -> list[str]:
    """Return the brackets that a text opens and does not close, in order; those in its strings do not count."""
    opened: list[str] = []
    for found in _BRACKET.finditer(text):
        bracket = found.group()
        if bracket in CLOSER_OF:
            opened.append(bracket)
        elif opened and CLOSER_OF[opened[-1]] == bracket:
            opened.pop()
    return opened


_AUTO_CLOSED = re.compile(r"\}[)\]},;]*\s*")
_FENCE = re.compile(r"^[ \t]*(?:`{3}|~{3})", re.MULTILINE)
CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
# Strings and comments match too, and are no brackets; an apostrophe between letters is none.
_BRACKET = re.compile(r"[()\[\]{}]|\"(?:\\.|[^\"\\\n])*\"|(?<!\w)'(?:\\.|[^'\\\n])*'|`[^`\n]*`")


@dataclass(frozen=True)
class _Place:
    kind: str
    code: str = ""


def _may_open(line: str, language_id: str, newlines: int) -> bool:
    """Return whether a line needs a closer look: most tell without a parser that they open nothing."""
    known = language(language_id)
    marks = (*known.line_comments, *(end for _, end in known.block_comments), '"""', "'''")
    return known.is_opened_by(line.strip(), fresh=newlines > 0) or any(mark in line for mark in marks)


def _described(comment: str, language_id: str, newlines: int) -> Block | None:
    """Return the block that a comment describes: right below, or behind it once its sentence is done."""
    is_done = re.search(r"[.:!?]\s*\Z|\*/\Z|-->\Z", comment) is not None
    if newlines > 1 or comment.lstrip().startswith("#!") or (newlines == 0 and not is_done):
        return None
    if language(language_id).prose:
        return None
    return Block(len(indentation(comment)) - 1, paragraph=True)


def _opened(said: str, code: str, language_id: str) -> Block:
    first = indentation(_first_line_of_statement(said))
    if language(language_id).prose:
        in_fence = len(_FENCE.findall(said)) % 2 == 1
        return Block(len(first) - 1, paragraph=not in_fence)
    return Block(len(first), code)


def _place_at_end(said: str, language_id: str) -> _Place:
    """Return what a text ends in, and the code on its last line before a comment there."""
    line = said.rpartition("\n")[2]
    if language_id == "python" and not _STRING_OR_COMMENT.search(line):
        # Nothing but a long string can hold such a line: that is told without a parser.
        return _Place("string") if is_inside_text(said, language_id) else _Place("code", line)
    root = _root(said, language_id)
    if root is None:
        return _place_by_line(line, language_id)
    said_bytes = _bytes(said)
    node = root.descendant_for_byte_range(len(said_bytes) - 1, len(said_bytes))
    while node is not None and not _INSIDE.search(node.type):
        if "comment" in node.type:
            code = said_bytes[: _whole("comment", node).start_byte].decode().rpartition("\n")[2]
            return _Place("code", code.rstrip()) if code.strip() else _Place("comment")
        if _STRING.search(node.type):
            return _Place("docstring" if _is_docstring(_whole("string", node)) else "string")
        node = node.parent
    return _Place("string") if is_inside_text(said, language_id) else _Place("code", line)


def is_inside_text(prefix: str, language_id: str) -> bool:
    """Return whether a comment or long string has begun and has no end yet: an error to the parser, no node."""
    known = language(language_id)
    line = prefix.rpartition("\n")[2]
    if language_id == "python" and any(prefix.count(quotes) % 2 for quotes in ('"""', "'''")):
        return True
    if any(re.search(rf"(?:^|\s){re.escape(mark)}", line) for mark in known.line_comments):
        return True
    if ("/*", "*/") not in known.block_comments:
        return False
    begins = [found.start() for found in COMMENT_BEGIN.finditer(prefix)]
    return bool(begins) and prefix.find("*/", begins[-1]) < 0


COMMENT_BEGIN = re.compile(r"/(?<![^\s;{}()]/)\*")
"""Not the one in `src/*.js`. The slash stands first in the pattern, for that is fast to look for."""


def _whole(kind: str, node: Node) -> Node:
    """Return the largest node of a kind around one."""
    while node.parent is not None and kind in node.parent.type:
        node = node.parent
    return node


_STRING_OR_COMMENT = re.compile(r"[\"'#]")
_STRING = re.compile(r"string|char_literal|heredoc_body|rune_literal")
_INSIDE = re.compile(r"interpolation|substitution|expansion")
"""Code inside a string: `${ }`."""


def _is_docstring(node: Node) -> bool:
    statement = node.parent
    body = statement.parent if statement else None
    return (
        statement is not None
        and body is not None
        and statement.type == "expression_statement"
        and body.type == "block"
        and body.named_children[0] == statement
    )


def _place_by_line(line: str, language_id: str) -> _Place:
    known = language(language_id)
    stripped = line.strip()
    ends = tuple(end for _, end in known.block_comments)
    if (known.line_comments and stripped.startswith(known.line_comments)) or (
        ends and stripped.endswith(ends)
    ):
        return _Place("comment")
    for mark in known.line_comments:
        code, found, _ = line.partition(f" {mark} ")
        if found and code.strip() and code.count('"') % 2 == 0 and code.count("'") % 2 == 0:
            return _Place("code", code.rstrip())
    return _Place("code", line)


def _first_line_of_statement(said: str) -> str:
    """Return the line on which what ends the text has begun: of a signature over several lines, its first."""
    lines = said.rsplit("\n", _LONGEST_SIGNATURE)[-_LONGEST_SIGNATURE:]
    surplus = 0
    for line in reversed(lines):
        for bracket in reversed([found.group() for found in _BRACKET.finditer(line)]):
            surplus += (bracket in CLOSER_OF.values()) - (bracket in CLOSER_OF and surplus > 0)
        if surplus == 0:
            return line
    return lines[-1]


_LONGEST_SIGNATURE = 30
"""Lines."""


def _errors(root: Node) -> int:
    # A loop, for text of any depth: thousands of open brackets nest as deep.
    errors, nodes = 0, [root]
    while nodes:
        node = nodes.pop()
        if node.has_error:
            errors += node.is_error or node.is_missing
            nodes += node.children
    return errors


# A text is parsed once, however many filters ask: most of what a completion costs is parsing.
@lru_cache(maxsize=16)
def _root(text: str, language_id: str) -> Node | None:
    if language_id not in _GRAMMARS:
        return None
    return Parser(_grammar(language_id)).parse(_bytes(text)).root_node


def _bytes(text: str) -> bytes:
    # A lone surrogate is no UTF-8, and one byte is as good as another for a parser.
    return text.encode(errors="replace")


@cache
def _grammar(language_id: str) -> Grammar:
    module, _, function = _GRAMMARS[language_id].partition(":")
    return Grammar(getattr(import_module(f"tree_sitter_{module}"), function or "language")())


_GRAMMARS = {
    "python": "python",
    "javascript": "javascript",
    "javascriptreact": "javascript",
    "typescript": "typescript:language_typescript",
    "typescriptreact": "typescript:language_tsx",
    "java": "java",
    "c": "c",
    "cpp": "cpp",
    "csharp": "c_sharp",
    "go": "go",
    "rust": "rust",
    "sql": "sql",
    "shellscript": "bash",
}
