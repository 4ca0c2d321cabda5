"""Regular expressions over SentencePiece's vocabulary, where a blank is written `▁` and a rare character byte by byte.

The engine compares a regular expression with tokens as they stand in the vocabulary (openvino-genai 2026.4): there no
token holds a blank, a tab or a line break, and for a pattern that wants one, it writes `<unk>` for ever. The bytes
`<0x09>` could be spelled in letters too: a trained model takes the one token that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Container

BLANK = "▁"

_PART = re.compile(
    r"""  \\x[0-9a-fA-F]{2} | \\u[0-9a-fA-F]{4} | \\.    # escapes
        | \[\^?(?:[^\]\\]|\\.)+\]                      # character class
        | \(\?: | [()|.*+?] | \{\d+(?:,\d*)?\}         # groups, alternatives, repetitions
        | .                                            # any other character stands for itself""",
    re.VERBOSE | re.DOTALL,
)

_CONTROL = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\f": "\f", r"\v": "\v"}


def is_sentence_piece(vocabulary: Container[str]) -> bool:
    """Tell whether a vocabulary is SentencePiece's, with bytes for what it does not have."""
    return BLANK in vocabulary and _byte(0) in vocabulary


def over_pieces(regex: str, vocabulary: Container[str]) -> str:
    """Rewrite a regular expression, one that `schema` has let through, for the tokens of a vocabulary."""
    return "".join(_rewritten(part, vocabulary) for part in _PART.findall(regex))


def _rewritten(part: str, vocabulary: Container[str]) -> str:
    if part == r"\s":
        return f"(?:{'|'.join([BLANK, *map(_bytes, _CONTROL.values())])})"
    if part.startswith("[") and len(part) > 1:
        return _class(part)
    if part.startswith((r"\x", r"\u")):
        code_point = part[2:]
        part = re.escape(chr(int(code_point, 16)))
    character = _CONTROL.get(part, part[-1] if part.startswith("\\") else part)
    if character == " ":
        return BLANK
    return part if len(character) > 1 or character in vocabulary else f"(?:{_bytes(character)})"


def _class(part: str) -> str:
    """Rewrite a character class; the bytes of rare characters are no single character, and stay out of it."""
    spread = re.sub(r" -(?=[^\]])", f"{BLANK}!-", part)
    return spread.replace(" ", BLANK).replace(r"\s", rf"\s{BLANK}")


def _bytes(text: str) -> str:
    return "".join(map(_byte, text.encode()))


def _byte(number: int) -> str:
    return f"<0x{number:02X}>"
