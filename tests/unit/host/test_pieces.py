from __future__ import annotations

import re
import string

import pytest

from phial.host.pieces import BLANK, is_sentence_piece, over_pieces

VOCABULARY = {BLANK, "é", *string.ascii_letters, *string.digits, *string.punctuation} | {
    f"<0x{number:02X}>" for number in range(256)
}


def pieces(text: str) -> str:
    """Return a text as it stands in the vocabulary."""
    shown = {" ": BLANK, **{character: character for character in VOCABULARY}}
    return "".join(
        shown.get(character) or "".join(f"<0x{number:02X}>" for number in character.encode())
        for character in text
    )


@pytest.mark.parametrize(
    ("regex", "matches", "others"),
    [
        ("abc", ["abc"], ["ab", "abcd"]),
        ("    retu[\\s\\S]*", ["    retu", "    return x\n  日"], ["retu", "   retu"]),
        ("\tself[\\s\\S]*", ["\tself.x"], [" self", "self"]),
        (r"a\tb\n", ["a\tb\n"], ["atbn", "a b "]),
        ("é日+[\\s\\S]*", ["é日", "é日日x"], ["é", "e日"]),
        (r"a\sb", ["a b", "a\tb", "a\nb"], ["ab", "axb"]),
        (r"a[\s]b", ["a b"], ["ab"]),
        ("[ -~]+", ["a b-c~ !"], ["é"]),
        ("[^ ]+", ["ab"], ["a b"]),
        ("[ -]+", [" - "], ["a"]),
        ("(?:yes|no) {1,2}[0-9]{3}", ["yes 123", "no  456"], ["yes123", "no   4"]),
        (r"\x20\u0020\x41\.\(", ["  A.("], ["A.("]),
        (r"\d\w\+", ["1a+"], ["aa+"]),
        ("(a|)b?c*", ["abcc", "c", ""], ["d"]),
    ],
)
def test_a_text_matches_as_pieces_what_it_matches_as_text(
    regex: str, matches: list[str], others: list[str]
) -> None:
    rewritten = over_pieces(regex, VOCABULARY)
    for text in matches:
        assert re.fullmatch(regex, text)
        assert re.fullmatch(rewritten, pieces(text)), (rewritten, pieces(text))
    for text in others:
        assert not re.fullmatch(regex, text)
        assert not re.fullmatch(rewritten, pieces(text)), (rewritten, pieces(text))


def test_only_a_vocabulary_with_bytes_and_marked_blanks_is_sentence_pieces() -> None:
    assert is_sentence_piece(VOCABULARY)
    assert not is_sentence_piece({"Ġ", "a", " a"})
    assert not is_sentence_piece({BLANK, "a"})
