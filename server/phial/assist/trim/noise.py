"""What a model writes around code: fences, talk, control tokens, loops."""

from __future__ import annotations

import re

from phial.assist.excerpt import Excerpt
from phial.assist.languages import language
from phial.assist.loops import is_looping
from phial.assist.syntax import opens_block
from phial.assist.trim.lines import lines


def cut_control_token(text: str, excerpt: Excerpt) -> str:
    """Stop at a control token of a known family of models, unless the file is about such tokens itself."""
    around = excerpt.prefix + excerpt.suffix
    for found in _CONTROL_TOKEN.finditer(text):
        head = text[: found.start()]
        # In HTML, `<s>` strikes out.
        opening = found.group().replace("/", "")
        if found.group() not in around and opening not in around + head:
            return head
    return text


def cut_fence(text: str, _: Excerpt) -> str:
    """Stop where the model closes its code block."""
    found = re.search(r"^[ \t]*`{3,}", text, re.MULTILINE)
    return text[: found.start()] if found else text


def cut_chatter(text: str, excerpt: Excerpt) -> str:
    """Stop at a line that talks to the user about the code; in prose, nothing tells it from the text."""
    if (
        language(excerpt.language).prose
        or excerpt.language in _WORDS_AND_COLONS
        or _is_inside_text(excerpt.prefix)
    ):
        return text
    for number, line in enumerate(lines(text)):
        if (number or not excerpt.line_before.strip()) and _CHATTER.match(line.text):
            return text[: line.start]
    return text


def cut_loop(text: str, excerpt: Excerpt) -> str:
    """Stop at the second time round of lines that come three times over, and at a line that is a loop."""
    every = lines(text)
    # The last line may still become another one.
    done = [
        line.text if number else excerpt.line_before + line.text for number, line in enumerate(every[:-1])
    ]
    for end in range(1, len(done) + 1):
        for period in range(1, end // _REPEATS + 1):
            turn = done[end - period : end]
            if (
                len("".join(turn).strip()) >= _LOOP_CHARS
                and done[end - period * _REPEATS : end] == turn * _REPEATS
            ):
                return text[: every[end - period * (_REPEATS - 1)].start]
    return next((text[: line.start] for line in every if _is_long_loop(line.text)), text)


def cut_noise(text: str, excerpt: Excerpt) -> str:
    """Drop a text that is nothing but blanks and punctuation that neither closes, opens nor separates.

    And a block of comments alone: it says what the code is to do, and has none.
    """
    if text.strip() == "..." and opens_block(excerpt):
        return text
    return "" if _NOISE.fullmatch(text) or _is_promise(text, excerpt) else text


def _is_promise(text: str, excerpt: Excerpt) -> bool:
    marks = language(excerpt.language).line_comments
    said = [line.strip() for line in text.split("\n") if line.strip()]
    is_comment = bool(marks) and all(line.startswith(marks) for line in said)
    return is_comment and not excerpt.line_before.strip() and opens_block(excerpt)


def _is_long_loop(line: str) -> bool:
    # Looking for a loop is slow, and one is long.
    return len(line) >= _LONG and is_looping(line)


_LONG = 160
_REPEATS = 3
_LOOP_CHARS = 6
"""Brackets and zeros repeat in good code."""

_CONTROL_TOKEN = re.compile(
    r"<\|[A-Za-z][\w .-]{0,40}\|>"  # Phi, Qwen, Llama 3, GPT, StarCoder 2
    r"|<\uff5c[^\n<>]{1,40}\uff5c>"  # DeepSeek
    r"|</s>|<(?:bos|eos|pad|unk)>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    r"|<(?:fim|file|repo|gh|issue|jupyter)_[a-z_]{1,20}>|<(?:reponame|filename)>|<(?:PRE|SUF|MID|EOT|EOD|CURSOR)>"
)
_CHATTER = re.compile(
    r"\s*(?:"
    r"(?:Sure|Certainly|Of course|Absolutely|Great|Okay)(?:[,!.]|\s+\w+[,!.]?)\s"
    r"|(?:Sure|Certainly|Of course|Absolutely)[!.]\s*$"
    r"|(?:Here(?:'s|\u2019s)?(?: is| are)?|Below(?: is| are)?) (?:the|a|an|your|my|how|what|some|is|are)\b"
    r"|(?:The|This|That) (?:\w+ )?(?:code|function|method|class|script|program|snippet|implementation|file)\b"
    r"|In (?:this|the) (?:\w+ )?(?:code|example|function|implementation)\b"
    r"|(?:Note|Please note|Remember)(?: that\b|: +[A-Z])"
    r"|(?:Explanation|Example usage) ?:|(?:Output|Usage|Answer|Solution|Question):$"
    r"|(?:Let me know|I hope|I have|I've|I am|I'm|I will|I'll|I can|As an AI|You can|You may|Feel free)\b \w"
    r"|(?:User|Assistant|Human|System): "
    r"|\*\*[A-Z][^*\n]+\*\*"
    r")"
)
# A line of these reads like talk: `Output: json`.
_WORDS_AND_COLONS = {"yaml", "properties", "ini", "git-commit", "html", "xml"}
_NOISE = re.compile(r"[\s.\-=*#~_/\\|+!?&^%$@<>]*")


def _is_inside_text(prefix: str) -> bool:
    """Return whether a docstring or a comment is open at the end of a prefix: there, talk is what is wanted."""
    in_string = any(prefix.count(quotes) % 2 for quotes in ('"""', "'''"))
    return in_string or prefix.rfind("/*") > prefix.rfind("*/")
