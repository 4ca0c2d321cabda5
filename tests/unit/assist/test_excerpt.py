from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.assist.excerpt import PREFIX_CHARS, SUFFIX_CHARS, excerpt_around, indentation
from unit.assist.cursor import excerpt_at

texts = st.lists(st.sampled_from(["a", " ", "\n", "\r", "\r\n", "\ufeff", "😀"])).map("".join)


@pytest.mark.parametrize(
    ("text", "before", "after", "blanks"),
    [
        ("$0", "", "", ""),
        ("def f():\n    $0", "    ", "", "    "),
        ("a\n\tb.$0c)\nd", "\tb.", "c)", "\t"),
        ("  x$0\n", "  x", "", "  "),
        ("a\n$0\nb", "", "", ""),
        ("\t  \t$0x", "\t  \t", "x", "\t  \t"),
    ],
)
def test_the_line_of_the_cursor(text: str, before: str, after: str, blanks: str) -> None:
    excerpt = excerpt_at(text)
    assert (excerpt.line_before, excerpt.line_after, excerpt.indentation) == (before, after, blanks)


@pytest.mark.parametrize(
    ("line", "blanks"), [("", ""), ("a b", ""), ("  a", "  "), ("\t a", "\t "), ("\xa0a", ""), ("\n  a", "")]
)
def test_indentation_is_blanks_and_tabs(line: str, blanks: str) -> None:
    assert indentation(line) == blanks


@given(texts, texts)
def test_a_model_sees_one_kind_of_line_end_and_no_byte_order_mark(before: str, after: str) -> None:
    excerpt = excerpt_around(f"\ufeff{before}", after)
    assert "\r" not in excerpt.prefix + excerpt.suffix
    assert excerpt.prefix.splitlines() == before.splitlines()
    assert excerpt.suffix.splitlines() == after.splitlines()


def test_the_path_and_the_language_come_along() -> None:
    excerpt = excerpt_around("a", "b", path="src/a.rs", language="rust")
    assert (excerpt.prefix, excerpt.suffix, excerpt.path, excerpt.language) == ("a", "b", "src/a.rs", "rust")


@pytest.mark.parametrize("length", [1, 7, 80, 300])
def test_lines_that_a_window_has_cut_are_left_out(length: int) -> None:
    line = "x" * length + "\n"
    text = line * PREFIX_CHARS
    before, after = text[-PREFIX_CHARS:], text[:SUFFIX_CHARS]
    excerpt = excerpt_around(before, after)
    assert excerpt.prefix == before[before.index("\n") + 1 :]
    assert excerpt.suffix == after[: after.rindex("\n") + 1]


def test_a_file_that_fits_the_window_is_kept_whole() -> None:
    before, after = "x\n" * (PREFIX_CHARS // 2 - 1) + "x", "y\n" * (SUFFIX_CHARS // 2 - 1) + "y"
    excerpt = excerpt_around(before, after)
    assert (excerpt.prefix, excerpt.suffix) == (before, after)


def test_a_line_longer_than_the_window_is_kept() -> None:
    excerpt = excerpt_around("x" * PREFIX_CHARS, "y" * SUFFIX_CHARS)
    assert (excerpt.prefix, excerpt.suffix) == ("x" * PREFIX_CHARS, "y" * SUFFIX_CHARS)
