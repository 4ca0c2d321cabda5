from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phial.host.text import StopStrings, TextStream
from support.fake_tokenizer import FakeTokenizer

TOKENIZER = FakeTokenizer()
END = TOKENIZER.encode("<|end|>")[0]

texts = st.lists(st.sampled_from(["a", " ", "\n", "é", "€", "😀", "\ufffd"]) | st.text(max_size=3)).map(
    "".join
)


class PiecesTokenizer(FakeTokenizer):
    """Its tokens are what a text is cut into, wherever the cuts are: inside a character, too."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__()
        self._pieces = pieces

    def decode(self, tokens: object) -> str:
        assert isinstance(tokens, list)
        return b"".join(self._pieces[token] for token in tokens).decode(errors="replace")


class SentencePieceTokenizer(PiecesTokenizer):
    """Drops the blank that a text begins with."""

    def decode(self, tokens: object) -> str:
        return super().decode(tokens).removeprefix(" ")


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[start:end] for start, end in pairwise(places)]


def streamed(tokenizer: FakeTokenizer, prompt: list[int], tokens: list[int]) -> list[str]:
    stream = TextStream(tokenizer, prompt)
    return [*(stream.push(token) for token in tokens), stream.flush()]


# Tokens to text


@given(texts, texts, st.lists(st.integers(0)))
@example("", "😀", [1, 2, 3])
@example("é", "\ufffd", [])
@example("", "a" * 20 + "€" * 20, list(range(80)))
def test_the_pieces_joined_are_the_text_however_it_is_cut(before: str, text: str, at: list[int]) -> None:
    pieces = [before.encode(), *cut(text.encode(), at)]
    told = streamed(PiecesTokenizer(*pieces), [0], list(range(1, len(pieces))))
    assert "".join(told) == text


@given(st.binary())
@example(b"\xe2\x82")
@example(b"\xf0\x9f\x98a")
def test_what_is_no_utf8_comes_through_as_it_would_at_once(data: bytes) -> None:
    assert "".join(streamed(TOKENIZER, [], list(data))) == data.decode(errors="replace")


@given(texts, st.lists(st.integers(0)))
def test_every_piece_is_made_of_whole_characters(text: str, at: list[int]) -> None:
    pieces = cut(text.replace("\ufffd", "").encode(), at)
    told = streamed(PiecesTokenizer(*pieces), [], list(range(len(pieces))))
    assert not any("\ufffd" in piece for piece in told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"ab", ["a", "b", ""]),
        ("é".encode(), ["", "é", ""]),
        ("a€b".encode(), ["a", "", "", "€", "b", ""]),
        ("😀".encode(), ["", "", "", "😀", ""]),
        (b"a\xe2\x82", ["a", "", "", "\ufffd"]),
        (b"\xe2a", ["", "\ufffda", ""]),
    ],
)
def test_a_character_is_told_as_soon_as_it_is_whole(data: bytes, told: list[str]) -> None:
    assert streamed(TOKENIZER, [], list(data)) == told


def test_a_control_token_between_adds_nothing_and_loses_nothing() -> None:
    first, second, third = "€".encode()
    assert streamed(TOKENIZER, [END], [END, first, END, second, third, END]) == ["", "", "", "", "€", "", ""]


def test_the_prompt_is_not_told_again() -> None:
    assert streamed(TOKENIZER, list(b"a long prompt"), list(b"ab")) == ["a", "b", ""]


def test_the_first_token_keeps_its_blank() -> None:
    tokenizer = SentencePieceTokenizer(b"def", b" f", b"()", b" :")
    assert streamed(tokenizer, [0], [1, 2, 3]) == [" f", "()", " :", ""]


# Stop strings


def stopped(stops: list[str], pieces: list[str]) -> tuple[list[str], bool]:
    """Return what is shown of each piece up to the stop, and whether there was one."""
    filtered = StopStrings(stops)
    shown = []
    for piece in pieces:
        shown.append(filtered.push(piece))
        if filtered.stopped:
            return shown, True
    return [*shown, filtered.flush()], False


few = st.text("ab`\n", max_size=12)
stop_strings = st.text("ab`\n", min_size=1, max_size=4)


@given(st.lists(few), stop_strings)
@example(["ab", "ab", "aab"], "abaa")
@example(["\n", "`", "`", "`", "x"], "\n```")
def test_the_text_ends_where_the_stop_string_begins(pieces: list[str], stop: str) -> None:
    text = "".join(pieces)
    shown, was_stopped = stopped([stop], pieces)
    assert "".join(shown) == text.split(stop)[0]
    assert was_stopped == (stop in text)


@given(st.lists(few), st.lists(stop_strings, max_size=3))
@example(["ab", "a`"], ["ba`", "a"])
@example(["baab"], ["aa", "baab"])
def test_the_cuts_between_pieces_do_not_matter(pieces: list[str], stops: list[str]) -> None:
    text = "".join(pieces)
    whole, one_by_one = stopped(stops, [text]), stopped(stops, list(text))
    shown = stopped(stops, pieces)
    assert {("".join(told), end) for told, end in (whole, one_by_one, shown)} == {
        ("".join(shown[0]), shown[1])
    }
    assert not any(stop in "".join(shown[0]) for stop in stops)


@pytest.mark.parametrize(
    ("stops", "pieces", "shown"),
    [
        pytest.param([], ["ab", "c"], ["ab", "c", ""], id="none"),
        pytest.param(["\n"], ["ab\ncd"], ["ab"], id="inside a piece"),
        pytest.param(["xy"], ["axb"], ["axb", ""], id="no beginning at the end"),
        pytest.param(["xy"], ["ax", "b"], ["a", "xb", ""], id="what was held back is told"),
        pytest.param(["xy"], ["ax"], ["a", "x"], id="what is held back at the end is told"),
        pytest.param(["xy"], ["ax", "y"], ["a", ""], id="cut in two"),
        pytest.param(["aab"], ["a", "a", "a", "b"], ["", "", "a", ""], id="no longer than needed"),
        pytest.param(["b", "a"], ["xab"], ["x"], id="the first in the text, not in the list"),
        pytest.param(["abc", "b"], ["ab", "c"], ["a"], id="the first that is complete"),
    ],
)
def test_stop(stops: list[str], pieces: list[str], shown: list[str]) -> None:
    assert stopped(stops, pieces)[0] == shown
